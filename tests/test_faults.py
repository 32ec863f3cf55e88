"""What goes wrong and what must hold all the same; a short siege (tests/fault has the whole one)."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.app import IDLE_PARTS, Rhythm
from bot.delivery import delivery
from bot.delivery.kinds import KINDS, Going, KindOf
from bot.delivery.upkeep import Upkeep
from bot.flows.escalation import Spoken
from bot.flows.schedule import plan_all
from bot.flows.services import Services
from bot.messages import Message
from bot.model import Finding, Kind, Patient, Sending, State
from bot.operations.probe import ask_health
from bot.rules.timing import next_local
from bot.sandbox import Fault
from bot.storage.errors import StorageError
from bot.storage.store import Store
from content.schema import Level
from handlers.updates import TokenRefused
from tests.conversation import LONDON, Conversation, Person
from tests.fault.siege import Plan, Siege
from tests.fault.test_siege import holds
from tests.known import patient_of, prompts_of


@pytest.mark.fault
async def test_every_promise_holds_through_a_few_kills(tmp_path: Path) -> None:
    plan = Plan(seed=7, kills=5, people=24, sendings=200, longest_life=4.0)
    counts = await Siege(tmp_path, plan).run()
    print(f"\nA short siege:\n{counts}")
    holds(counts)
    assert counts.kills == 5
    assert counts.cards >= 20
    assert counts.prompts >= 40


async def test_one_that_cannot_be_rendered_holds_up_nobody_and_comes_later(
    talk: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, ben = await talk.patient("Ada"), await talk.patient("Ben")
    good = KINDS[Kind.PROMPT]

    async def poisoned(
        services: Services, store: Store, patient: Patient, sending: Sending, now: datetime
    ) -> Spoken:
        if patient.chat_id == ada.id:
            raise ZeroDivisionError
        return await good.render(services, store, patient, sending, now)

    monkeypatch.setitem(KINDS, Kind.PROMPT, KindOf(poisoned, good.told))
    await talk.until(time(20, 30))
    assert (prompts(ada), prompts(ben)) == (0, 1)
    monkeypatch.undo()
    await talk.later(minutes=1)
    assert (prompts(ada), prompts(ben)) == (1, 1)


async def test_pruning_goes_past_what_has_to_stay_and_ends_where_all_is_young(talk: Conversation) -> None:
    looked_at: list[int] = []
    old = {IDLE_PARTS - 1, IDLE_PARTS}

    async def prune(_: Store, after: int) -> tuple[int, int | None]:
        looked_at.append(after)
        return int(after in old), after + 1

    await talk.app._prune_parts(prune)
    assert looked_at == [*range(2 * IDLE_PARTS + 1)]

    async def prune_few(_: Store, after: int) -> tuple[int, int | None]:
        looked_at.append(after)
        return 0, after + 1 if after < 2 else None

    looked_at.clear()
    await talk.app._prune_parts(prune_few)
    assert looked_at == [0, 1, 2]


async def test_whoever_has_nothing_ahead_gets_it_planned(talk: Conversation) -> None:
    await talk.patient("Ada")
    await talk.patient("Ben")
    assert await talk.app._upkeep.walk() == 0
    async with talk.app.database.transaction() as store:
        ada = await store.latest_patient()
        assert ada is not None
        assert await store.drop_ready(ada.id, None, "lost") == 2
    assert await talk.app._upkeep.walk() == 2
    async with talk.store() as store:
        assert len(await store.waiting(ada.id)) == 2


async def test_one_who_cannot_be_planned_for_holds_up_no_other(talk: Conversation) -> None:
    await talk.patient("Ada")
    await talk.patient("Ben")
    async with talk.app.database.transaction() as store:
        ben = await store.latest_patient()
        assert ben is not None
        for number in (ben.id - 1, ben.id):
            await store.drop_ready(number, None, "lost")
        await store.change_patient(ben.id - 1, zone="Atlantis/Sunken")  # zone rules that know it no more
    assert await talk.app._upkeep.walk() == 2
    async with talk.store() as store:
        assert len(await store.waiting(ben.id)) == 2


async def test_what_was_planned_on_a_clock_years_ahead_is_planned_anew(talk: Conversation) -> None:
    ada = await patient_of(talk, await talk.patient("Ada"))
    timing = talk.app.services.content("en").timing
    async with talk.app.database.transaction() as store:
        await plan_all(store, ada, timing, talk.now + timedelta(days=1000))
    assert await talk.app._upkeep.walk() == 2
    async with talk.store() as store:
        first = (await store.waiting(ada.id))[0]
    assert first.due_at < talk.now + timedelta(days=1)
    assert await talk.app._upkeep.walk() == 0


async def test_a_machine_that_slept_before_the_call_sends_nothing_late(
    talk: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await talk.patient("Ada")
    begin = talk.app._ledger.begin
    slept = timedelta(0)
    for whose, name in ((talk.clock, "real"), (talk.app._ledger, "real_clock")):
        monkeypatch.setattr(whose, name, lambda: datetime.now(UTC) + slept)

    async def sleeps(going: list[Going]) -> list[Message | None]:
        nonlocal slept
        begun = await begin(going)
        slept = timedelta(hours=10)
        return begun

    for together in talk.app._delivery._begun.values():
        monkeypatch.setattr(together, "_work", sleeps)
    await talk.until(time(20, 30))
    await talk.later(minutes=1)
    assert prompts(ada) == 0
    (sent,) = await prompts_of(talk, ada, date(2026, 11, 20))
    assert (sent.state, sent.reason) == (State.DROPPED, "too late")


async def test_a_long_tick_takes_over_what_a_crash_left(
    talk: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "RECOVER", 0.1)
    ada, ben = await talk.patient("Ada"), await talk.patient("Ben")
    hangs = talk.telegram.faults.add(Fault("delay", method="sendMessage", chat_id=ada.id, seconds=9))
    talk.clock.offset += next_local(talk.now, time(20, 30), LONDON) - talk.now + timedelta(seconds=1)
    talk.app.wake()
    await ben.wait(lambda who: prompts(who) == 1)
    assert hangs not in talk.telegram.faults.waiting
    real = talk.clock.real()
    async with talk.app.database.transaction() as store:
        patient = await store.patient_of_chat(ben.id)
        assert patient is not None
        finding = Finding("U1", Level.URGENT, "clot", None, ())
        row, _ = await store.raise_escalation(
            patient.id, finding, talk.now.date(), False, "test", "", "", talk.now
        )
        await store.plan(patient.id, Kind.CARD, f"escalation:{row.id}", 0, talk.now)
        assert await store.claim_due(talk.now, "dead", real, 1, safety_only=True)
    await ben.wait(lambda who: f"es:{row.id}:" in str(who.last.keyboard))
    assert prompts(ada) == 0


async def test_a_stop_gives_back_at_once_what_waits(talk: Conversation) -> None:
    ada = await talk.patient("Ada")
    async with talk.app._order.alone(ada.id):
        talk.clock.offset += next_local(talk.now, time(20, 30), LONDON) - talk.now + timedelta(seconds=1)
        talk.app.wake()
        await is_claimed(talk, ada)
        talk.app._delivery.stop()
        await asyncio.wait_for(talk.app._idle.wait(), 10)
    assert (await prompts_of(talk, ada))[0].state == State.READY


async def is_claimed(talk: Conversation, person: Person) -> None:
    for _ in range(1000):
        if (await prompts_of(talk, person))[0].state == State.CLAIMED:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the prompt was not claimed")


async def test_new_zone_rules_plan_everybody_anew(talk: Conversation) -> None:
    await talk.patient("Ada")
    await talk.app._upkeep.walk()
    assert await Upkeep(talk.app.services, "another").walk() == 2
    assert await Upkeep(talk.app.services, "another").walk() == 0


async def test_a_token_refused_while_sending_stops_the_bot_and_loses_no_prompt(talk: Conversation) -> None:
    ada = await talk.patient("Ada")
    talk.telegram._api._tokens = frozenset()
    talk.clock.offset += next_local(talk.now, time(20, 30), LONDON) - talk.now + timedelta(seconds=1)
    talk.app.wake()
    with pytest.raises(TokenRefused):
        await asyncio.wait_for(talk.app.run(), 10)
    talk.telegram._api._tokens = None
    await talk.restart()
    await talk.later(minutes=1)
    assert prompts(ada) == 1


async def test_health_goes_red_when_the_tick_hangs(
    talk: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    hangs = asyncio.Event()

    async def hang() -> None:
        hangs.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(talk.app._ledger, "recover", hang)
    talk.app.wake()
    await asyncio.wait_for(hangs.wait(), 20)
    talk.app.wake()
    listen = f"127.0.0.1:{talk.app.health_port}"
    assert await asyncio.to_thread(ask_health, listen) == 0
    began = talk.app.vital._clock
    monkeypatch.setattr(talk.app.vital, "_clock", lambda: began() + 61)
    assert await asyncio.to_thread(ask_health, listen) == 1


async def test_health_goes_red_when_nothing_can_be_written(
    talk: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    await talk.patient("Ada")
    async with talk.app.database.transaction() as store:
        await store._run(
            text("CREATE TRIGGER full BEFORE UPDATE ON sending BEGIN SELECT RAISE(ABORT, 'no space'); END")
        )
    began, minute = talk.app.vital._clock, 61.0
    monkeypatch.setattr(talk.app.vital, "_clock", lambda: began() + minute)
    with pytest.raises(StorageError):
        await talk.until(time(20, 30))
    talk.app.wake()
    await asyncio.sleep(0.5)
    assert not talk.app.vital.is_alive
    async with talk.app.database.transaction() as store:
        await store._run(text("DROP TRIGGER full"))
    await talk.later(seconds=1)
    assert talk.app.vital.is_alive


def prompts(person: Person) -> int:
    return sum("ev:" in str(message.keyboard) for message in person.messages)


async def test_a_clock_that_is_put_back_does_not_stop_the_tick(
    tmp_path: Path, learned: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Conversation(tmp_path, rhythm=Rhythm(tick=0.2)) as talk:
        beats: asyncio.Queue[None] = asyncio.Queue()
        recover = talk.app._ledger.recover

        async def noted() -> None:
            beats.put_nowait(None)
            await recover()

        monkeypatch.setattr(talk.app._ledger, "recover", noted)
        async with asyncio.timeout(30):
            await beats.get()
            put_back(monkeypatch, talk, timedelta(hours=1))
            for _ in range(5):
                await beats.get()


def put_back(monkeypatch: pytest.MonkeyPatch, talk: Conversation, span: timedelta) -> None:
    """Put the machine's clock back, for the bot and for its scheduler alike."""

    class Behind(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) - span

    monkeypatch.setattr("apscheduler.schedulers.base.datetime", Behind)
    monkeypatch.setattr(talk.clock, "real", lambda: datetime.now(UTC) - span)
