"""The queue of updates: kept until the bot confirms them, in order, by one reader at a time."""

import asyncio
import itertools

from bot.sandbox.journal import Journal
from bot.sandbox.refusals import Json, Refused

ON_REQUEST_ONLY = {"chat_member", "message_reaction", "message_reaction_count"}


class Updates:
    """Updates that wait for the bot."""

    def __init__(self, journal: Journal, first_update: int) -> None:
        self.pending: dict[int, Json] = {}
        self.next_id = first_update
        self.allowed: list[str] | None = None
        self._journal = journal
        self._arrivals: set[asyncio.Future[None]] = set()
        self._reader: asyncio.Future[None] | None = None

    def add(self, kind: str, content: Json) -> None:
        """Queue one update, unless the bot asked not to hear of its kind."""
        wanted = kind in self.allowed if self.allowed else kind not in ON_REQUEST_ONLY
        if not wanted:
            return
        update: Json = {"update_id": self.next_id, kind: content}
        self._journal.write("update", update=update)
        self.pending[self.next_id] = update
        self.next_id += 1
        while self._arrivals:
            arrived = self._arrivals.pop()
            if not arrived.done():
                arrived.set_result(None)

    def confirm(self, before: int) -> None:
        """Forget every update older than *before*."""
        known = list(itertools.takewhile(lambda update_id: update_id < before, self.pending))
        for update_id in known:
            del self.pending[update_id]
        if known:
            self._journal.write("confirmed", before=before)

    def delivered(self, update_id: int) -> None:
        """Forget one update that a webhook has taken."""
        if self.pending.pop(update_id, None) is not None:
            self._journal.write("delivered", id=update_id)

    def allow(self, kinds: list[str] | None) -> None:
        """Choose the kinds of update to come; an empty list means the usual ones."""
        if kinds is not None and (kinds or None) != self.allowed:
            self.allowed = kinds or None
            self._journal.write("allowed", kinds=self.allowed)

    def arrival(self) -> asyncio.Future[None]:
        """Return a future that is done once an update is queued."""
        # Made at once, not in a task that starts later: an update between the two would be missed.
        arrived: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._arrivals.add(arrived)
        return arrived

    async def read(self, offset: int, limit: int, seconds: float) -> list[Json]:
        """Return the updates from *offset* on, waiting for the first if there is none."""
        self._take_over()
        if offset < 0:
            # A negative offset counts from the end and forgets what came before.
            self.confirm(([*self.pending][offset:] or [self.next_id])[0])
        else:
            self.confirm(offset)
        if not self.pending and seconds > 0:
            await self._wait(seconds)
        return list(itertools.islice(self.pending.values(), limit))

    def _take_over(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)
        self._reader = None

    async def _wait(self, seconds: float) -> None:
        replaced: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._reader = replaced
        arrived = self.arrival()
        both = {arrived, replaced}
        try:
            await asyncio.wait(both, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._arrivals.discard(arrived)
            if self._reader is replaced:
                self._reader = None
        if replaced.done():
            raise Refused(
                409,
                "Conflict: terminated by other getUpdates request; "
                "make sure that only one bot instance is running",
            )

    def recall(self, record: Json) -> None:
        """Take one change of the queue back from the journal."""
        if record["is"] == "update":
            update = record["update"]
            self.pending[update["update_id"]] = update
            self.next_id = max(self.next_id, update["update_id"] + 1)
        elif record["is"] == "confirmed":
            self.pending = {key: value for key, value in self.pending.items() if key >= record["before"]}
            self.next_id = max(self.next_id, record["before"])
        elif record["is"] == "delivered":
            self.pending.pop(record["id"], None)
        else:
            self.allowed = record["kinds"]

    def records(self) -> list[Json]:
        """Return the queue as journal records."""
        allowed: list[Json] = [{"is": "allowed", "kinds": self.allowed}]
        return allowed + [{"is": "update", "update": update} for update in self.pending.values()]
