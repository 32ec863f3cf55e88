"""/why: what led to what was said, and what was sent, dropped or held back lately."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from bot.flows.cards import why_text
from bot.flows.services import Services
from bot.messages import Message, Reply
from bot.model import Patient, Sending, State
from content.loader import Content
from content.words import Html

LATELY = timedelta(days=7)
MOST = 20  # sendings listed
UNSAID = ("replanned", "opened again")  # the same message is planned elsewhere
REASONS = {
    "too late": "too_late",
    "quiet hours": "quiet_hours",
    "paused": "paused",
    "stopped": "stopped",
    "blocked": "blocked",
    "declined": "declined",
    "answered": "answered",
    "already answered": "answered",
    "acknowledged": "settled",
    "settled": "settled",
    "no pause": "settled",
    "nothing fits": "nothing_fits",
    "became a card": "other_message",
    "card instead": "other_message",
    "told anew": "other_message",
    "told": "other_message",
    "graver": "graver",
    "refused": "refused",
}


async def show(services: Services, chat_id: int) -> Reply:
    """Answer /why: the open matters, else the last one; then the week's sendings."""
    now = services.clock()
    async with services.database.reading() as store:
        patient = await store.patient_of_chat(chat_id)
        content = services.content_of(patient)
        rows = await store.escalations(patient.id) if patient else []
        sendings = await store.sendings_of(patient.id, MOST * 2) if patient else []
        sent_at = await store.sent_at(patient.id, MOST * 2) if patient else {}
    shown = [row for row in rows if row.is_open] or rows[-1:]
    texts = [why_text(content, row) for row in shown] or [content.words.say("why_nothing")]
    if patient is not None and (lines := lately(content, patient, sendings, sent_at, now)):
        texts.append(Html("\n".join((content.words.say("why_sendings"), *lines))))
    return Reply(messages=tuple(Message(text) for text in texts))


def lately(
    content: Content,
    patient: Patient,
    sendings: Iterable[Sending],
    sent_at: Mapping[int, datetime],
    now: datetime,
) -> list[Html]:
    """Return a line for each sending of the last week, oldest first, with what became of it.

    What went out stands at its own moment (*sent_at*, by id), the rest at the moment it was due.
    """
    words = content.words
    dated = sorted(((sent_at.get(one.id, one.due_at), one.id, one) for one in sendings), reverse=True)
    found = []
    for moment, _, sending in dated:
        came = _came(sending)
        if came and now - LATELY <= moment:
            at = words.moment(moment.astimezone(patient.tz))
            what = words.say(f"kind_{sending.kind}")
            found.append(words.say("why_sending", moment=at, what=what, came=words.say(came)))
    return found[:MOST][::-1]


def _came(sending: Sending) -> str:
    """Return the message that says what became of a sending; empty when there is nothing to say."""
    if sending.state is State.TOLD:
        return "sent_told"
    if sending.state is State.UNKNOWN:
        return "sent_unknown"
    if sending.state is State.DROPPED:
        reason = REASONS.get(sending.reason, "other")
        return "" if sending.reason in UNSAID else f"dropped_{reason}"
    return "sent_held" if sending.attempts else ""
