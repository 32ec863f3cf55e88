"""Nobody answers: after some silent days one gentle question, then nothing until they write or tap."""

from __future__ import annotations

from datetime import date, timedelta

from bot.flows.judging import NIGHTS
from bot.flows.schedule import ROUTINE_KINDS
from bot.messages import Button, Message
from bot.model import UNTIL_HEARD, Patient
from bot.rules.lifecycle import forbids_coaching
from bot.storage.store import Store
from content.loader import Content


async def is_due(store: Store, patient: Patient, content: Content, night: date) -> bool:
    """Return whether the check-ins before this one all went unanswered, and nothing was done of the evenings.

    While something grave is open silence changes nothing.
    """
    most = content.timing.unanswered_nights_before_asking
    first = night - timedelta(days=most * patient.checkin_every)
    asked = await store.diary(patient.id, night - NIGHTS, night)  # as judged: read once for both
    before = [one for one in asked if first <= one.night < night]
    if len(before) < most:
        return False
    if any(one.message_id is None or one.is_logged or one.done or one.signs for one in before):
        return False
    evenings = await store.bare_evenings(patient.id, night - NIGHTS, night)
    if any(one.done or one.declined for one in evenings if one.night >= first):
        return False
    return not forbids_coaching(await store.open_escalations(patient.id))


def check(content: Content, night: date) -> Message:
    """Return the question whether to go on."""
    words = content.words
    rows = (
        (Button(words.plain("button_quiet_on"), f"nt:{night.strftime('%y%m%d')}"),),
        (Button(words.plain("set_pause"), "se:page:pause"),),
    )
    return Message(words.say("quiet_check"), rows, silent=True)


async def fall_silent(store: Store, patient: Patient) -> None:
    """Plan nothing more of the routine until the patient writes or taps."""
    await store.change_patient(patient.id, paused_until=UNTIL_HEARD)
    await store.drop_ready(patient.id, ROUTINE_KINDS, "unheard")
