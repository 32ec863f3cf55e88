"""/next shows the coming fortnight on the patient's own clock; /why what was sent, and what not and why."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from pathlib import Path

from bot.model import Kind
from bot.sandbox import Fault
from tests.conversation import LONDON, Conversation, buttons


async def test_a_fortnight_is_shown_on_the_patients_clock(talk: Conversation) -> None:
    ada = await talk.patient("Ada")
    (shown,) = await talk.say(ada, "/next")
    lines = shown.text.splitlines()
    assert lines[1] == "Friday 20 Nov: 20:30 evening message"
    assert lines[2] == "Saturday 21 Nov: 08:30 morning question, 20:30 evening message"
    assert len(lines) == 1 + 14
    assert "clocks" not in shown.text


async def test_a_clock_change_keeps_the_times_and_is_named(tmp_path: Path) -> None:
    start = datetime(2027, 3, 20, 18, 0, tzinfo=LONDON)
    async with Conversation(tmp_path, start=start) as talk:
        ada = await talk.patient("Ada", prompt="2030", checkin="0830")
        shown = (await talk.say(ada, "/next"))[0].text
        assert "Sunday 28 Mar: 08:30 morning question, 20:30 evening message" in shown
        assert "The clocks go forward: Sunday 28 Mar." in shown


async def test_a_time_that_a_clock_change_leaves_out_moves_that_day_alone(tmp_path: Path) -> None:
    start = datetime(2027, 3, 20, 18, 0, tzinfo=LONDON)
    async with Conversation(tmp_path, start=start) as talk:
        ada = await talk.patient("Ada", prompt="2030", checkin="0830")
        async with talk.app.database.transaction() as store:
            patient = await store.latest_patient()
            assert patient is not None
            await store.change_patient(patient.id, checkin_at=time(1, 30))
        shown = (await talk.say(ada, "/next"))[0].text
        assert "Saturday 27 Mar: 01:30 morning question" in shown
        assert "Sunday 28 Mar: 02:00 morning question" in shown
        assert "Monday 29 Mar: 01:30 morning question" in shown


async def test_what_is_shown_is_what_comes(tmp_path: Path) -> None:
    start = datetime(2026, 10, 23, 18, 0, tzinfo=LONDON)
    async with Conversation(tmp_path, start=start) as talk:
        ada = await talk.patient("Ada")
        shown = (await talk.say(ada, "/next"))[0].text
        assert "The clocks go back: Sunday 25 Oct." in shown
        for _ in range(6):
            await talk.later(hours=12)
        async with talk.store() as store:
            patient = await store.latest_patient()
            assert patient is not None
            rows = await store.sendings_of(patient.id, 20)
        for row in rows:
            due = row.due_at.astimezone(LONDON)
            what = {Kind.PROMPT: "evening message", Kind.CHECKIN: "morning question"}[row.kind]
            day = next(line for line in shown.splitlines() if f" {due.day} Oct:" in line)
            assert f"{due:%H:%M} {what}" in day
        assert len(rows) >= 5


async def test_after_a_pause_it_begins_after_it_and_after_stop_there_is_nothing(talk: Conversation) -> None:
    ada = await talk.patient("Ada")
    async with talk.app.database.transaction() as store:
        patient = await store.latest_patient()
        assert patient is not None
        await store.change_patient(patient.id, paused_until=(talk.now + timedelta(days=5)).date())
    shown = (await talk.say(ada, "/next"))[0].text
    assert "You have paused" in shown
    assert "Wednesday 25 Nov: 20:30 evening message\nThursday 26 Nov: 08:30" in shown
    assert "24 Nov" not in shown
    await talk.say(ada, "/stop")
    assert "nothing comes" in (await talk.say(ada, "/next"))[0].text


async def test_a_stranger_is_told_how_to_begin(talk: Conversation) -> None:
    eve = await talk.newcomer("Eve")
    assert len(await talk.say(eve, "/next")) == 1


async def test_why_shows_what_was_sent_and_what_not_and_why(talk: Conversation) -> None:
    ada = await talk.patient("Ada")
    await talk.until(time(20, 30))
    talk.clock.offset += timedelta(days=1, hours=5)  # the bot was away: tomorrow's evening is over
    await talk.app.tick()
    said = "\n".join(message.text for message in await talk.say(ada, "/why"))
    assert "Friday 20 Nov, 20:30: evening message: sent" in said
    assert "Saturday 21 Nov, 20:30: evening message: not sent: it had become too late for it" in said
    assert "replanned" not in said


async def test_why_says_so_of_one_that_perhaps_did_not_arrive(talk: Conversation) -> None:
    ada = await talk.patient("Ada")
    talk.telegram.faults.add(Fault("close", method="sendMessage", after=True, times=1))
    await talk.until(time(20, 30))
    said = "\n".join(message.text for message in await talk.say(ada, "/why"))
    assert "evening message: perhaps not arrived" in said


async def test_an_evening_that_was_served_is_not_promised_again(talk: Conversation) -> None:
    ada = await talk.patient("Ada", prompt="2030")
    await talk.until(time(20, 30))
    await talk.press(ada, "⏰ Later", None)
    await talk.press(ada, next(data for data in buttons(ada) if "snooze:60" in data), None)
    await talk.say(ada, "/settings")
    await talk.press(ada, "se:page:prompt", None)
    await talk.press(ada, "se:prompt:2200", None)
    lines = (await talk.say(ada, "/next"))[0].text.splitlines()
    assert lines[1].startswith("Friday 20 Nov: 21:30 evening message")  # put off, and no other
    assert "22:00" not in lines[1]
    assert lines[2] == "Saturday 21 Nov: 08:30 morning question, 22:00 evening message"


async def test_the_end_of_a_pause_is_among_what_comes(talk: Conversation) -> None:
    ada = await talk.patient("Ada")
    await talk.say(ada, "/settings")
    await talk.press(ada, "se:page:pause", None)
    await talk.press(ada, "se:pause:2026-11-23", None)
    shown = (await talk.say(ada, "/next"))[0].text
    assert "Monday 23 Nov: 08:30 end of your pause, 20:30 evening message" in shown
