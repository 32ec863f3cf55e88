"""The day of an appointment: kept, reminded of the evening before, and asked about the day after."""

from __future__ import annotations

from datetime import date, time, timedelta

import pytest

from bot.model import CheckIn, Escalation, Kind, Origin
from content.loader import load
from tests.conversation import Conversation, Person, heard
from tests.known import patient_of

CONTENT = load()
LAST = date(2026, 11, 20)
TODAY = date(2026, 11, 21)
REMINDED = "Take along"
ASKED = "Your appointment was on"


async def matter(talk: Conversation, person: Person) -> Escalation:
    patient = await patient_of(talk, person)
    async with talk.store() as store:
        return (await store.escalations(patient.id))[-1]


async def warned(talk: Conversation) -> Person:
    """Return somebody who was told on the Saturday that seven in three nights should be seen to."""
    ada = await talk.patient()
    patient = await patient_of(talk, ada)
    async with talk.app.database.transaction() as store:
        for back in range(1, 4):
            night = LAST - timedelta(days=back)
            fresh = await store.open_checkin(patient.id, night, Origin.PROMPTED, "", talk.now)
            bad = CheckIn(night, pain=7, feeling=("ache",), side="both", completed_at=talk.now)
            await store.save_checkin(patient.id, fresh, bad, talk.now, Origin.PROMPTED)
    await talk.until(time(8, 30))
    await talk.app.tick()
    assert (await matter(talk, ada)).rule == "P7"
    return ada


async def booked(talk: Conversation, day: date = TODAY + timedelta(days=3)) -> Person:
    ada = await warned(talk)
    await talk.press(ada, "I have booked an appointment", "When is your appointment?")
    row = await matter(talk, ada)
    assert (row.is_open, row.outcome) == (False, "booked")
    await talk.press(ada, f"ap:{row.id}:on:{day.isoformat()}", "I remind you the evening before")
    return ada


async def test_the_evening_before_says_what_to_ask_and_the_day_after_asks_what_was_said(
    talk: Conversation,
) -> None:
    ada = await booked(talk)
    await talk.until(time(20, 30))
    await talk.until(time(20, 0))
    assert REMINDED not in heard(ada)
    await talk.until(time(20, 30))
    await talk.until(time(20, 30))
    assert heard(ada).count(REMINDED) == 1
    assert ASKED not in heard(ada)
    await talk.until(time(8, 29))
    assert ASKED not in heard(ada)
    await talk.until(time(8, 30))
    await talk.until(time(8, 30))
    assert heard(ada).count(ASKED) == 1
    await talk.press(ada, "I have been seen by someone", "What was said?")
    await talk.press(ada, "More tests to come", "Thank you, noted")
    row = await matter(talk, ada)
    assert (row.is_open, row.outcome) == (False, "seen")
    async with talk.store() as store:
        events = {(event.what, event.detail) for event in await store.events(row.id)}
    assert {("appointment", "2026-11-24"), ("said", "tests")} <= events
    await talk.later(days=4)
    assert heard(ada).count(REMINDED) == 1
    assert ASKED not in heard(ada), "it reads what became of it"


@pytest.mark.parametrize(
    ("typed", "day"),
    [("next tuesday", "November 24"), ("2 december", "December 2"), ("tomorrow", "November 22")],
)
async def test_a_day_can_be_typed(talk: Conversation, typed: str, day: str) -> None:
    ada = await warned(talk)
    await talk.press(ada, "I have booked an appointment", None)
    await talk.press(ada, "Another day", "Type the day")
    said = await talk.say(ada, typed)
    month, number = day.split()
    assert month in said[-1].text
    assert number in said[-1].text
    assert (await patient_of(talk, ada)).expecting == ""


async def test_what_is_no_day_is_taken_for_what_it_is(talk: Conversation) -> None:
    ada = await warned(talk)
    await talk.press(ada, "I have booked an appointment", None)
    said = await talk.say(ada, "one leg is swollen and hot")
    assert said[0].text.startswith(CONTENT.red_flag_words["U1"].action), "warning signs go first"
    for typed in ("1 january 2020", "31/02", "31 february"):
        said = await talk.say(ada, typed)
        assert "as a day ahead" in said[-1].text


async def test_an_appointment_tomorrow_is_prepared_at_once(talk: Conversation) -> None:
    ada = await warned(talk)
    await talk.until(time(21, 0))
    await talk.press(ada, "I have booked an appointment", None)
    row = await matter(talk, ada)
    await talk.press(ada, f"ap:{row.id}:on:{(TODAY + timedelta(days=1)).isoformat()}", REMINDED)
    reminder = heard(ada).split(REMINDED)[-1]
    assert CONTENT.rule_words["P7"].action not in reminder, "it is booked"
    await talk.later(hours=10)
    assert heard(ada).count(REMINDED) == 1


async def test_a_moved_appointment_moves_its_messages(talk: Conversation) -> None:
    ada = await booked(talk)
    said = await talk.say(ada, "/appointment")
    assert "Tue" in "".join(said[0].buttons)
    row = await matter(talk, ada)
    await talk.press(ada, f"ap:{row.id}:ask", "When is your appointment?")
    await talk.press(ada, f"ap:{row.id}:on:{(TODAY + timedelta(days=6)).isoformat()}", "Noted")
    for _ in range(5):
        await talk.until(time(20, 30))
    assert REMINDED not in heard(ada)
    await talk.until(time(20, 30))
    assert heard(ada).count(REMINDED) == 1


async def test_one_that_was_missed_opens_the_matter_again(talk: Conversation) -> None:
    ada = await booked(talk)
    await talk.later(days=4, hours=1)
    await talk.press(ada, "I did not go", "please book again")
    row = await matter(talk, ada)
    assert row.is_open
    async with talk.store() as store:
        waiting = await store.waiting((await patient_of(talk, ada)).id)
    assert any(one.kind is Kind.FOLLOW_UP for one in waiting), "it is asked about again"


async def test_nothing_to_book_says_so_and_others_days_are_nobodys(talk: Conversation) -> None:
    ada = await booked(talk)
    row = await matter(talk, ada)
    bob = await talk.patient("Bob")
    said = await talk.say(bob, "/appointment")
    assert "nothing that needs an appointment" in said[0].text
    await bob.press(bob.last, f"ap:{row.id}:seen", stale=True)
    await talk.settled()
    assert (await matter(talk, ada)).outcome == "booked"


async def test_what_comes_next_names_the_appointment(talk: Conversation) -> None:
    ada = await booked(talk)
    said = await talk.say(ada, "/next")
    assert said[0].text.count("about your appointment") == 2, "the evening before and the day after"


async def test_an_emergency_is_not_for_an_appointment(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.say(ada, "can't breathe")
    said = await talk.say(ada, "/appointment")
    assert CONTENT.red_flag_words["E1"].action in said[0].text
    assert not any(
        data.startswith("ap:") for one in said for row in one.keyboard for data in [row[0]["callback_data"]]
    )


async def test_seen_under_the_card_ends_the_reminders(talk: Conversation) -> None:
    ada = await warned(talk)
    row = await matter(talk, ada)
    await talk.say(ada, "/appointment")
    await talk.press(ada, f"ap:{row.id}:ask", None)
    await talk.press(ada, f"ap:{row.id}:on:{(TODAY + timedelta(days=3)).isoformat()}", "Noted")
    assert (await matter(talk, ada)).is_open, "a day alone settles nothing"
    await talk.press(ada, f"es:{row.id}:seen", None)
    await talk.later(days=5)
    assert REMINDED not in heard(ada)
