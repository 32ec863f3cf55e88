"""The inbox: an update is on disk before Telegram hears that it came, and done when its reply is out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import and_, bindparam, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bot.storage.prepared import Prepared, listed_for_file, listed_for_server
from bot.storage.statements import PRUNED_AT_ONCE, Statements
from bot.storage.tables import inbox

_KEEP_PG, _KEEP_FILE = (
    insert(inbox).on_conflict_do_nothing().returning(inbox.c.update_id)
    for insert in (postgresql.insert, sqlite.insert)
)
KEEP = Prepared(
    _KEEP_PG,
    ("update_id", "chat_id", "payload", "received_at", "attempts", "owner", "lease_until"),
    _KEEP_FILE,
)
# What it said and who sent it are forgotten.
_DONE = update(inbox).values(done_at=bindparam("now"), payload="", chat_id=None)
DONE = Prepared(
    _DONE.where(listed_for_server(inbox.c.update_id, "ids")),
    file_statement=_DONE.where(listed_for_file(inbox.c.update_id, "ids")),
)


class Updates(Statements):
    """The questions about updates."""

    async def keep_updates(
        self,
        rows: Sequence[tuple[int, int | None, str]],
        now: datetime,
        owner: str | None = None,
        lease_until: datetime | None = None,
    ) -> list[int]:
        """Keep updates (id, chat, payload) for *owner*; return the ids of the new ones, in their order."""
        if not rows:
            return []
        values = [
            {
                "update_id": number,
                "chat_id": chat,
                "payload": payload,
                "received_at": now,
                "attempts": 0,
                "owner": owner,
                "lease_until": lease_until,
            }
            for number, chat, payload in rows
        ]
        new = set(await self._add(KEEP, values))
        return [number for number in dict.fromkeys(row[0] for row in rows) if number in new]

    async def undone_updates(self) -> list[tuple[int, int | None, str]]:
        """Return the updates (id, chat, payload) whose reply is not out, in the order they came."""
        rows = await self._all(
            select(inbox.c.update_id, inbox.c.chat_id, inbox.c.payload)
            .where(inbox.c.done_at.is_(None))
            .order_by(inbox.c.received_at, inbox.c.update_id)
        )
        return [(row["update_id"], row["chat_id"], row["payload"]) for row in rows]

    async def take_undone(
        self, owner: str, lease_until: datetime, real_now: datetime, chats: Collection[int] = ()
    ) -> list[tuple[int, int | None, str]]:
        """Take over the undone updates whose lease has ended (a replica died), in the order they came.

        Of *chats* those that are *owner*'s already come as well.
        """
        free = or_(inbox.c.lease_until.is_(None), inbox.c.lease_until <= real_now)
        if chats:
            free |= and_(inbox.c.owner == owner, inbox.c.chat_id.in_(chats))
        mine = (
            select(inbox.c.update_id)
            .where(inbox.c.done_at.is_(None), free)
            .order_by(inbox.c.received_at, inbox.c.update_id)
            .with_for_update(skip_locked=True)
            .cte("mine")
        )
        rows = await self._all(
            update(inbox)
            .where(inbox.c.update_id.in_(select(mine.c.update_id)))
            .values(owner=owner, lease_until=lease_until)
            .returning(inbox.c.update_id, inbox.c.chat_id, inbox.c.payload, inbox.c.received_at)
        )
        taken = sorted(rows, key=lambda row: (row["received_at"], row["update_id"]))
        return [(row["update_id"], row["chat_id"], row["payload"]) for row in taken]

    async def renew_updates(
        self,
        owner: str,
        lease_until: datetime,
        update_ids: Collection[int],
        chats: Collection[int] = (),
    ) -> int:
        """Renew the lease of these undone updates of *owner*, and of its own of *chats*; return how many."""
        if not update_ids and not chats:
            return 0
        these = or_(inbox.c.update_id.in_(update_ids), inbox.c.chat_id.in_(chats))
        mine = update(inbox).where(inbox.c.owner == owner, inbox.c.done_at.is_(None), these)
        return (await self._run(mine.values(lease_until=lease_until))).rowcount

    async def leave_updates(self, owner: str) -> int:
        """Let anybody take over the undone updates of *owner*, who ends; return how many."""
        mine = update(inbox).where(inbox.c.owner == owner, inbox.c.done_at.is_(None))
        return (await self._run(mine.values(lease_until=None))).rowcount

    async def updates_done(self, update_ids: Collection[int], now: datetime) -> None:
        """Mark updates as done and forget what they said and who sent them."""
        await self._do(DONE, ids=[*update_ids], now=now)

    async def update_failed(self, update_id: int, now: datetime) -> int:
        """Count a failed attempt at an update; return the attempts so far, 0 if it is gone."""
        row = await self._one(
            update(inbox)
            .where(inbox.c.update_id == update_id)
            .values(attempts=inbox.c.attempts + 1, failed_at=now)
            .returning(inbox.c.attempts)
        )
        return 0 if row is None else int(row["attempts"])

    async def prune_inbox(
        self, before: datetime, after: int = 0, most: int = PRUNED_AT_ONCE
    ) -> tuple[int, int | None]:
        """Delete done updates received before a moment, a part at a time as `prune_sendings` does."""
        old = and_(inbox.c.done_at.is_not(None), inbox.c.received_at < before)
        return await self._prune(inbox.c.update_id, old, after, most)
