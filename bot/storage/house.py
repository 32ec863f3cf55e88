"""What belongs to the house and to no patient: invites, leases, receipts of erasures, and notes to itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, bindparam, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bot.model import Invite, Receipt
from bot.storage.prepared import Prepared, Question
from bot.storage.statements import Statements, made
from bot.storage.tables import budget, invite, lease, meta, receipt


def _moment(at: datetime) -> datetime:
    return at


SPENT = Question(_moment, select(budget.c.spent_until).where(budget.c.name == bindparam("name")), holds=True)
SPEND = Prepared(
    update(budget).where(budget.c.name == bindparam("of")).values(spent_until=bindparam("until"))
)
_NEW_PG, _NEW_FILE = (
    insert(budget).on_conflict_do_nothing() for insert in (postgresql.insert, sqlite.insert)
)
NEW_BUDGET = Prepared(_NEW_PG, ("name", "spent_until"), _NEW_FILE)


class House(Statements):
    """The questions about the house."""

    async def add_invite(
        self, code_hash: str, label: str, uses: int, expires_at: datetime | None, now: datetime
    ) -> None:
        """Add an invite that lets *uses* people in; a hash that is known already changes nothing."""
        await self._run(
            self._insert(invite)
            .values(
                code_hash=code_hash, label=label, uses=uses, used=0, expires_at=expires_at, created_at=now
            )
            .on_conflict_do_nothing()
        )

    async def use_invite(self, code_hash: str, now: datetime) -> bool:
        """Count one use of an invite; False if it is unknown, used up, too old or revoked."""
        good = _is_good(code_hash, now)
        used = await self._run(update(invite).where(*good).values(used=invite.c.used + 1))
        return used.rowcount == 1

    async def invite_is_good(self, code_hash: str, now: datetime) -> bool:
        """Return whether an invite would let somebody in, without counting a use."""
        return await self._one(select(invite.c.id).where(*_is_good(code_hash, now))) is not None

    async def invites(self) -> list[Invite]:
        """Return all invites, oldest first."""
        return [made(Invite, row) for row in await self._all(select(invite).order_by(invite.c.id))]

    async def revoke_invite(self, invite_id: int, now: datetime) -> bool:
        """Revoke an invite; False if there is none, or it was revoked before."""
        revoked = await self._run(
            update(invite)
            .where(invite.c.id == invite_id, invite.c.revoked_at.is_(None))
            .values(revoked_at=now)
        )
        return revoked.rowcount == 1

    async def has_invites(self) -> bool:
        """Return whether an invite was ever made."""
        return await self._one(select(invite.c.id).limit(1)) is not None

    async def take_lease(self, name: str, owner: str, until: datetime, real_now: datetime) -> bool:
        """Take or renew a lease until a moment on the real clock; False while somebody else holds it."""
        row = await self._one(
            self._insert(lease)
            .values(name=name, owner=owner, until=until)
            .on_conflict_do_update(
                index_elements=["name"],
                set_={"owner": owner, "until": until},
                where=or_(lease.c.owner == owner, lease.c.until <= real_now),
            )
            .returning(lease.c.name)
        )
        return row is not None

    async def lease_holder(self, name: str) -> str | None:
        """Return who took a lease last and has not left it."""
        row = await self._one(select(lease.c.owner).where(lease.c.name == name))
        return None if row is None else str(row["owner"])

    async def leave_lease(self, name: str, owner: str) -> None:
        """Give a lease back, if it is ours."""
        await self._run(delete(lease).where(lease.c.name == name, lease.c.owner == owner))

    async def take_turns(
        self,
        name: str,
        turns: int,
        rate: float,
        slack: timedelta,
        patience: timedelta,
        believed: timedelta,
        real_now: datetime,
    ) -> datetime | None:
        """Take so many turns of a budget that replicas share; return when the first may be used.

        *rate* is turns a second; unused time of at most *slack* may be caught up. None, and nothing taken,
        when the first turn lies further than *patience* ahead. What lies further ahead than is *believed*
        was taken on a clock that has been put back, and counts for nothing.
        """
        spent_until = await self._first(SPENT, name=name)
        if spent_until is None:  # the first turn ever taken, by us or, meanwhile, by another
            await self._do(NEW_BUDGET, name=name, spent_until=real_now - slack)
            spent_until = await self._first(SPENT, name=name)
        start = max(spent_until or real_now, real_now - slack)
        if start - real_now > believed:
            start = real_now
        if start - real_now > patience:
            return None
        await self._do(SPEND, of=name, until=start + timedelta(seconds=turns / rate))
        return start

    async def leave_receipt(self, code: str, rows: Mapping[str, int], now: datetime) -> None:
        """Keep what an erasure took away, by table, under a code that names nobody."""
        await self._run(self._insert(receipt).values(code=code, rows=rows, at=now).on_conflict_do_nothing())

    async def receipt(self, code: str) -> Receipt | None:
        """Return the receipt of an erasure."""
        row = await self._one(select(receipt).where(receipt.c.code == code))
        return None if row is None else made(Receipt, row)

    async def count_receipts(self) -> int:
        """Return how many erasures there have been."""
        return int((await self._run(select(func.count()).select_from(receipt))).scalar_one())

    async def meta(self, key: str) -> str | None:
        """Return a note to ourselves."""
        row = await self._one(select(meta.c.value).where(meta.c.key == key))
        return None if row is None else str(row["value"])

    async def set_meta(self, key: str, value: str) -> None:
        """Keep a note to ourselves in place of an earlier one."""
        await self._run(
            self._insert(meta)
            .values(key=key, value=value)
            .on_conflict_do_update(index_elements=["key"], set_={"value": value})
        )


def _is_good(code_hash: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        invite.c.code_hash == code_hash,
        invite.c.used < invite.c.uses,
        invite.c.revoked_at.is_(None),
        or_(invite.c.expires_at.is_(None), invite.c.expires_at > now),
    )
