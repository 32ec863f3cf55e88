"""What is known of a patient in a test: a profile filled in at once, the rows behind a conversation."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from bot.model import Evening, Kind, Patient, ProfileAnswer, Sending
from bot.rules.timing import night_at
from bot.sandbox.messages import Message
from tests.conversation import Conversation, Person

CLOT = "My left calf is swollen, hot and red since this morning"


async def patient_of(talk: Conversation, person: Person) -> Patient:
    """Return the patient behind a chat."""
    async with talk.store() as store:
        found = await store.patient_of_chat(person.id)
    assert found is not None
    return found


async def open_rules(talk: Conversation, person: Person) -> set[str]:
    """Return the rules of the matters that are open."""
    patient = await patient_of(talk, person)
    async with talk.store() as store:
        return {row.rule for row in await store.open_escalations(patient.id)}


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
