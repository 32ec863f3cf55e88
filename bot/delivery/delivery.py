"""Due rows become messages: claimed, given their turn and their chat, marked, sent, finished.

Prompts, and check-ins, that have their turn together are rendered and marked in one transaction, and noted in
one when they have arrived; everything else has its own transactions. What each kind is promised: `ledger.py`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from datetime import datetime
from typing import Protocol

from bot.delivery.kinds import KINDS, Going, refusal
from bot.delivery.ledger import BATCH, Ledger
from bot.delivery.together import Together
from bot.messages import DeliveryError, Message, Messenger
from bot.model import Patient, Sending

AT_ONCE = 24  # prompts and check-ins in flight together, at least: what one free token can use
MOST_BATCH, MOST_AT_ONCE = 512, 224  # of the transport's 256 connections, so that replies have theirs
LOOK = 1.0  # seconds after which a busy tick looks for newly due rows, whoever keeps it waiting
RECOVER = 15.0  # seconds after which a busy tick looks again for what a crash or an error left claimed
PATIENCE = 40.0  # seconds to wait for a turn and for the chat before others are let in
TURN_KEPT = 0.5  # seconds for which a turn is kept while its chat is busy: others wait for turns too
BEGUN_WITHIN = 0.02  # seconds for which those who have their turn are gathered
NOTED_WITHIN = 0.05  # seconds for which prompts that have arrived are gathered
log = logging.getLogger(__name__)

Alone = Callable[[int | None], AbstractAsyncContextManager[None]]


class Carrier(Messenger, Protocol):
    """A messenger whose next message to a chat can wait for its turn before it counts as on its way."""

    def turn(self, chat_id: int) -> AbstractAsyncContextManager[None]:
        """Begin when one more may go to the chat; within, its next message does not wait again."""


class _Place:
    """One of the places in flight, if there are any to be taken: left once, early or at the end."""

    def __init__(self, places: asyncio.Semaphore | None = None) -> None:
        self._places = places
        self._taken = False

    async def take(self) -> None:
        if self._places is not None:
            await self._places.acquire()
            self._taken = True

    def leave(self) -> None:
        if self._taken and self._places is not None:
            self._taken = False
            self._places.release()


class Delivery:
    """Sends what is due. `alone` holds one chat for a while.

    `fatal` are the errors after which nothing can be sent by anybody: nothing was, and `tick` raises them.
    `beat` is called while the tick gets on; `rate` is messages a second.
    """

    def __init__(
        self,
        ledger: Ledger,
        urgent: Carrier,
        bulk: Carrier,
        alone: Alone,
        fatal: tuple[type[Exception], ...] = (),
        beat: Callable[[], None] = lambda: None,
        rate: float = 30.0,
    ) -> None:
        self._ledger = ledger
        self._urgent = urgent
        self._bulk = bulk
        self._alone = alone
        self._fatal = fatal
        self._beat = beat
        self._batch = int(min(MOST_BATCH, max(BATCH, rate / 2)))
        self._places = asyncio.Semaphore(int(min(MOST_AT_ONCE, max(AT_ONCE, rate / 4))))
        self._begun = {
            kind: Together(ledger.begin, BEGUN_WITHIN, of.together)
            for kind, of in KINDS.items()
            if of.together > 1
        }
        self._arrived = Together(ledger.told, NOTED_WITHIN)
        self._stopping = False
        self.bulk_until: datetime | None = None  # of several replicas one sends what is not safety, till then
        self._running: set[asyncio.Task[None]] = set()
        self._waiting: dict[asyncio.Task[None], Sending] = {}  # claimed, and not on their way
        self._died: BaseException | None = None
        self._has_room = asyncio.Event()

    @property
    def serves_bulk(self) -> bool:
        """Return whether prompts and check-ins are ours to send: alone always, of several while elected."""
        return self.bulk_until is None or self._ledger.real_clock() < self.bulk_until

    async def tick(self) -> datetime | None:
        """Send everything that is due now; return when the next is due (UTC, patient's clock)."""
        await self._ledger.recover()
        try:
            await self._send_due()
        finally:
            await self._wind_up()
        return await self._ledger.next_due_at(safety_only=not self.serves_bulk)

    async def _send_due(self) -> None:
        """Keep at most a batch of sendings going; a slow one holds up nobody but its own chat."""
        more, looked_at = True, 0.0
        loop = asyncio.get_running_loop()
        recovered_at = loop.time()
        while not self._stopping:
            if loop.time() - recovered_at >= RECOVER:
                await self._ledger.recover()
                recovered_at = loop.time()
            room = self._batch - len(self._running)
            late = self._running and loop.time() - looked_at >= LOOK
            if (more and room >= self._batch // 2) or late:
                looked_at = loop.time()
                going = await self._ledger.claim(room, safety_only=not self.serves_bulk)
                more = len(going) >= max(room, 1)
                for patient, sending in going:
                    self._start(patient, sending)
            if not self._running:
                return
            self._has_room.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._has_room.wait(), LOOK)
            if self._died is not None:
                raise self._died

    def _start(self, patient: Patient, sending: Sending) -> None:
        task = asyncio.create_task(self._serve(patient, sending), name=f"sending {sending.id}")
        self._waiting[task] = sending
        self._running.add(task)
        task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._waiting.pop(task, None)
        self._running.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is None:  # where nothing can be noted, nothing gets on
            self._beat()
        if isinstance(error, self._fatal):
            self._died = error
        elif error is not None:
            log.error("sending failed", extra={"sending": task.get_name()}, exc_info=error)
        if self._died is not None or len(self._running) <= self._batch // 2:
            self._has_room.set()

    async def _wind_up(self) -> None:
        """Let what is on its way arrive, and give the rest of what was claimed back."""
        self._died = None
        if not self._running:
            return
        back = [self._waiting.pop(task) for task in self._running if task in self._waiting and task.cancel()]
        await asyncio.wait(self._running)
        await self._ledger.let_go(back)

    def stop(self) -> None:
        """Begin nothing more; a running tick gives back what waits, and ends when the rest has arrived."""
        self._stopping = True
        self._has_room.set()

    async def take_over(self) -> None:
        """End every lease: whoever held one is gone. For a database that only one process works on."""
        await self._ledger.recover(everything=True)

    async def safety(self, chat_id: int) -> None:
        """Send a chat its untold safety words now; whoever calls holds the chat."""
        going = await self._ledger.claim_safety(chat_id)
        for patient, sending in going:
            async with self._urgent.turn(chat_id):
                await self._serve_held(patient, sending, _Place())
        if going:
            self._ledger.services.wake()  # one that failed is due again soon

    async def _serve(self, patient: Patient, sending: Sending) -> None:
        place = _Place(None if sending.kind.is_safety else self._places)
        patience = asyncio.timeout(PATIENCE)
        try:
            async with patience:
                while not await self._serve_in_turn(patient, sending, place, patience):
                    async with self._alone(patient.chat_id):
                        pass  # it was busy: as soon as it is free, for another turn
        except TimeoutError:
            if not patience.expired():
                raise
            log.info("sending waits", extra={"sending": sending.id, "kind": sending.kind})
            await self._ledger.put_back(sending)
        finally:
            place.leave()

    async def _serve_in_turn(
        self, patient: Patient, sending: Sending, place: _Place, patience: asyncio.Timeout
    ) -> bool:
        """Wait for a turn and then for the chat; False, and nothing done, when the chat was busy."""
        carrier = self._urgent if sending.kind.is_safety else self._bulk
        refused = refusal(patient, sending, self._ledger.services.clock())
        # Waiting is done before the row says "on its way": a crash meanwhile costs nobody a prompt.
        async with nullcontext() if refused else carrier.turn(patient.chat_id):
            kept = asyncio.timeout(TURN_KEPT)
            try:
                async with kept, self._alone(patient.chat_id):
                    kept.reschedule(None)
                    await place.take()
                    patience.reschedule(None)
                    task = asyncio.current_task()
                    if task is not None:
                        self._waiting.pop(task, None)
                    await self._serve_held(patient, sending, place)
            except TimeoutError:
                if not kept.expired():
                    raise
                return False
        return True

    async def _serve_held(self, patient: Patient, sending: Sending, place: _Place) -> None:
        """Render one claimed sending, send it, leave its place to the next, and note what became of it."""
        since = self._ledger.real_clock()
        try:
            message = await self._begin((patient, sending))
        except Exception:  # one that cannot be rendered waits, longer each time, and holds up no other
            log.exception("sending not rendered", extra={"sending": sending.id, "kind": sending.kind})
            await self._ledger.put_back(sending)
            return
        if message is None:
            return
        if not self._ledger.holds(since):  # the machine slept meanwhile: by now it may be late, or another's
            await self._ledger.put_back(sending)
            return
        carrier = self._urgent if sending.kind.is_safety else self._bulk
        try:
            message_id = await carrier.send(patient.chat_id, message)
        except DeliveryError as error:
            await self._ledger.not_told(patient, sending, error)
            return
        except self._fatal:
            await self._ledger.put_back(sending)
            raise
        place.leave()
        if sending.kind in self._begun:
            await self._arrived.do((patient, sending, message_id))
        else:
            await self._ledger.told([(patient, sending, message_id)])

    async def _begin(self, going: Going) -> Message | None:
        if (begun := self._begun.get(going[1].kind)) is not None:
            return await begun.do(going)
        return (await self._ledger.begin([going]))[0]
