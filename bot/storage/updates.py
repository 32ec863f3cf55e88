"""The inbox: an update is on disk before Telegram hears that it came, and done when its reply is out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select, update

from bot.storage.statements import Statements
from bot.storage.tables import inbox


class Updates(Statements):
    """The questions about updates."""

    async def keep_updates(self, rows: Sequence[tuple[int, int | None, str]], now: datetime) -> list[int]:
        """Keep updates (id, chat, payload); return the ids of those that are new, in their order."""
        if not rows:
            return []
        values = [
            {"update_id": number, "chat_id": chat, "payload": payload, "received_at": now, "attempts": 0}
            for number, chat, payload in rows
        ]
        kept = await self._all(
            self._insert(inbox).values(values).on_conflict_do_nothing().returning(inbox.c.update_id)
        )
        new = {row["update_id"] for row in kept}
        return [number for number in dict.fromkeys(row[0] for row in rows) if number in new]

    async def undone_updates(self) -> list[tuple[int, int | None, str]]:
        """Return the updates (id, chat, payload) whose reply is not out, in the order they came."""
        rows = await self._all(
            select(inbox.c.update_id, inbox.c.chat_id, inbox.c.payload)
            .where(inbox.c.done_at.is_(None))
            .order_by(inbox.c.received_at, inbox.c.update_id)
        )
        return [(row["update_id"], row["chat_id"], row["payload"]) for row in rows]

    async def update_done(self, update_id: int, now: datetime) -> None:
        """Mark an update as done and forget what it said."""
        await self._run(update(inbox).where(inbox.c.update_id == update_id).values(done_at=now, payload=""))

    async def update_failed(self, update_id: int, now: datetime) -> int:
        """Count a failed attempt at an update; return the attempts so far, 0 if it is gone."""
        row = await self._one(
            update(inbox)
            .where(inbox.c.update_id == update_id)
            .values(attempts=inbox.c.attempts + 1, failed_at=now)
            .returning(inbox.c.attempts)
        )
        return 0 if row is None else int(row["attempts"])

    async def prune_inbox(self, before: datetime) -> int:
        """Delete done updates received before a moment; return how many."""
        old = delete(inbox).where(inbox.c.done_at.is_not(None), inbox.c.received_at < before)
        return (await self._run(old)).rowcount
