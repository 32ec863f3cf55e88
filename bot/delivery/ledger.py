"""Writes down what becomes of a sending: on its way before the call, its fate after it, and what follows.

Safety words are told at least once: marked after sending, sent again (and said so) when their fate is
unknown. A prompt is sent at most once: one of unknown fate is let go. A check-in may come twice, harmlessly.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from bot.delivery.kinds import KINDS, LATE, Going, keep_waiting, may_repeat, quiet_until, refusal
from bot.flows.schedule import ROUTINE_KINDS
from bot.flows.services import Services
from bot.messages import DeliveryError, Fate, Message
from bot.model import Kind, Patient, Sending, State
from bot.storage.store import Store
from bot.tally import Tally

BATCH = 64  # claimed together at least; those of unknown fate that are settled together at most
UNKNOWN = "unknown"  # the reason of a sending that may have arrived
QUIET = "quiet hours"  # the reason of a sending that became so late that it came into them
EVER = timedelta(days=36500)  # past the end of every lease
FIRST_WAIT, LONGEST_WAIT = 2.0, 300.0  # seconds between two tries
LONGEST_WAIT_OF_CARD = 30.0  # seconds
BLOCKED_WAIT = timedelta(hours=6)
GIVES_WAY = timedelta(seconds=1)  # how long a sending waits for a graver one before it looks again
log = logging.getLogger(__name__)


class Ledger:
    """The rows of sendings, as one *owner* works on them; a claim is good for *lease* seconds.

    `real_clock` is the machine's own time. What became of the daily messages is added to *tally*.
    """

    def __init__(
        self,
        services: Services,
        real_clock: Callable[[], datetime],
        owner: str,
        lease: float = 90.0,
        tally: Tally | None = None,
    ) -> None:
        self.services = services
        self.real_clock = real_clock
        self._owner = owner
        self._lease = timedelta(seconds=lease)
        self._tally = tally or Tally()

    async def claim(self, limit: int, safety_only: bool) -> list[Going]:
        """Claim what is due, safety first; safety is never left out for want of room."""
        safety_only = safety_only or limit <= 0
        async with self.services.database.transaction() as store:
            claimed = await store.claim_due(
                self.services.clock(),
                self._owner,
                self.real_clock() + self._lease,
                BATCH if safety_only else limit,
                safety_only=safety_only,
            )
        if not claimed:
            return []
        # Apart from the claim, which holds its rows: who holds a patient may wait for one of them.
        async with self.services.database.reading() as store:
            patients = await store.patients({sending.patient_id for sending in claimed})
        return [(patients[one.patient_id], one) for one in claimed if one.patient_id in patients]

    async def claim_safety(self, chat_id: int) -> list[Going]:
        """Claim the untold safety words of one chat, also those that were claimed and not begun."""
        now = self.services.clock()
        async with self.services.database.reading() as store:
            patient = await store.patient_of_chat(chat_id)
            if patient is None or not await store.owes_safety(patient.id, now):
                return []
        async with self.services.database.transaction(alone=True) as store:
            until = self.real_clock() + self._lease
            claimed = await store.claim_due(
                now, self._owner, until, BATCH, safety_only=True, patient_id=patient.id, again=True
            )
        return [(patient, sending) for sending in claimed]

    async def next_due_at(self, safety_only: bool) -> datetime | None:
        """Return when the next sending is due (UTC, patient's clock)."""
        async with self.services.database.reading() as store:
            return await store.next_due_at(safety_only=safety_only)

    def holds(self, since: datetime) -> bool:
        """Return whether what was begun after *since* (real clock) is still ours."""
        return self.real_clock() < since + self._lease

    # --- before the call -------------------------------------------------------------------------------

    async def begin(self, going: list[Going]) -> list[Message | None]:
        """Mark sendings as on their way and return their messages; None for one that is not to go out now."""
        let_go: list[Sending] = []
        async with self.services.database.company(alone=_has_safety(going)) as store:
            await store.foresee_patients([patient.id for patient, _ in going])
            now, real_now = self.services.clock(), self.real_clock()
            ids = [sending.id for _, sending in going]
            ours = await store.start_sendings(ids, self._owner, real_now + self._lease, real_now)
            for kind in {sending.kind for _, sending in going}:
                if (foresee := KINDS[kind].foresee) is not None:
                    same = [one for one in going if one[1].kind is kind and one[1].id in ours]
                    await foresee(self.services, store, same, now)
            begun = [
                await self._begin(store, *one, now, let_go) if one[1].id in ours else None for one in going
            ]
        self._tally.let_go += _daily(let_go)
        return begun

    async def _begin(
        self, store: Store, patient: Patient, sending: Sending, now: datetime, let_go: list[Sending]
    ) -> Message | None:
        fresh = await store.patient(patient.id)
        if fresh is None:
            return None
        if fresh.blocked_at is not None and sending.kind.is_safety:
            await store.retry_sending(sending.id, now + BLOCKED_WAIT, "blocked", self._owner)
            log.error("safety message waits", extra={"sending": sending.id, "fate": Fate.BLOCKED})
            return None
        reason = refusal(fresh, sending, now)
        if not reason and (until := await quiet_until(self.services, store, fresh, sending, now)) is not None:
            if sending.useful_until is None or until <= sending.useful_until:
                await store.retry_sending(sending.id, until, sending.reason, self._owner)
                return None
            reason = QUIET
        if not reason:
            spoken = await KINDS[sending.kind].render(self.services, store, fresh, sending, now)
            if spoken.message is not None:
                return spoken.message
            if spoken.waits:  # something graver is due to the same person
                await store.retry_sending(sending.id, now + GIVES_WAY, sending.reason, self._owner)
                return None
            reason = spoken.reason
        await store.finish_sending(sending.id, State.DROPPED, now, reason)
        if reason in (LATE, QUIET):  # for any other reason a person let it go
            let_go.append(sending)
        await keep_waiting(self.services, store, fresh, sending, now)
        log.info("sending dropped", extra={"sending": sending.id, "kind": sending.kind, "reason": reason})
        return None

    # --- after the call --------------------------------------------------------------------------------

    async def told(self, arrived: list[tuple[Patient, Sending, int]]) -> list[None]:
        """Note sendings as told under the ids of their messages, and do what follows."""
        try:
            await self._finish(arrived, follow=True)
        except Exception:
            if len(arrived) > 1:
                raise
            # It was told: whatever fails after that must not send it again.
            log.exception("sending told, what follows failed", extra={"sending": arrived[0][1].id})
            await self._finish(arrived, follow=False)
        self._tally.told += _daily(sending for _, sending, _ in arrived)
        for _, sending, _ in arrived:
            log.info("sending told", extra={"sending": sending.id, "kind": sending.kind})
        return [None] * len(arrived)

    async def _finish(self, arrived: list[tuple[Patient, Sending, int]], follow: bool) -> None:
        now = self.services.clock()
        urgent = _has_safety([(patient, sending) for patient, sending, _ in arrived])
        async with self.services.database.company(alone=urgent) as store:
            await store.foresee_patients([patient.id for patient, _, _ in arrived])
            told: dict[Kind, list[Going]] = {}
            for patient, sending, message_id in arrived:
                if (fresh := await store.patient(patient.id)) is not None:
                    sent = replace(sending, state=State.TOLD, message_id=message_id)
                    told.setdefault(sending.kind, []).append((fresh, sent))
            await store.told_sendings({sending.id: message_id for _, sending, message_id in arrived}, now)
            for kind, going in told.items():
                if follow:
                    await KINDS[kind].told(self.services, store, going, now)
                    continue
                for patient, sending in going:
                    await keep_waiting(self.services, store, patient, sending, now)

    async def not_told(self, patient: Patient, sending: Sending, error: DeliveryError) -> None:
        """Decide by fate and promise: try again, or let go and plan the next."""
        now = self.services.clock()
        log.warning(
            "sending not told", extra={"sending": sending.id, "fate": error.fate, "kind": sending.kind}
        )
        tries_again = _tries_again(sending, error.fate)
        async with self.services.database.transaction() as store:
            fresh = await store.patient(patient.id)
            if fresh is None:
                return
            if error.fate is Fate.BLOCKED:
                fresh = await store.change_patient(patient.id, blocked_at=now)
            if tries_again:
                at = now + (
                    BLOCKED_WAIT if error.fate is Fate.BLOCKED else _pause(sending, error.retry_after)
                )
                # Once it may have arrived, the next one says so, whatever came between.
                maybe = error.fate is Fate.UNKNOWN or sending.reason == UNKNOWN
                await store.retry_sending(sending.id, at, UNKNOWN if maybe else error.fate, self._owner)
                if sending.kind.is_safety and error.fate in (Fate.BLOCKED, Fate.REFUSED):
                    log.error("safety message waits", extra={"sending": sending.id, "fate": error.fate})
            else:
                state = State.UNKNOWN if error.fate is Fate.UNKNOWN else State.DROPPED
                await store.finish_sending(sending.id, state, now, str(error.fate), owner=self._owner)
                await keep_waiting(self.services, store, fresh, sending, now)
        if tries_again:
            self._tally.tried_again += _daily([sending])
        elif error.fate is not Fate.BLOCKED:  # that is the person's own doing
            self._tally.let_go += _daily([sending])

    async def put_back(self, sending: Sending) -> None:
        """Make a claimed sending that was not sent ready again, after a pause."""
        at = self.services.clock() + _pause(sending, 0.0)
        async with self.services.database.transaction() as store:
            await store.retry_sending(sending.id, at, sending.reason, self._owner)
        self._tally.tried_again += _daily([sending])

    async def let_go(self, claimed: list[Sending]) -> None:
        """Make claimed sendings ready again at once: somebody else may take them."""
        async with self.services.database.transaction() as store:
            for sending in claimed:
                await store.retry_sending(sending.id, sending.due_at, sending.reason, self._owner)

    # --- after a crash ---------------------------------------------------------------------------------

    async def recover(self, everything: bool = False) -> None:
        """Take over what a crash left: a claim is ready again; what was on its way has an unknown fate.

        *everything* ends every lease: whoever held one is gone.
        """
        real_now = self.real_clock() + (EVER if everything else timedelta(0))
        async with self.services.database.transaction() as store:
            claimed, unknown = await store.take_over(real_now)
            lost = await store.unknown_sendings(BATCH)
        for sending in lost:
            try:
                async with self.services.database.transaction() as store:
                    repeats = await self._settle_unknown(store, sending)
                if repeats:
                    self._tally.tried_again += _daily([sending])
                else:
                    self._tally.let_go += _daily([sending])
            except Exception:
                log.exception("sending not settled", extra={"sending": sending.id})
        if claimed or unknown:
            log.warning("sendings taken over", extra={"claimed": claimed, "unknown": unknown})

    async def _settle_unknown(self, store: Store, sending: Sending) -> bool:
        """Send it again or let it go, as its kind is promised; say whether it goes again."""
        now = self.services.clock()
        useful = sending.useful_until is None or now <= sending.useful_until
        if may_repeat(sending.kind) and useful:
            await store.retry_sending(sending.id, now, UNKNOWN)
            return True
        await store.finish_sending(sending.id, State.UNKNOWN, now, sending.reason)
        patient = await store.patient(sending.patient_id)
        if patient is not None:
            await keep_waiting(self.services, store, patient, sending, now)
        return False


def _daily(sendings: Iterable[Sending]) -> int:
    """Return how many of these everybody gets each day: the others would say how somebody is."""
    return sum(sending.kind in ROUTINE_KINDS for sending in sendings)


def _has_safety(going: list[Going]) -> bool:
    return any(sending.kind.is_safety for _, sending in going)


def _tries_again(sending: Sending, fate: Fate) -> bool:
    if sending.kind.is_safety:
        return True
    if fate is Fate.UNKNOWN:
        return may_repeat(sending.kind)
    return fate in (Fate.NOT_SENT, Fate.WAIT)


def _pause(sending: Sending, asked: float) -> timedelta:
    """Longer after each failure, with some chance in it; the seconds Telegram asks for are honoured."""
    wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(sending.attempts, 10))
    if sending.kind is Kind.CARD:
        wait = min(wait, LONGEST_WAIT_OF_CARD)
    return timedelta(seconds=max(asked, wait * random.uniform(0.8, 1.2)))  # noqa: S311  # no secret
