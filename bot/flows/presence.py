"""A person who blocks the bot, or comes back: sendings rest, nothing is deleted."""

from __future__ import annotations

from datetime import datetime

from bot.flows.schedule import ROUTINE_KINDS, is_silent, plan_all
from bot.flows.services import Services
from bot.messages import Here
from bot.model import Patient
from bot.storage.store import Store


async def blocked(services: Services, chat_id: int) -> None:
    """Rest the routine sendings of somebody who blocked the bot; safety words wait for them."""
    async with services.database.transaction() as store:
        patient = await store.patient_of_chat(chat_id)
        if patient is not None and patient.blocked_at is None:
            await store.change_patient(patient.id, blocked_at=services.clock())
            await store.drop_ready(patient.id, ROUTINE_KINDS, "replanned")


async def back(services: Services, chat_id: int) -> None:
    """Resume for somebody who came back; what is safety and was not told goes first."""
    async with services.database.transaction() as store:
        patient = await store.patient_of_chat(chat_id)
        if patient is not None and patient.blocked_at is not None:
            patient = await store.change_patient(patient.id, blocked_at=None)
            await plan_all(store, patient, services.content_for(patient).timing, services.clock())
            await wake_safety(store, patient, services.clock())
    services.wake()


async def heard(services: Services, chat_id: int) -> None:
    """Go on for somebody who had not answered for days and has written or tapped now."""
    async with services.database.transaction() as store:
        patient = await store.patient_of_chat(chat_id)
        if patient is not None and patient.is_unheard:
            patient = await store.change_patient(patient.id, paused_until=None)
            await plan_all(store, patient, services.content_for(patient).timing, services.clock())
    services.wake()


async def here(services: Services, chat_id: int) -> Here:
    """Take a word or a press as a sign that the chat is open; say what its reply must mind."""
    async with services.database.reading() as store:
        patient = await store.patient_of_chat(chat_id)
        if patient is None:
            return Here()
        seen = await minding(store, patient, services.clock())
        if seen is not None:
            return seen
        owes = patient.blocked_at is not None or await store.owes_safety(patient.id, services.clock())
    if patient.is_unheard:
        await heard(services, chat_id)
    if patient.blocked_at is not None:  # the news of it was lost
        await back(services, chat_id)
    return Here(owes, is_silent(patient, services.clock()))


async def minding(store: Store, patient: Patient, now: datetime) -> Here | None:
    """Return what a reply must mind as a transaction leaves it; None for somebody to be let back in."""
    if patient.blocked_at is not None or patient.is_unheard:
        return None
    return Here(await store.owes_safety(patient.id, now), is_silent(patient, now))


async def wake_safety(store: Store, patient: Patient, now: datetime) -> None:
    """Make due what could not be told while the chat was closed."""
    for waiting in await store.waiting(patient.id):
        if waiting.kind.is_safety and waiting.attempts and waiting.due_at > now:
            subject, until = waiting.subject, waiting.useful_until
            await store.plan(patient.id, waiting.kind, subject, waiting.step, now, until)
