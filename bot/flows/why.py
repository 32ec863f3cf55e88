"""/why: which answers, which rule and which sources led to what was said."""

from __future__ import annotations

from bot.flows.cards import why_text
from bot.flows.services import Services
from bot.messages import Message, Reply


async def show(services: Services, chat_id: int) -> Reply:
    """Answer /why: the open matters, else the last one."""
    async with services.database.reading() as store:
        patient = await store.patient_of_chat(chat_id)
        content = services.content_of(patient)
        rows = await store.escalations(patient.id) if patient else []
    shown = [row for row in rows if row.is_open] or rows[-1:]
    texts = [why_text(content, row) for row in shown] or [content.words.say("why_nothing")]
    return Reply(messages=tuple(Message(text) for text in texts))
