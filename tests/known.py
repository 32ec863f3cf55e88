"""What tests look up behind a conversation: a patient's rows, what is owed, what the database holds."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from datetime import date, datetime

from bot.model import Escalation, Evening, Kind, Patient, ProfileAnswer, Sending
from bot.rules.timing import night_at
from bot.sandbox.messages import Message
from content.loader import load
from tests.conversation import LONDON, Conversation, Person

CONTENT = load()
# Tables that may have rows though nobody is a patient.
NOTHING = {"inbox", "meta", "lease", "budget", "alembic_version", "receipt"}
CLOT = "My left calf is swollen, hot and red since this morning"


async def patient_of(talk: Conversation, person: Person) -> Patient:
    """Return the patient behind a chat."""
    found = await patient_or_none(talk, person)
    assert found is not None
    return found


async def patient_or_none(talk: Conversation, person: Person) -> Patient | None:
    """Return the patient behind a chat, if anything is kept of them."""
    async with talk.store() as store:
        return await store.patient_of_chat(person.id)


def kept(talk: Conversation) -> dict[str, list[dict[str, object]]]:
    """Return every row of every table, past the storage's own reading."""
    path = talk.settings["DATABASE_URL"].removeprefix("sqlite:///")
    with sqlite3.connect(path) as connection:
        connection.row_factory = sqlite3.Row
        names = [
            row["name"] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type='table'")
        ]
        found = {
            name: [dict(row) for row in connection.execute(f'SELECT * FROM "{name}"')]
            for name in names
            if not name.startswith("sqlite_")
        }
    connection.close()
    return {name: rows for name, rows in found.items() if rows}


def assert_only_update_ids(talk: Conversation) -> None:
    """Assert that nothing is kept of anybody but the ids of updates."""
    found = kept(talk)
    assert set(found) <= NOTHING, set(found)
    for row in found.get("inbox", []):
        assert (row["chat_id"], row["payload"]) == (None, ""), row


async def planned(talk: Conversation, person: Person) -> dict[Kind, datetime]:
    """Return when the next sending of each kind is due, on London's clock."""
    patient = await patient_of(talk, person)
    async with talk.store() as store:
        return {one.kind: one.due_at.astimezone(LONDON) for one in await store.waiting(patient.id)}


def action(rule: str) -> str:
    """Return what the card of a row says to do first."""
    return CONTENT.red_flag_words[rule].action


def cards(person: Person, rule: str) -> int:
    """Count the cards of a row, not the questions of what came of it."""
    told = [one.text for one in person.messages if one.from_bot and action(rule) in one.text]
    return len([text for text in told if "What came of it" not in text and "told you about this" not in text])


def follow_ups(person: Person) -> int:
    """Count how often it was asked what came of a matter."""
    return sum("What came of it?" in text or "How are you now?" in text for text in person.heard)


async def matters(talk: Conversation, person: Person) -> list[Escalation]:
    """Return the matters that are open."""
    patient = await patient_of(talk, person)
    async with talk.store() as store:
        return await store.open_escalations(patient.id)


async def open_rules(talk: Conversation, person: Person) -> set[str]:
    """Return the rules of the matters that are open."""
    return {row.rule for row in await matters(talk, person)}


async def answer_profile(talk: Conversation, person: Person, yes: Collection[str] = ()) -> None:
    """Answer every profile question: no, but for the flags named."""
    patient = await patient_of(talk, person)
    async with talk.app.database.transaction() as store:
        for flag in talk.app.services.content("en").profile:
            await store.set_profile(patient.id, ProfileAnswer(flag, flag in yes), talk.now)


async def tonight(talk: Conversation, person: Person) -> date:
    """Return the night that something now would belong to."""
    patient = await patient_of(talk, person)
    return night_at(talk.now, patient.times.prompt_at, patient.times.checkin_at, patient.tz)


async def evening_of(talk: Conversation, person: Person, night: date | None = None) -> Evening:
    """Return what is recorded for an evening, tonight's if none is named."""
    patient = await patient_of(talk, person)
    async with talk.store() as store:
        found = await store.evening(patient.id, night or await tonight(talk, person))
    assert found is not None
    return found


async def prompts_of(talk: Conversation, person: Person, night: date | None = None) -> list[Sending]:
    """Return the prompts owed for one night, in order of their steps."""
    patient = await patient_of(talk, person)
    night = night or await tonight(talk, person)
    async with talk.store() as store:
        found = await store.sending_for(patient.id, Kind.PROMPT, night.isoformat())
    return sorted(found, key=lambda sending: sending.step)


def reads(person: Person, message: Message) -> Message:
    """Return a message as it reads now."""
    return person.chat.messages[message.id]


def pardon_captions(talk: Conversation) -> None:
    """Words under a picture are changed by trying them as a text first: Telegram's no is expected."""
    expected = ("there is no text in the message", "message is not modified")
    assert all(any(words in one for words in expected) for one in talk.telegram.complaints)
    talk.telegram.complaints.clear()
