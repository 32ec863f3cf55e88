"""Everything the stand-in remembers, in one place, and brought back from the journal at start."""

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from bot.sandbox.changes import Changes
from bot.sandbox.chats import Chat, Chats
from bot.sandbox.clock import Clock, real_now
from bot.sandbox.files import Files
from bot.sandbox.journal import Journal
from bot.sandbox.messages import Message
from bot.sandbox.profile import Profile
from bot.sandbox.rates import Rates
from bot.sandbox.refusals import Json
from bot.sandbox.updates import Updates

BOT_ID = 7000000001
_KEPT_QUERIES = 10_000
_EPOCH = 1_735_689_600


@dataclass(slots=True)
class Query:
    """A pressed button that waits for its answer."""

    id: str
    user_id: int
    message_id: int
    answered: bool = False


class World:
    """State and the things that keep it."""

    def __init__(
        self,
        *,
        clock: Clock | None,
        path: Path | None,
        username: str,
        name: str,
        validate: bool,
        enforce: bool,
    ) -> None:
        self.clock = clock
        self.validate = validate
        # The names by which clients notice that the counting began anew.
        self.run = secrets.token_hex(4)
        self.journal = Journal(path)
        self.changes = Changes()
        # Ids begin at the seconds since 2025: a stand-in that forgot never gives an old id again.
        first = int(time.time()) - _EPOCH
        self.chats = Chats(self.journal, self.changes, first)
        self.updates = Updates(self.journal, first)
        self.profile = Profile(self.journal)
        self.files = Files(self.journal)
        self.rates = Rates(enforce=enforce)
        self.queries: dict[str, Query] = {}
        self.bot: Json = {"id": BOT_ID, "is_bot": True, "first_name": name, "username": username}

    def now(self) -> datetime:
        """Return the bot's moment."""
        return self.clock.now() if self.clock else real_now()

    def stamp(self) -> int:
        """Return the bot's moment as messages carry it."""
        return int(self.now().timestamp())

    def age(self, message: Message) -> timedelta:
        """Return how long ago a message was sent."""
        return timedelta(seconds=self.stamp() - int(message.body["date"]))

    def remember(self, query: Query) -> None:
        """Keep a pressed button until it is answered."""
        self.queries[query.id] = query
        if len(self.queries) > _KEPT_QUERIES:
            del self.queries[next(iter(self.queries))]
        self.journal.write("query", **asdict(query))

    def own_chat(self, user_id: int) -> Chat | None:
        """Return the private chat of a person."""
        return self.chats.all.get(user_id)

    def recall(self) -> None:
        """Bring back what the journal holds, and shorten it."""
        readers: dict[str, Callable[[Json], None]] = {
            "chat": self.chats.recall, "message": self.chats.recall, "gone": self.chats.recall,
            "update": self.updates.recall, "confirmed": self.updates.recall, "allowed": self.updates.recall,
            "delivered": self.updates.recall, "profile": self.profile.recall, "file": self._recall_file,
            "query": self._recall_query, "counters": self._recall_counters,
        }  # fmt: skip
        for record in self.journal.read():
            readers[record["is"]](record)
        self.journal.compact(self._records())

    def _recall_file(self, record: Json) -> None:
        self.files.recall({name: value for name, value in record.items() if name != "is"})

    def _recall_query(self, record: Json) -> None:
        query = Query(record["id"], record["user_id"], record["message_id"], record["answered"])
        self.queries[query.id] = query

    def _recall_counters(self, record: Json) -> None:
        self.chats.next_message = max(self.chats.next_message, record["message"])
        self.updates.next_id = max(self.updates.next_id, record["update"])

    def _records(self) -> Iterator[Json]:
        yield {"is": "counters", "message": self.chats.next_message, "update": self.updates.next_id}
        yield from self.profile.records()
        yield from self.files.records()
        yield from self.chats.records()
        yield from self.updates.records()
        for query in self.queries.values():
            yield {"is": "query", **asdict(query)}
