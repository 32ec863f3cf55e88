"""A person who blocks the bot, or comes back: sendings rest, nothing is deleted."""

from __future__ import annotations

from bot.flows.schedule import ROUTINE_KINDS, plan_all
from bot.flows.services import Services


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
    services.wake()
