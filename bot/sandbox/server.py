"""The stand-in as a whole: a Bot API server, a chat page, and people to talk to, on one address."""

import asyncio
from collections import deque
from collections.abc import Iterable
from pathlib import Path

from aiohttp import web

from bot.sandbox.bot_api import LARGEST_REQUEST, BotApi, Request
from bot.sandbox.chats import Chat
from bot.sandbox.clock import Clock
from bot.sandbox.faults import Faults
from bot.sandbox.methods import Methods
from bot.sandbox.origins import same_origin
from bot.sandbox.page_api import PageApi
from bot.sandbox.people import Person
from bot.sandbox.world import World

_GRACE = 0.2  # seconds for requests under way when the address closes


class Sandbox:
    """A Telegram of one's own, for trying the bot and for its tests."""

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        journal: Path | None = None,
        username: str = "quietlegs_bot",
        name: str = "Quietlegs",
        validate: bool = True,
        enforce_limits: bool = False,
        tokens: Iterable[str] | None = None,
    ) -> None:
        self.world = World(
            clock=clock, path=journal, username=username, name=name, validate=validate, enforce=enforce_limits
        )
        self.faults = Faults()
        self._methods = Methods(self.world)
        self._api = BotApi(self._methods, self.faults, frozenset(tokens) if tokens is not None else None)
        self._people: dict[int, Person] = {}
        self._runner: web.AppRunner | None = None
        self.url = ""
        self.world.recall()

    @property
    def requests(self) -> deque[Request]:
        """The bot's latest requests, oldest first."""
        return self._api.requests

    @property
    def complaints(self) -> deque[str]:
        """What real Telegram would have refused or not known."""
        return self._api.complaints

    @property
    def served(self) -> int:
        """How many requests of the bot came in."""
        return self._api.served

    @property
    def rate_violations(self) -> int:
        """How many messages went over Telegram's limits."""
        return self.world.rates.violations

    @property
    def people(self) -> list[Person]:
        """Everyone there is, oldest first."""
        return [self.find_person(chat.id) for chat in self.world.chats.all.values() if chat.private]

    def person(
        self, first_name: str = "Ada", language_code: str = "en", chat_id: int | None = None
    ) -> Person:
        """Make a person who has not begun to talk to the bot."""
        number = chat_id or self.world.chats.free_id()
        if number in self.world.chats.all:
            raise ValueError(f"somebody has the id {number}")
        if not 0 < number < 2**52:
            raise ValueError("an id of a person is a positive number of at most 52 bits")
        user = {
            "id": number, "is_bot": False, "first_name": first_name, "language_code": language_code,
        }  # fmt: skip
        self.world.chats.keep(Chat({"id": number, "type": "private", "first_name": first_name}, user))
        # Every open page lists the people.
        self.world.changes.bump()
        return self.find_person(number)

    def find_person(self, chat_id: int) -> Person:
        """Return the person with this id."""
        chat = self.world.chats.all.get(chat_id)
        if chat is None or not chat.private:
            raise LookupError(f"nobody has the id {chat_id}")
        return self._people.setdefault(chat_id, Person(self.world, chat))

    def asked(self, method: str) -> list[Request]:
        """Return the recorded requests for one method, oldest first."""
        return [request for request in self.requests if request.method.lower() == method.lower()]

    async def changed(self, after: int, timeout: float = 5) -> int:
        """Return the new cursor once anything changed after *after*, or the same when the time is up."""
        try:
            return await asyncio.wait_for(self.world.changes.wait(after), timeout)
        except TimeoutError:
            return self.world.changes.cursor

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Open the address and return it, without a slash at its end."""
        app = web.Application(client_max_size=LARGEST_REQUEST, middlewares=[same_origin])
        self._api.add_to(app)
        PageApi(self).add_to(app)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=_GRACE)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        bound = self._runner.addresses[0]
        shown = f"[{bound[0]}]" if ":" in bound[0] else bound[0]
        self.url = f"http://{shown}:{bound[1]}"
        self._methods.webhook.follow()
        return self.url

    async def stop(self) -> None:
        """Close the address and let go of the journal."""
        self._methods.webhook.stop()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        self.world.journal.close()


async def serve(
    host: str = "127.0.0.1",
    port: int = 8081,
    journal: Path | None = None,
    *,
    clock: Clock | None = None,
    ready: asyncio.Future[str] | None = None,
) -> None:
    """Run a sandbox with one person in it until cancelled; *ready* learns its address."""
    sandbox = Sandbox(clock=clock, journal=journal)
    if not sandbox.people:
        sandbox.person("You")
    try:
        url = await sandbox.start(host, port)
        if ready is not None:
            ready.set_result(url)
        await asyncio.Event().wait()
    finally:
        await sandbox.stop()
