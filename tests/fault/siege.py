"""The siege: people live with a bot that is killed again and again on a bad network; then all is counted."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bot.model import Finding, Kind, Times
from bot.sandbox import Fault, Person, Sandbox
from bot.sandbox.messages import Message
from bot.storage.database import Database
from bot.storage.store import Store
from content.loader import load
from tests.fault.process import BotProcess

ZONE = ZoneInfo("Europe/London")
LONG_AGO = date(2025, 1, 1)  # nights that only the siege plans
CALM_SECONDS = 120.0
METHODS = ("sendMessage", "editMessageText", "answerCallbackQuery")


@dataclass(frozen=True)
class Plan:
    """How hard the siege is."""

    seed: int = 1
    kills: int = 100
    people: int = 150
    sendings: int = 4000
    longest_life: float = 3.0  # seconds from the first requests to the kill, at most
    chance_of_fault: float = 0.03  # of each kind, for each request
    step: timedelta = timedelta(minutes=5)  # of the patients' clock, from life to life
    rate: int = 300


@dataclass
class Counts:
    """What came of everything."""

    kills: int = 0
    faults: int = 0
    cards: int = 0
    cards_again: int = 0  # cards that arrived more often than they were told for sure
    cards_lost: int = 0
    prompts: int = 0
    prompts_twice: int = 0
    prompts_unknown: int = 0  # the named window: killed or cut off between "on its way" and "told"
    prompts_let_go: int = 0  # never arrived, and the row says so: fate unknown or too late
    prompts_lost: int = 0  # never arrived, and no row says why
    checkins: int = 0
    checkins_again: int = 0
    presses: int = 0
    confirmed: int = 0
    answers_lost: int = 0
    updates: int = 0
    updates_lost: int = 0
    updates_undone: int = 0
    left_over: int = 0  # still owed at the end
    without_next: int = 0
    states: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)  # why what was not told was let go, by kind

    def __str__(self) -> str:
        plain = [f"  {name:15} {value}" for name, value in vars(self).items() if name != "reasons"]
        return "\n".join([*plain, *(f"  {count:6} {why}" for why, count in self.reasons.most_common())])


class Siege:
    """One run."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.plan = plan
        self.chance = random.Random(plan.seed)
        self.telegram = Sandbox()
        self.folder = folder
        self.counts = Counts()
        self.people: dict[int, Person] = {}  # by patient
        self.pressed: dict[tuple[int, date], int] = {}  # the score each person gave for a night
        self.planned: set[tuple[int, str]] = set()
        self.bot: BotProcess
        self._database: Database
        self._offset = _evening_before_clocks_go_back() - datetime.now(UTC)
        self._first_update = 0
        self._issued: set[int] = set()

    async def run(self) -> Counts:
        url = await self.telegram.start()
        self.bot = BotProcess(self.folder, url, SEND_RATE=str(self.plan.rate))
        self._first_update = self.telegram.world.updates.next_id
        self._database = Database(f"sqlite:///{self.bot.database}")
        try:
            await self._settle_in()
            for life in range(self.plan.kills):
                await self._life(life)
            await self._last_life()
        finally:
            await self.bot.kill()
            await self.telegram.stop()
        self._count()
        return self.counts

    # --- before ---

    async def _settle_in(self) -> None:
        await self._database.open()
        async with self._database.transaction() as store:
            for number in range(self.plan.people):
                person = self.telegram.person(f"P{number}")
                person.chat.started = True
                self.telegram.world.chats.keep(person.chat)
                self.people[await self._patient(store, person, number)] = person
        await self._database.close()
        self._trouble()

    def _trouble(self) -> None:
        for method in METHODS:
            for fault in (
                Fault("close"),
                Fault("close", after=True),
                Fault("status", status=500),
                Fault("status", status=502, after=True),
                Fault("garbage"),
                Fault("garbage", after=True),
                Fault("retry_after", seconds=1),
                Fault("delay", seconds=0.3),
            ):
                fault.method, fault.times, fault.chance = method, None, self.plan.chance_of_fault / 4
                self.telegram.faults.add(fault)
        self.telegram.faults.add(Fault("garbage", method="getUpdates", times=None, chance=0.02))
        self.telegram.faults.add(Fault("close", method="getUpdates", times=None, chance=0.02))
        self.telegram.faults.seed(self.plan.seed)

    async def _patient(self, store: Store, person: Person, number: int) -> int:
        # Prompts all through the evening; check-ins in the hour that comes twice, and later.
        evening = time(20 + number % 4, number * 7 % 60)
        morning = time(1, 30) if number % 3 == 0 else time(6 + number % 4, number * 11 % 60)
        times = Times(evening, morning, time(22), time(7))
        now = datetime.now(UTC) + self._offset
        patient = await store.add_patient(person.id, "en", times, now)
        await store.record_consent(patient.id, "test", now)
        await store.change_patient(
            patient.id, step="done", zone=ZONE.key, country="GB", prompt_at=evening, checkin_at=morning
        )
        return patient.id

    # --- one life after the other ---

    async def _life(self, life: int) -> None:
        await self._owe(life)
        loop = asyncio.get_running_loop()
        polls = self.telegram.served
        await self.bot.start()
        began = loop.time()
        # Some die on the way up; the others have begun to work.
        while self.chance.random() < 0.96 and self.telegram.served < polls + 3 and loop.time() < began + 20:
            await self.telegram.changed(self.telegram.world.changes.cursor, 0.2)
        ends = loop.time() + self.chance.uniform(0.0, self.plan.longest_life)
        while loop.time() < ends:
            await asyncio.sleep(0.1)
            await self._people_act()
        await self.bot.kill()
        self.counts.kills += 1

    async def _owe(self, life: int) -> None:
        """Plan this life's share, due within its seconds, while no bot runs; move the clock on."""
        self._offset += self.plan.step
        await self._database.open()
        async with self._database.transaction() as store:
            await store.set_meta("clock.offset", str(self._offset.total_seconds()))
            await self._owe_share(store, life)
        await self._database.close()

    async def _owe_share(self, store: Store, life: int) -> None:
        now = datetime.now(UTC) + self._offset
        for number in range(self.plan.sendings // self.plan.kills):
            # Who has an open red flag gets no prompts, so cards have people of their own.
            group = [each for each in self.people if (each % 4 == 0) is (number % 5 == 0)]
            patient_id = self.chance.choice(group)
            due = now + timedelta(seconds=self.chance.uniform(0, self.plan.longest_life))
            if number % 5 == 0:
                await self._owe_card(store, patient_id, f"siege:{life}:{number}", due)
            else:
                night = (LONG_AGO + timedelta(days=life)).isoformat()
                kind = Kind.CHECKIN if number % 5 == 1 else Kind.PROMPT
                await store.plan(patient_id, kind, night, 0, due, due + timedelta(hours=3))

    async def _owe_card(self, store: Store, patient_id: int, origin: str, due: datetime) -> None:
        rule = self.chance.choice(("E13", "U1", "U8"))
        red_flag = load("en").red_flags[rule]
        finding = Finding(rule, red_flag.level, red_flag.topic, None, ())
        row, _ = await store.raise_escalation(
            patient_id, finding, due.date(), False, origin, "", load("en").version, due
        )
        await store.plan(patient_id, Kind.CARD, f"escalation:{row.id}", 0, due)

    async def _people_act(self) -> None:
        """Some answer their check-in, some write."""
        for patient_id, person in self.people.items():
            for message in person.since():
                night, data = _score_asked(message)
                if night is None or (patient_id, night) in self.pressed:
                    continue
                score = self.chance.randrange(3, 7)
                button = next((each for each in data if each.endswith(f"p{score}")), None)
                if button is not None:
                    self.pressed[patient_id, night] = score
                    await person.press(message, button)
        if self.chance.random() < 0.3:
            await self.chance.choice([*self.people.values()]).send("/help")
        self._issued |= set(self.telegram.world.updates.pending)

    async def _last_life(self) -> None:
        """No more trouble: whatever is owed must come now."""
        self.telegram.faults.clear()
        await self.bot.start()
        loop = asyncio.get_running_loop()
        ends = loop.time() + CALM_SECONDS
        while loop.time() < ends:
            await asyncio.sleep(1.0)
            if not self.telegram.world.updates.pending and not self._owed():
                break
        await self.bot.terminate()

    def _owed(self) -> int:
        return self._one(
            "SELECT (SELECT count(*) FROM inbox WHERE done_at IS NULL) + (SELECT count(*) FROM sending WHERE"
            " state IN ('claimed', 'sending') OR (state = 'ready' AND (due_at <= ? OR attempts > 0)))",
            self._stored(datetime.now(UTC) + self._offset),
        )

    # --- after ---

    def _count(self) -> None:
        counts = self.counts
        counts.faults = len(self.telegram.faults.struck)
        counts.left_over = self._owed()
        counts.states.update(dict(self._rows("SELECT state, count(*) FROM sending GROUP BY state")))
        for kind, state, reason, count in self._rows(
            "SELECT kind, state, reason, count(*) FROM sending WHERE state IN ('unknown', 'dropped')"
            " GROUP BY kind, state, reason"
        ):
            counts.reasons[f"{kind} {state}: {reason}"] = count
        self._count_sendings()
        self._count_answers()
        issued = set(range(self._first_update, self.telegram.world.updates.next_id))
        kept = dict(self._rows("SELECT update_id, done_at FROM inbox"))
        counts.updates = len(issued)
        counts.updates_lost = len(issued - set(kept))
        counts.updates_undone = sum(done is None for done in kept.values())
        counts.without_next = self._one(
            "SELECT count(*) FROM patient p, (SELECT 'prompt' AS kind UNION SELECT 'checkin') k WHERE"
            " p.blocked_at IS NULL AND (p.paused_until IS NULL OR p.paused_until < '9000-01-01')"
            " AND NOT EXISTS (SELECT 1 FROM sending s WHERE s.patient_id = p.id"
            " AND s.kind = k.kind AND s.state = 'ready')"
        )

    def _count_sendings(self) -> None:
        counts = self.counts
        arrived: dict[int, Counter[str]] = {
            patient_id: Counter(
                mark for message in person.messages if message.from_bot for mark in _marks(message)
            )
            for patient_id, person in self.people.items()
        }
        rows = self._rows(
            "SELECT patient_id, kind, subject, count(*), count(*) FILTER (WHERE state = 'told'),"
            " count(*) FILTER (WHERE state IN ('unknown', 'dropped')),"
            " count(*) FILTER (WHERE state = 'ready'), count(*) FILTER (WHERE state = 'unknown')"
            " FROM sending WHERE kind IN ('card', 'prompt', 'checkin')"
            " GROUP BY patient_id, kind, subject"
        )
        for patient_id, kind, subject, _, told, let_go, ready, unknown in rows:
            times = arrived[patient_id][f"{kind}:{subject}"]
            if kind == "card":
                counts.cards += 1
                counts.cards_lost += times == 0
                counts.cards_again += max(0, times - max(1, told))
            elif kind == "checkin":
                counts.checkins += times > 0
                counts.checkins_again += max(0, times - 1)
            elif patient_id % 4 and (times or not ready):  # with an open red flag, the evening asks about it
                counts.prompts += times > 0
                counts.prompts_unknown += unknown
                counts.prompts_twice += times > 1
                counts.prompts_let_go += not times and bool(let_go)
                counts.prompts_lost += not times and not let_go

    def _count_answers(self) -> None:
        stored = {
            (patient_id, date.fromisoformat(str(night))): pain
            for patient_id, night, pain in self._rows("SELECT patient_id, night, pain FROM checkin")
        }
        edited = {
            (patient_id, night)
            for patient_id, person in self.people.items()
            for message in person.messages
            if message.edits
            for night in _nights(message)
        }
        self.counts.presses = len(self.pressed)
        self.counts.confirmed = len(edited & set(self.pressed))
        self.counts.answers_lost = sum(stored.get(key) != score for key, score in self.pressed.items())

    def _stored(self, moment: datetime) -> object:
        """Return a moment as SQLite holds it."""
        return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with sqlite3.connect(self.bot.database) as connection:
            return connection.execute(query, values).fetchall()

    def _one(self, query: str, *values: object) -> int:
        return int(self._rows(query, *values)[0][0])


def _evening_before_clocks_go_back() -> datetime:
    """Return the coming one (UTC), for the bot's clock moves forward only: half past one will come twice."""
    day = datetime.now(ZONE).replace(hour=20, minute=20) + timedelta(days=1)
    while day.utcoffset() == (day + timedelta(days=1)).utcoffset() or not day.dst():
        day += timedelta(days=1)
    return day.astimezone(UTC)


def _data(message: Message) -> list[str]:
    return [str(button.get("callback_data", "")) for row in message.keyboard for button in row]


def _night(digits: str) -> date:
    return datetime.strptime(digits, "%y%m%d").date()  # noqa: DTZ007  # a night has no zone


def _nights(message: Message) -> set[date]:
    return {_night(data.split(":")[1]) for data in _data(message) if data.startswith("ci:")}


def _score_asked(message: Message) -> tuple[date | None, list[str]]:
    data = [each for each in _data(message) if each.startswith("ci:") and ":pain:+" in each]
    return (_night(data[0].split(":")[1]), data) if data else (None, [])


def _marks(message: Message) -> set[str]:
    """Say which sendings a message is: by what its buttons carry."""
    found = set()
    for data in _data(message):
        area, _, rest = data.partition(":")
        if area == "ev":
            found.add(f"prompt:{_night(rest.split(':')[0]).isoformat()}")
        elif area == "ci":
            found.add(f"checkin:{_night(rest.split(':')[0]).isoformat()}")
        elif area == "es" and rest.split(":")[1] in ("read", "ask"):  # its own, or named in another's
            found.add(f"card:escalation:{rest.split(':')[0]}")
    return found
