"""Through the nights when clocks change: one prompt and one check-in a local date, at the right time."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.flows.schedule import plan_all
from bot.model import Kind, Sending, State
from bot.rules.timing import local_moment
from tests.conversation import Conversation, Person
from tests.known import patient_of

USUAL = (time(20, 30), time(8, 30))
NIGHT_OWL = (time(0, 30), time(9, 0))
IN_THE_CHANGE = (time(1, 30), time(10, 0))

CHANGES = [
    ("Europe/London", date(2026, 3, 29), USUAL),
    ("Europe/London", date(2026, 10, 25), USUAL),
    ("Europe/London", date(2026, 3, 29), IN_THE_CHANGE),
    ("Europe/London", date(2026, 10, 25), IN_THE_CHANGE),
    ("America/New_York", date(2027, 3, 14), USUAL),
    ("America/New_York", date(2026, 11, 1), IN_THE_CHANGE),
    ("Australia/Lord_Howe", date(2026, 10, 4), USUAL),
    ("Australia/Lord_Howe", date(2027, 4, 4), IN_THE_CHANGE),
    ("Africa/Cairo", date(2026, 4, 24), NIGHT_OWL),
    ("Africa/Cairo", date(2026, 10, 30), NIGHT_OWL),
    ("America/Santiago", date(2026, 9, 6), NIGHT_OWL),
    ("America/Santiago", date(2027, 4, 4), NIGHT_OWL),
    ("Atlantic/Azores", date(2026, 3, 29), NIGHT_OWL),
    ("Atlantic/Azores", date(2026, 10, 25), NIGHT_OWL),
    ("Africa/Casablanca", date(2027, 2, 7), USUAL),
    ("Africa/Casablanca", date(2027, 3, 14), IN_THE_CHANGE),
]


async def moved(talk: Conversation, person: Person, zone: str, times: tuple[time, time]) -> None:
    """Move somebody to another zone and other times, as settings would."""
    patient = await patient_of(talk, person)
    async with talk.app.database.transaction() as store:
        changed = await store.change_patient(patient.id, zone=zone, prompt_at=times[0], checkin_at=times[1])
        fresh = await store.patient(patient.id)
        assert fresh is not None, changed
        await plan_all(store, fresh, talk.app.services.content("en").timing, talk.now)


async def told(talk: Conversation, person: Person, kind: Kind) -> list[Sending]:
    """Return what was told of one kind, in order."""
    patient = await patient_of(talk, person)
    found: list[Sending] = []
    async with talk.store() as store:
        for back in range(-7, 3):
            night = (talk.now.date() + timedelta(days=back)).isoformat()
            found += await store.sending_for(patient.id, kind, night)
    return sorted((one for one in found if one.state == State.TOLD), key=lambda one: one.due_at)


async def live_until(talk: Conversation, person: Person, end: datetime) -> None:
    """Move the clock from one due message to the next; somebody who answers is asked every day."""
    while True:
        async with talk.store() as store:
            due = await store.next_due_at()
        if due is None or due >= end:
            await talk.go_to(end)
            return
        await talk.go_to(max(due, talk.now) + timedelta(seconds=1))
        undone = [label for label in person.last.buttons if label.startswith("☐")]
        if undone:
            await talk.press(person, undone[0], None)


@pytest.mark.parametrize(("zone", "change", "times"), CHANGES, ids=str)
async def test_one_prompt_and_one_check_in_each_date(
    tmp_path: Path, zone: str, change: date, times: tuple[time, time]
) -> None:
    place = ZoneInfo(zone)
    start = local_moment(change - timedelta(days=2), time(12), place)
    async with Conversation(tmp_path, start=start) as talk:
        ada = await talk.patient()
        await moved(talk, ada, zone, times)
        await live_until(talk, ada, local_moment(change + timedelta(days=2), time(12), place))
        for kind, at in ((Kind.PROMPT, times[0]), (Kind.CHECKIN, times[1])):
            rows = await told(talk, ada, kind)
            dates = Counter(row.due_at.astimezone(place).date() for row in rows)
            assert set(dates.values()) == {1}, dates
            expected = {change + timedelta(days=days) for days in (-1, 0, 1)}
            assert expected <= dates.keys()
            for row in rows:
                day = row.due_at.astimezone(place).date()
                assert row.due_at == local_moment(day, at, place)
                assert row.due_at.astimezone(place).time() == at or (
                    day == change and not exists(day, at, place)
                )
            assert len({row.subject for row in rows}) == len(rows)
        sent = [one for one in ada.messages if one.from_bot and "for your legs tonight" in one.text]
        assert len(sent) == len(await told(talk, ada, Kind.PROMPT))


def exists(day: date, at: time, place: ZoneInfo) -> bool:
    """Return whether clocks show this time on this day."""
    wall = datetime.combine(day, at)
    there = wall.replace(tzinfo=place).astimezone(UTC).astimezone(place)
    return there.replace(tzinfo=None) == wall
