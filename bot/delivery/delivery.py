"""Due rows become messages: claimed, rendered when they go out, sent, finished as their promise demands.

Safety words are told at least once: marked after sending, sent again (and said so) when their fate is
unknown. A prompt is sent at most once: one of unknown fate is let go. A check-in may come twice, harmlessly.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from datetime import datetime, timedelta
from typing import Protocol

from bot.delivery.kinds import KINDS, keep_waiting, may_repeat, refusal
from bot.flows.services import Services
from bot.messages import DeliveryError, Fate, Message, Messenger
from bot.model import Kind, Patient, Sending, State
from bot.storage.store import Store

BATCH = 64  # claimed and waiting together, at least
AT_ONCE = 24  # prompts and check-ins in flight together, at least: what one free token can use
MOST_BATCH, MOST_AT_ONCE = 512, 192
LOOK = 1.0  # seconds after which a busy tick looks for newly due rows, whoever keeps it waiting
PATIENCE = 40.0  # seconds to wait for a turn and for the chat before others are let in
UNKNOWN = "unknown"  # the reason of a sending that may have arrived
EVER = timedelta(days=36500)
FIRST_WAIT, LONGEST_WAIT = 2.0, 300.0  # seconds between two tries
BLOCKED_WAIT = timedelta(hours=6)
log = logging.getLogger(__name__)

Alone = Callable[[int | None], AbstractAsyncContextManager[None]]


class Carrier(Messenger, Protocol):
    """A messenger whose next message to a chat can wait for its turn before it counts as on its way."""

    async def turn(self, chat_id: int) -> None:
        """Return when one more may go to the chat; its next message does not wait again."""


class Delivery:
    """Sends what is due. `alone` holds one chat for a while; `real_clock` is the machine's own time.

    `fatal` are the errors after which nothing can be sent by anybody: nothing was, and `tick` raises them.
    `beat` is called while the tick gets on; `rate` is messages a second, `lease` the seconds a claim lasts.
    """

    def __init__(
        self,
        services: Services,
        urgent: Carrier,
        bulk: Carrier,
        alone: Alone,
        real_clock: Callable[[], datetime],
        owner: str,
        fatal: tuple[type[Exception], ...] = (),
        beat: Callable[[], None] = lambda: None,
        rate: float = 30.0,
        lease: float = 90.0,
    ) -> None:
        self.services = services
        self._urgent = urgent
        self._bulk = bulk
        self._alone = alone
        self._real_clock = real_clock
        self._owner = owner
        self._fatal = fatal
        self._beat = beat
        self._lease = timedelta(seconds=lease)
        self._batch = int(min(MOST_BATCH, max(BATCH, rate / 2)))
        self._places = asyncio.Semaphore(int(min(MOST_AT_ONCE, max(AT_ONCE, rate / 5))))
        self._stopping = False
        self.bulk_until: datetime | None = None  # of several replicas one sends what is not safety, till then
        self._waiting: dict[asyncio.Task[None], Sending] = {}  # claimed, and not on their way

    @property
    def serves_bulk(self) -> bool:
        """Say whether prompts and check-ins are ours to send: alone always, of several while elected."""
        return self.bulk_until is None or self._real_clock() < self.bulk_until

    async def tick(self) -> datetime | None:
        """Send everything that is due now; return when the next is due (UTC, patient's clock)."""
        await self._recover(self._real_clock())
        self._beat()
        running: set[asyncio.Task[None]] = set()
        try:
            await self._send_due(running)
        finally:
            await self._wind_up(running)
        async with self.services.database.reading() as store:
            return await store.next_due_at(safety_only=not self.serves_bulk)

    async def _send_due(self, running: set[asyncio.Task[None]]) -> None:
        """Keep at most BATCH sendings going; a slow one holds up nobody but its own chat."""
        more, looked_at = True, 0.0
        loop = asyncio.get_running_loop()
        while not self._stopping:
            room = self._batch - len(running)
            late = running and loop.time() - looked_at >= LOOK
            if (more and room >= self._batch // 2) or late:
                looked_at = loop.time()
                claimed = await self._claim(None, room)
                more = len(claimed) >= max(room, 1)
                for sending in claimed:
                    task = asyncio.create_task(self._serve(sending), name=f"sending {sending.id}")
                    self._waiting[task] = sending
                    running.add(task)
            if not running:
                return
            done, _ = await asyncio.wait(running, timeout=LOOK, return_when=asyncio.FIRST_COMPLETED)
            if done:
                self._beat()
            for task in done:
                running.discard(task)
                self._note(task)

    def _note(self, task: asyncio.Task[None]) -> None:
        self._waiting.pop(task, None)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, self._fatal):
            raise error
        if error is not None:
            log.error("sending failed", extra={"sending": task.get_name()}, exc_info=error)

    async def _wind_up(self, running: set[asyncio.Task[None]]) -> None:
        """Let what is on its way arrive, and give the rest of what was claimed back."""
        if not running:
            return
        back = [self._waiting.pop(task) for task in running if task in self._waiting and task.cancel()]
        await asyncio.wait(running)
        for task in running:
            if not task.cancelled() and (error := task.exception()) is not None:
                log.error("sending failed", extra={"sending": task.get_name()}, exc_info=error)
        async with self.services.database.transaction() as store:
            for sending in back:
                await store.retry_sending(sending.id, sending.due_at, sending.reason, self._owner)

    def stop(self) -> None:
        """Begin nothing more; a running tick ends when what is on its way has arrived."""
        self._stopping = True
        for task in [*self._waiting]:
            task.cancel()

    async def take_over(self) -> None:
        """End every lease: whoever held one is gone. For a database that only one process works on."""
        await self._recover(self._real_clock() + EVER)

    async def safety(self, chat_id: int) -> None:
        """Send a chat its untold safety words now; whoever calls holds the chat."""
        async with self.services.database.reading() as store:
            patient = await store.patient_of_chat(chat_id)
            if patient is None or not await store.owes_safety(patient.id, self.services.clock()):
                return
        for sending in await self._claim(patient, BATCH):
            await self._urgent.turn(chat_id)
            await self._serve_held(patient, sending)
        self.services.wake()  # one that failed is due again soon

    async def _claim(self, patient: Patient | None, limit: int) -> list[Sending]:
        """Claim what is due, safety first; with no room left, safety alone."""
        until = self._real_clock() + self._lease
        now = self.services.clock()
        async with self.services.database.transaction(alone=patient is not None) as store:
            if patient is None and limit > 0 and self.serves_bulk:
                return await store.claim_due(now, self._owner, until, limit)
            return await store.claim_due(
                now,
                self._owner,
                until,
                BATCH,
                safety_only=True,
                patient_id=None if patient is None else patient.id,
                again=patient is not None,  # what the tick has claimed and waits for this chat is ours now
            )

    async def _recover(self, real_now: datetime) -> None:
        """Take over what a crash left: a claim is ready again; what was on its way has an unknown fate."""
        async with self.services.database.transaction() as store:
            claimed, unknown = await store.take_over(real_now)
            lost = await store.unknown_sendings(BATCH)
        for sending in lost:
            try:
                async with self.services.database.transaction() as store:
                    await self._settle_unknown(store, sending)
            except Exception:
                log.exception("sending not settled", extra={"sending": sending.id})
        if claimed or unknown:
            log.warning("sendings taken over", extra={"claimed": claimed, "unknown": unknown})

    async def _settle_unknown(self, store: Store, sending: Sending) -> None:
        now = self.services.clock()
        useful = sending.useful_until is None or now <= sending.useful_until
        if may_repeat(sending.kind) and useful:
            await store.retry_sending(sending.id, now, UNKNOWN)
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
        carrier = self._urgent if sending.kind.is_safety else self._bulk
        async with AsyncExitStack() as held:
            try:
                # Waiting is done before the row says "on its way": a crash meanwhile costs nobody a prompt.
                async with asyncio.timeout(PATIENCE):
                    if not refusal(patient, sending, self.services.clock()):
                        await carrier.turn(patient.chat_id)
                    await held.enter_async_context(self._alone(patient.chat_id))
                    if not sending.kind.is_safety:
                        await held.enter_async_context(self._places)
            except TimeoutError:
                log.info("sending waits", extra={"sending": sending.id, "kind": sending.kind})
                await self._put_back(sending)
                return
            task = asyncio.current_task()
            if task is not None:
                self._waiting.pop(task, None)
            await self._serve_held(patient, sending)

    async def _serve_held(self, patient: Patient, sending: Sending) -> None:
        """Render one claimed sending, send it, and write down what became of it."""
        try:
            message = await self._begin(patient, sending)
        except Exception:  # one that cannot be rendered waits, longer each time, and holds up no other
            log.exception("sending not rendered", extra={"sending": sending.id, "kind": sending.kind})
            await self._put_back(sending)
            return
        if message is None:
            return
        carrier = self._urgent if sending.kind.is_safety else self._bulk
        try:
            message_id = await carrier.send(patient.chat_id, message)
        except DeliveryError as error:
            await self._not_told(patient, sending, error)
            return
        except self._fatal:
            await self._put_back(sending)
            raise
        await self._told(patient, sending, message_id)

    async def _begin(self, patient: Patient, sending: Sending) -> Message | None:
        """Mark a sending as on its way and return its message; None when it is not to go out now."""
        now = self.services.clock()
        real_now = self._real_clock()
        async with self.services.database.transaction(alone=sending.kind.is_safety) as store:
            fresh = await store.patient(patient.id)
            if fresh is None or not await store.start_sending(
                sending.id, self._owner, real_now + self._lease, real_now
            ):
                return None
            if fresh.blocked_at is not None and sending.kind.is_safety:
                await store.retry_sending(sending.id, now + BLOCKED_WAIT, "blocked", self._owner)
                log.error("safety message waits", extra={"sending": sending.id, "fate": Fate.BLOCKED})
                return None
            reason = refusal(fresh, sending, now)
            if not reason:
                spoken = await KINDS[sending.kind].render(self.services, store, fresh, sending, now)
                if spoken.message is not None:
                    return spoken.message
                reason = spoken.reason
            await store.finish_sending(sending.id, State.DROPPED, now, reason)
            await keep_waiting(self.services, store, fresh, sending, now)
        log.info("sending dropped", extra={"sending": sending.id, "kind": sending.kind, "reason": reason})
        return None

    async def _put_back(self, sending: Sending) -> None:
        """Make a claimed sending that was not sent ready again, after a pause."""
        at = self.services.clock() + _pause(sending, 0.0)
        async with self.services.database.transaction() as store:
            await store.retry_sending(sending.id, at, sending.reason, self._owner)

    async def _told(self, patient: Patient, sending: Sending, message_id: int) -> None:
        try:
            async with self.services.database.transaction(alone=sending.kind.is_safety) as store:
                await self._finish_told(store, patient, sending, message_id, follow=True)
        except Exception:  # it was told: whatever fails after that must not send it again
            log.exception("sending told, what follows failed", extra={"sending": sending.id})
            async with self.services.database.transaction(alone=sending.kind.is_safety) as store:
                await self._finish_told(store, patient, sending, message_id, follow=False)
        log.info("sending told", extra={"sending": sending.id, "kind": sending.kind})

    async def _finish_told(
        self, store: Store, patient: Patient, sending: Sending, message_id: int, follow: bool
    ) -> None:
        now = self.services.clock()
        await store.finish_sending(sending.id, State.TOLD, now, message_id=message_id)
        fresh = await store.patient(patient.id)
        if fresh is None:
            return
        if follow:
            told = await store.sending(sending.id) or sending
            await KINDS[sending.kind].told(self.services, store, fresh, told, now)
        else:
            await keep_waiting(self.services, store, fresh, sending, now)

    async def _not_told(self, patient: Patient, sending: Sending, error: DeliveryError) -> None:
        """Decide by fate and promise: try again, or let go and plan the next."""
        now = self.services.clock()
        log.warning(
            "sending not told", extra={"sending": sending.id, "fate": error.fate, "kind": sending.kind}
        )
        async with self.services.database.transaction() as store:
            fresh = await store.patient(patient.id)
            if fresh is None:
                return
            if error.fate is Fate.BLOCKED:
                fresh = await store.change_patient(patient.id, blocked_at=now)
            if self._tries_again(sending, error.fate):
                at = now + (
                    BLOCKED_WAIT if error.fate is Fate.BLOCKED else _pause(sending, error.retry_after)
                )
                # Once it may have arrived, the next one says so, whatever came between.
                maybe = error.fate is Fate.UNKNOWN or sending.reason == UNKNOWN
                await store.retry_sending(sending.id, at, UNKNOWN if maybe else error.fate, self._owner)
                if sending.kind.is_safety and error.fate in (Fate.BLOCKED, Fate.REFUSED):
                    log.error("safety message waits", extra={"sending": sending.id, "fate": error.fate})
                return
            state = State.UNKNOWN if error.fate is Fate.UNKNOWN else State.DROPPED
            await store.finish_sending(sending.id, state, now, str(error.fate), owner=self._owner)
            await keep_waiting(self.services, store, fresh, sending, now)

    def _tries_again(self, sending: Sending, fate: Fate) -> bool:
        if sending.kind.is_safety:
            return True
        if fate is Fate.UNKNOWN:
            return may_repeat(sending.kind)
        return fate in (Fate.NOT_SENT, Fate.WAIT)


def _pause(sending: Sending, asked: float) -> timedelta:
    """Longer after each failure, with some chance in it; the seconds Telegram asks for are honoured."""
    wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(sending.attempts, 10))
    if sending.kind is Kind.CARD:
        wait = min(wait, 30.0)
    return timedelta(seconds=max(asked, wait * random.uniform(0.8, 1.2)))  # noqa: S311  # no secret
