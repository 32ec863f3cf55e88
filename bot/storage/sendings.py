"""What the bot owes: planned once, claimed by one, told at most or at least once as its kind demands.

`due_at` is on the patient's clock, leases on the real one; both are handed in.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    Executable,
    Integer,
    Select,
    TextClause,
    and_,
    bindparam,
    false,
    func,
    or_,
    select,
    text,
    union_all,
    update,
)

from bot.messages import Fate
from bot.model import UNTIL_HEARD, Kind, Sending, State
from bot.storage.prepared import Prepared, Question, columns_of, listed_for_file, listed_for_server, upsert
from bot.storage.statements import PRUNED_AT_ONCE, Statements
from bot.storage.tables import patient, sending

SAFETY, ROUTINE = 0, 1
FINISHED = (State.TOLD, State.UNKNOWN, State.DROPPED)
NEAR = timedelta(minutes=6)  # longer than the longest wait between two tries
MOST_NEAR, MOST_DUE = 1000, 10_000  # rows looked at, whatever an outage has piled up
FREE: dict[str, Any] = {"owner": None, "lease_until": None}


def _is(*states: State) -> TextClause:
    """Say that a row is in one of these states.

    Written out, not bound: SQLite looks at what is bound to see whether the index of such rows serves, and
    plans the statement anew each time, for several times what it costs to run.
    """
    if len(states) == 1:
        return text(f"sending.state = '{states[0]}'")
    return text(f"sending.state IN ({', '.join(map(repr, map(str, states)))})")


def _is_of(rank: int) -> TextClause:
    """Say that a row is of this rank, written out as well."""
    return text(f"sending.rank = {rank:d}")


IS_READY = _is(State.READY)
# May have arrived, and nobody has decided yet what to do about it; word for word as its index has it.
IS_UNDECIDED = text("sending.state = 'unknown' AND (sending.finished_at IS NULL OR sending.rank = 0)")
# Dropped before anybody tried to send it.
IS_WITHDRAWN = and_(_is(State.DROPPED), sending.c.finished_at.is_(None))

COLUMNS = columns_of(Sending, sending)
SENDING = select(*COLUMNS)
ONE = Question(Sending, SENDING.where(sending.c.id == bindparam("sending_id")))
SENDING_FOR = Question(
    Sending,
    SENDING.where(
        sending.c.patient_id == bindparam("patient_id"),
        sending.c.kind == bindparam("kind"),
        sending.c.subject == bindparam("subject"),
    ).order_by(sending.c.step),
)
# What was tried stays as it is.
PLAN = upsert(
    sending,
    key=("patient_id", "kind", "subject", "step"),
    changed=("due_at", "useful_until", "state", "reason", "first_due_at"),
    once=("rank", "attempts"),
    where=or_(IS_READY, IS_WITHDRAWN),
)
_CLAIMED = (
    _is(State.CLAIMED),
    sending.c.owner == bindparam("by"),
    sending.c.lease_until > bindparam("real_now"),
)
_START_EACH = (
    update(sending)
    .where(*_CLAIMED)
    .values(state=State.SENDING, lease_until=bindparam("until"))
    .returning(sending.c.id)
)
START_EACH = Prepared(
    _START_EACH.where(listed_for_server(sending.c.id, "ids")),
    file_statement=_START_EACH.where(listed_for_file(sending.c.id, "ids")),
)
_FINISH = (
    update(sending)
    .where(sending.c.id == bindparam("of"), text(f"sending.state <> '{State.TOLD}'"))
    .values(
        state=bindparam("new_state"),
        reason=bindparam("new_reason"),
        message_id=bindparam("new_message"),
        finished_at=bindparam("at"),
        **FREE,
    )
)
FINISH = Prepared(_FINISH)
FINISH_OWN = Prepared(_FINISH.where(sending.c.owner == bindparam("by")))


def _moment(due_at: datetime) -> datetime:
    return due_at


SAFETY_DUE = Question(
    _moment,
    select(sending.c.due_at)
    .where(
        sending.c.patient_id == bindparam("patient_id"),
        _is_of(SAFETY),
        _is(State.READY, State.CLAIMED),
    )
    .order_by(sending.c.due_at)
    .limit(1),
)


@cache
def _claim(ranks: tuple[int, ...], of_one: bool, again: bool) -> Question[Sending]:
    """Reserve due rows in one statement; rows that another replica is reserving are passed over."""
    mine = and_(_is(State.CLAIMED), sending.c.owner == bindparam("by"))
    due = and_(or_(IS_READY, mine) if again else IS_READY, sending.c.due_at <= bindparam("now"))
    if of_one:
        due &= sending.c.patient_id == bindparam("whose")
    rows = (
        select(sending.c.id)
        .where(due, or_(*map(_is_of, ranks)))
        .order_by(sending.c.due_at, sending.c.useful_until)
        .limit(bindparam("most", type_=Integer))
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    return Question(
        Sending,
        update(sending)
        .where(sending.c.id.in_(select(rows.c.id)))
        .values(state=State.CLAIMED, owner=bindparam("by"), lease_until=bindparam("until"))
        .returning(*COLUMNS),
    )


@dataclass(frozen=True)
class Planned:
    """A sending to be planned; without *useful_until* it is useful for ever."""

    patient_id: int
    kind: Kind
    subject: str
    step: int
    due_at: datetime
    useful_until: datetime | None = None


@dataclass(frozen=True)
class Backlog:
    """Sendings that are due or begun, by state, and since when the oldest is due (patient's clock)."""

    by_state: Mapping[str, int]
    oldest_due_at: datetime | None


def _row_of(planned: Planned) -> dict[str, object]:
    return {
        **vars(planned),
        "rank": SAFETY if planned.kind.is_safety else ROUTINE,
        "state": State.READY,
        "attempts": 0,
        "reason": "",
        "first_due_at": None,
    }


def _alone(query: Select[Any]) -> Select[Any]:
    """Return a query that keeps its own limit within a union."""
    return select(query.subquery())


def _oldest(rank: int, now: datetime) -> Select[Any]:
    """Return since when the oldest is due, of what is due and of what a failed try has put off."""
    near = (
        select(sending.c.due_at, sending.c.first_due_at, sending.c.reason)
        .where(IS_READY, _is_of(rank), sending.c.due_at <= now + NEAR)
        .order_by(sending.c.due_at)
        .limit(MOST_NEAR)
        .subquery()
    )
    return select(func.min(func.coalesce(near.c.first_due_at, near.c.due_at))).where(
        or_(near.c.due_at <= now, near.c.first_due_at.is_not(None)), near.c.reason != str(Fate.BLOCKED)
    )


class Sendings(Statements):
    """The questions about sendings."""

    async def plan(
        self,
        patient_id: int,
        kind: Kind,
        subject: str,
        step: int,
        due_at: datetime,
        useful_until: datetime | None = None,
    ) -> bool:
        """Plan a sending, move one that is still ready or revive one withdrawn; False once it was tried."""
        planned = Planned(patient_id, kind, subject, step, due_at, useful_until)
        return (await self.plan_each([planned]))[0]

    async def plan_each(self, many: Sequence[Planned]) -> list[bool]:
        """Plan sendings as `plan` does; return for each what it returns."""
        rows = [_row_of(one) for one in many]
        if len(rows) > 1 and await self._do_each(PLAN, rows) == len(rows):
            return [True] * len(rows)
        # Which one was tried is seen one by one; what has just been planned is only planned again.
        return [await self._do(PLAN, **row) == 1 for row in rows]

    async def drop_ready(
        self, patient_id: int, kinds: Iterable[Kind] | None, reason: str, subject: str | None = None
    ) -> int:
        """Drop a patient's ready sendings, of some kinds if given; return how many.

        With a *subject* the matter is settled for good; without, the rows may be planned again.
        """
        query = update(sending).where(sending.c.patient_id == patient_id, IS_READY)
        if kinds is not None:
            query = query.where(sending.c.kind.in_(list(kinds)))
        if subject is not None:
            query = query.where(sending.c.subject == subject).values(finished_at=sending.c.due_at)
        return (await self._run(query.values(state=State.DROPPED, reason=reason))).rowcount

    async def claim_due(
        self,
        now: datetime,
        owner: str,
        lease_until: datetime,
        limit: int,
        safety_first: bool = True,
        safety_only: bool = False,
        patient_id: int | None = None,
        again: bool = False,
    ) -> list[Sending]:
        """Claim at most *limit* due sendings, of one patient if given, for *owner* until the lease ends.

        With *again*, also those that *owner* has claimed already and not begun.
        """
        given = {"now": now, "by": owner, "until": lease_until, "whose": patient_id}
        one, all_over = patient_id is not None, not safety_first and not safety_only
        if all_over:
            return await self._claim(_claim((SAFETY, ROUTINE), one, again), {**given, "most": limit})
        claimed = await self._claim(_claim((SAFETY,), one, again), {**given, "most": limit})
        if not safety_only and len(claimed) < limit:
            rest = {**given, "most": limit - len(claimed)}
            claimed += await self._claim(_claim((ROUTINE,), one, again), rest)
        return claimed

    async def start_sendings(
        self, sending_ids: Collection[int], owner: str, lease_until: datetime, real_now: datetime
    ) -> frozenset[int]:
        """Mark claimed sendings as on their way under a new lease; return those whose claim is still ours."""
        given = {"ids": [*sending_ids], "by": owner, "real_now": real_now, "until": lease_until}
        return frozenset(await self._returned(START_EACH, **given))

    async def told_sendings(self, message_ids: Mapping[int, int], now: datetime) -> None:
        """Note sendings as told under the ids of their messages; one that was told before stays so."""
        fixed = {"new_state": State.TOLD, "new_reason": "", "at": now}
        await self._do_each(
            FINISH, [{"of": of, "new_message": message_id, **fixed} for of, message_id in message_ids.items()]
        )

    async def finish_sending(
        self,
        sending_id: int,
        state: State,
        now: datetime,
        reason: str = "",
        message_id: int | None = None,
        owner: str | None = None,
    ) -> bool:
        """Set what became of a sending; False if it was told before, which nothing undoes.

        With an *owner*, False also when it is no longer theirs: a replica that slept has no say but "told".
        """
        if state not in FINISHED:
            raise ValueError(f"{state} is no end")
        given = {
            "of": sending_id,
            "new_state": state,
            "new_reason": reason,
            "new_message": message_id,
            "at": now,
        }
        if owner is None or state is State.TOLD:
            return await self._do(FINISH, **given) == 1
        return await self._do(FINISH_OWN, **given, by=owner) == 1

    async def retry_sending(
        self, sending_id: int, due_at: datetime, reason: str, owner: str | None = None
    ) -> bool:
        """Make a tried sending ready again and count the attempt; False if it is not *owner*'s any more.

        Without an owner it is one whose fate nobody knows. When it was due at first stays on record.
        """
        tried = (
            _is(State.UNKNOWN)
            if owner is None
            else and_(_is(State.CLAIMED, State.SENDING), sending.c.owner == owner)
        )
        again = await self._run(
            update(sending)
            .where(sending.c.id == sending_id, tried)
            .values(
                state=State.READY,
                due_at=due_at,
                first_due_at=func.coalesce(sending.c.first_due_at, sending.c.due_at),
                reason=reason,
                attempts=sending.c.attempts + 1,
                finished_at=None,
                **FREE,
            )
        )
        return again.rowcount == 1

    async def take_over(self, real_now: datetime) -> tuple[int, int]:
        """End leases that ran out: claimed is ready again, on its way is unknown; return both counts."""
        late = sending.c.lease_until <= real_now
        ready = await self._run(
            update(sending).where(late, _is(State.CLAIMED)).values(state=State.READY, **FREE)
        )
        unknown = await self._run(
            update(sending)
            .where(late, _is(State.SENDING))
            .values(state=State.UNKNOWN, reason="lease ran out", **FREE)
        )
        return ready.rowcount, unknown.rowcount

    async def unknown_sendings(self, limit: int) -> list[Sending]:
        """Return sendings whose fate nobody knows or has decided on, safety first, then the oldest."""
        return await self._sendings(
            SENDING.where(IS_UNDECIDED).order_by(sending.c.rank, sending.c.due_at).limit(limit)
        )

    async def next_due_at(self, safety_only: bool = False) -> datetime | None:
        """Return when the next ready sending (of safety, if so asked) is due, on the patient's clock."""
        first = [
            select(func.min(sending.c.due_at)).where(IS_READY, _is_of(rank)).scalar_subquery()
            for rank in ((SAFETY,) if safety_only else (SAFETY, ROUTINE))
        ]
        moments = (await self._run(select(*first))).one()
        return min((moment for moment in moments if moment is not None), default=None)

    async def sending(self, sending_id: int) -> Sending | None:
        """Return a sending."""
        return await self._first(ONE, sending_id=sending_id)

    async def sendings_of(self, patient_id: int, limit: int) -> list[Sending]:
        """Return a patient's sendings, the one due last first."""
        return await self._sendings(
            SENDING.where(sending.c.patient_id == patient_id)
            .order_by(sending.c.due_at.desc(), sending.c.id.desc())
            .limit(limit)
        )

    async def sent_at(self, patient_id: int, limit: int) -> dict[int, datetime]:
        """Return by id when a patient's last sendings really went out, on the patient's clock."""
        rows = await self._all(
            select(sending.c.id, sending.c.finished_at)
            .where(sending.c.patient_id == patient_id, _is(State.TOLD, State.UNKNOWN))
            .order_by(sending.c.due_at.desc(), sending.c.id.desc())
            .limit(limit)
        )
        return {row["id"]: row["finished_at"] for row in rows if row["finished_at"] is not None}

    async def waiting(self, patient_id: int) -> list[Sending]:
        """Return a patient's ready sendings, the one due first first."""
        return await self._sendings(
            SENDING.where(sending.c.patient_id == patient_id, IS_READY).order_by(
                sending.c.due_at, sending.c.id
            )
        )

    async def sending_for(self, patient_id: int, kind: Kind, subject: str) -> list[Sending]:
        """Return the steps of one kind and subject in order."""
        return await self._ask(SENDING_FOR, patient_id=patient_id, kind=kind, subject=subject)

    async def owes_safety(self, patient_id: int, now: datetime) -> bool:
        """Return whether a patient has a safety sending that is due and not on its way."""
        due = await self._first(SAFETY_DUE, patient_id=patient_id)
        return due is not None and due <= now

    async def owed_safety(self, patient_id: int, now: datetime) -> list[Sending]:
        """Return a patient's safety sendings that are due and not on their way."""
        return await self._sendings(
            SENDING.where(
                sending.c.patient_id == patient_id,
                _is_of(SAFETY),
                _is(State.READY, State.CLAIMED),
                sending.c.due_at <= now,
            ).order_by(sending.c.due_at, sending.c.id)
        )

    async def without_next(
        self, kinds: Iterable[Kind], since: str, latest: datetime, after: int, until: int
    ) -> list[tuple[int, Kind]]:
        """Return who of the patients *after* < id <= *until* takes part and has nothing of a kind ahead.

        *since* is the earliest subject to look at: a night (ISO date). What is due after *latest* counts only
        during a pause, and for who is not asked every morning.
        """
        found = []
        for kind in kinds:
            seldom = patient.c.checkin_every > 1 if kind is Kind.CHECKIN else false()
            ahead = select(sending.c.id).where(
                sending.c.patient_id == patient.c.id,
                sending.c.kind == kind,
                sending.c.subject >= since,
                or_(sending.c.due_at <= latest, patient.c.paused_until.is_not(None), seldom),
                _is(State.READY, State.CLAIMED, State.SENDING),
            )
            rows = await self._all(
                select(patient.c.id).where(
                    patient.c.id > after,
                    patient.c.id <= until,
                    patient.c.step == "done",
                    patient.c.consent_at.is_not(None),
                    patient.c.stopped_at.is_(None),
                    patient.c.blocked_at.is_(None),
                    or_(patient.c.paused_until.is_(None), patient.c.paused_until != UNTIL_HEARD),
                    ~ahead.exists(),
                )
            )
            found += [(int(row["id"]), kind) for row in rows]
        return found

    async def counts_by_state(self) -> dict[State, int]:
        """Return how many sendings there are in each state that has any."""
        rows = await self._all(select(sending.c.state, func.count().label("rows")).group_by(sending.c.state))
        return {row["state"]: row["rows"] for row in rows}

    async def backlog(self, now: datetime) -> Backlog:
        """Return what is due or begun; MOST_DUE of what is due stands for that many or more.

        What is tried again counts from when it was due at first, and what waits for a person who blocked the
        bot not at all. What is read does not grow with what is planned or told, only with what is due, up to
        a bound: on SQLite 4 ms with nothing due and 11 ms with 50,000 among 700,000 rows, of which a count of
        all by their state takes 400 ms; on PostgreSQL 0.4 ms with nothing due and 25 ms with 100,000 among
        800,000, at a load of 9.
        """
        # In order, or PostgreSQL reads the whole table for so many: it believes that they lie everywhere.
        due = [
            select(sending.c.id)
            .where(IS_READY, _is_of(rank), sending.c.due_at <= now)
            .order_by(sending.c.due_at)
            .limit(MOST_DUE)
            for rank in (SAFETY, ROUTINE)
        ]
        begun = select(func.count()).where(sending.c.lease_until.is_not(None))
        counts = {
            "due": select(func.count()).select_from(union_all(*map(_alone, due)).subquery()),
            "claimed": begun.where(_is(State.CLAIMED)),
            "sending": begun.where(_is(State.SENDING)),
            "unknown": select(func.count()).where(IS_UNDECIDED, sending.c.finished_at.is_(None)),
        }
        asked = [count.scalar_subquery() for count in counts.values()]
        oldest = [_oldest(rank, now).scalar_subquery() for rank in (SAFETY, ROUTINE)]
        row = (await self._run(select(*asked, *oldest))).one()
        since = [moment for moment in row[len(asked) :] if moment is not None]
        return Backlog(dict(zip(counts, row, strict=False)), min(since, default=None))

    async def prune_sendings(
        self, before: datetime, after: int = 0, most: int = PRUNED_AT_ONCE
    ) -> tuple[int, int | None]:
        """Delete finished sendings that were due before a moment, of the next *most* rows by their ids.

        Return how many, and the id to go on *after*; None when there are no more rows.
        """
        old = and_(_is(*FINISHED), sending.c.due_at < before)
        return await self._prune(sending.c.id, old, after, most)

    async def _claim(self, claim: Question[Sending], given: Mapping[str, object]) -> list[Sending]:
        claimed = await self._changed(claim, **given)
        return sorted(claimed, key=lambda row: (row.due_at, row.id))

    async def _sendings(self, query: Executable) -> list[Sending]:
        return [ONE.made(*row) for row in await self._run(query)]
