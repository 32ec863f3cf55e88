"""Stopping, erasing and what is kept: at once, for real, with a receipt."""

from __future__ import annotations

import secrets

from bot.flows.refusals import nobody
from bot.flows.schedule import ROUTINE_KINDS
from bot.flows.services import Services
from bot.messages import Button, Message, Reply, Style
from bot.model import Kind

RECEIPT_BYTES = 5


async def notice(services: Services, chat_id: int, language: str | None) -> Reply:
    """Answer /privacy: what is kept, where, who can read it, how it ends."""
    async with services.database.reading() as store:
        patient = await store.patient_of_chat(chat_id)
    words = services.content_of(patient, language).words
    return Reply(messages=(Message(words.say("privacy")),))


async def stop(services: Services, chat_id: int, language: str | None) -> Reply:
    """Answer /stop: nothing routine is sent from now on; nothing is deleted."""
    async with services.database.transaction() as store:
        patient = await store.patient_of_chat(chat_id)
        if patient is None:
            return Reply(messages=(Message(services.content(language).words.say("nobody")),))
        stopped_at = patient.stopped_at or services.clock()
        await store.change_patient(patient.id, stopped_at=stopped_at, expecting="")
        await store.drop_ready(patient.id, (*ROUTINE_KINDS, Kind.RESUME), "stopped")
        return Reply(
            messages=(Message(services.content_for(patient).words.say("stopped"), keyboard="remove"),)
        )


async def ask_erase(services: Services, chat_id: int, language: str | None) -> Reply:
    """Answer /erase: ask once."""
    async with services.database.reading() as store:
        patient = await store.patient_of_chat(chat_id)
    words = services.content_of(patient, language).words
    if patient is None:
        return Reply(messages=(Message(words.say("nobody")),))
    yes = Button(words.plain("button_erase"), "er:yes", Style.GRAVE)
    no = Button(words.plain("button_keep"), "er:no")
    return Reply(messages=(Message(words.say("ask_erase"), ((yes,), (no,))),))


async def erase(services: Services, chat_id: int, language: str | None, sure: bool) -> Reply:
    """Erase everything of a patient and leave a receipt, which names nobody."""
    async with services.database.transaction(alone=True) as store:
        patient = await store.patient_of_chat(chat_id)
        content = services.content_of(patient, language)
        words = content.words
        if patient is None:
            return nobody(content)
        if not sure:
            return Reply(edit=Message(words.say("kept")))
        rows = await store.erase_patient(patient.id)
        code = secrets.token_hex(RECEIPT_BYTES).upper()
        now = services.clock()
        await store.leave_receipt(code, rows, now)
        nights = rows.get("checkin", 0)
        day = patient.day_of(now)
        text = words.say("erased", code=code, date=words.date(day), n=nights, rows=sum(rows.values()))
        return Reply(edit=Message(text))
