"""Due rows become messages: claimed, rendered when they go out, sent, finished as their promise demands.

Safety words are told at least once: marked after sending, sent again (and said so) when their fate is
unknown. A prompt is sent at most once: one of unknown fate is let go. A check-in may come twice, harmlessly.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta

from bot.delivery.kinds import KINDS, keep_waiting, may_repeat, refusal
from bot.flows.services import Services
from bot.messages import DeliveryError, Fate, Messenger
from bot.model import Kind, Patient, Sending, State
from bot.storage.store import Store

BATCH = 64
AT_ONCE = 24  # in flight together: what one free token can use
LEASE = timedelta(seconds=90)
FIRST_WAIT, LONGEST_WAIT = 2.0, 300.0  # seconds between two tries
BLOCKED_WAIT = timedelta(hours=6)
log = logging.getLogger(__name__)

Alone = Callable[[int | None], AbstractAsyncContextManager[None]]


class Delivery:
    """Sends what is due. `alone` holds one chat for a while; `real_clock` is the machine's own time."""

    def __init__(
        self,
        services: Services,
        messenger: Messenger,
        bulk: Messenger,
        alone: Alone,
        real_clock: Callable[[], datetime],
        owner: str,
    ) -> None:
        self.services = services
        self._messenger = messenger
        self._bulk = bulk
        self._alone = alone
        self._real_clock = real_clock
        self._owner = owner
        self._places = asyncio.Semaphore(AT_ONCE)

    async def tick(self) -> datetime | None:
        """Send everything that is due now; return when the next is due (UTC, patient's clock)."""
        await self._recover()
        while claimed := await self._claim(None):
            results = await asyncio.gather(*map(self._serve, claimed), return_exceptions=True)
            for sending, result in zip(claimed, results, strict=True):
                if isinstance(result, BaseException):
                    log.error("sending failed", extra={"sending": sending.id}, exc_info=result)
            if len(claimed) < BATCH:
                break
        async with self.services.database.reading() as store:
            return await store.next_due_at()

    async def safety(self, chat_id: int) -> None:
        """Send a chat its untold safety words now; whoever calls holds the chat."""
        async with self.services.database.reading() as store:
            patient = await store.patient_of_chat(chat_id)
        if patient is None:
            return
        for sending in await self._claim(patient):
            await self._serve_held(patient, sending)

    async def _claim(self, patient: Patient | None) -> list[Sending]:
        until = self._real_clock() + LEASE
        now = self.services.clock()
        async with self.services.database.transaction(alone=patient is not None) as store:
            if patient is None:
                return await store.claim_due(now, self._owner, until, BATCH)
            return await store.claim_due(
                now, self._owner, until, BATCH, safety_only=True, patient_id=patient.id
            )

    async def _recover(self) -> None:
        """Take over what a crash left: a claim is ready again; what was on its way has an unknown fate."""
        async with self.services.database.transaction() as store:
            claimed, unknown = await store.take_over(self._real_clock())
            lost = await store.unknown_sendings(BATCH)
            for sending in lost:
                await self._settle_unknown(store, sending)
        if claimed or unknown:
            log.warning("sendings taken over", extra={"claimed": claimed, "unknown": unknown})

    async def _settle_unknown(self, store: Store, sending: Sending) -> None:
        now = self.services.clock()
        useful = sending.useful_until is None or now <= sending.useful_until
        if may_repeat(sending.kind) and useful:
            await store.retry_sending(sending.id, now, "unknown")
            return
        await store.finish_sending(sending.id, State.UNKNOWN, now, sending.reason)
        patient = await store.patient(sending.patient_id)
        if patient is not None:
            await keep_waiting(self.services, store, patient, sending, now)

    async def _serve(self, sending: Sending) -> None:
        async with self.services.database.reading() as store:
            patient = await store.patient(sending.patient_id)
        if patient is None:
            return
        async with self._places, self._alone(patient.chat_id):
            await self._serve_held(patient, sending)

    async def _serve_held(self, patient: Patient, sending: Sending) -> None:
        """Render one claimed sending, send it, and write down what became of it."""
        now = self.services.clock()
        real_now = self._real_clock()
        message = None
        async with self.services.database.transaction(alone=sending.kind.is_safety) as store:
            fresh = await store.patient(patient.id)
            if fresh is None or not await store.start_sending(
                sending.id, self._owner, real_now + LEASE, real_now
            ):
                return
            if fresh.blocked_at is not None and sending.kind.is_safety:
                await store.retry_sending(sending.id, now + BLOCKED_WAIT, "blocked")
                return
            reason = refusal(fresh, sending, now)
            if not reason:
                spoken = await KINDS[sending.kind].render(self.services, store, fresh, sending, now)
                message, reason = spoken.message, spoken.reason
            if message is None:
                await store.finish_sending(sending.id, State.DROPPED, now, reason)
                await keep_waiting(self.services, store, fresh, sending, now)
                log.info(
                    "sending dropped", extra={"sending": sending.id, "kind": sending.kind, "reason": reason}
                )
                return
        messenger = self._messenger if sending.kind.is_safety else self._bulk
        try:
            message_id = await messenger.send(patient.chat_id, message)
        except DeliveryError as error:
            await self._not_told(patient, sending, error)
            return
        await self._told(patient, sending, message_id)

    async def _told(self, patient: Patient, sending: Sending, message_id: int) -> None:
        now = self.services.clock()
        async with self.services.database.transaction(alone=sending.kind.is_safety) as store:
            await store.finish_sending(sending.id, State.TOLD, now, message_id=message_id)
            told = await store.sending(sending.id) or sending
            fresh = await store.patient(patient.id)
            if fresh is not None:
                await KINDS[sending.kind].told(self.services, store, fresh, told, now)
        log.info("sending told", extra={"sending": sending.id, "kind": sending.kind})

    async def _not_told(self, patient: Patient, sending: Sending, error: DeliveryError) -> None:
        """Decide by fate and promise: try again, or let go and plan the next."""
        now = self.services.clock()
        log.warning(
            "sending not told", extra={"sending": sending.id, "fate": error.fate, "kind": sending.kind}
        )
        async with self.services.database.transaction() as store:
            if error.fate is Fate.BLOCKED:
                await store.change_patient(patient.id, blocked_at=now)
            if self._tries_again(sending, error.fate):
                at = now + _pause(sending, error)
                await store.retry_sending(
                    sending.id, at, "unknown" if error.fate is Fate.UNKNOWN else error.fate
                )
                if sending.kind.is_safety and error.fate in (Fate.BLOCKED, Fate.REFUSED):
                    log.error("safety message waits", extra={"sending": sending.id, "fate": error.fate})
                return
            state = State.UNKNOWN if error.fate is Fate.UNKNOWN else State.DROPPED
            await store.finish_sending(sending.id, state, now, str(error.fate))
            fresh = await store.patient(patient.id)
            if fresh is not None:
                await keep_waiting(self.services, store, fresh, sending, now)

    def _tries_again(self, sending: Sending, fate: Fate) -> bool:
        if sending.kind.is_safety:
            return True
        if fate is Fate.UNKNOWN:
            return may_repeat(sending.kind)
        return fate in (Fate.NOT_SENT, Fate.WAIT)


def _pause(sending: Sending, error: DeliveryError) -> timedelta:
    """Longer after each failure, with some chance in it; what Telegram asks for is honoured."""
    if error.fate is Fate.BLOCKED:
        return BLOCKED_WAIT
    wait = min(LONGEST_WAIT, FIRST_WAIT * 2**sending.attempts)
    if sending.kind is Kind.CARD:
        wait = min(wait, 30.0)
    return timedelta(seconds=max(error.retry_after, wait * random.uniform(0.8, 1.2)))  # noqa: S311  # no secret
