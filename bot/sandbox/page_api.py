"""People's side of the wire: the chat page, and everything it can do, as JSON over HTTP."""

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from bot.sandbox import views
from bot.sandbox.chats import Chat
from bot.sandbox.clock import TARGETS
from bot.sandbox.faults import Fault
from bot.sandbox.groups import Group
from bot.sandbox.page_acts import ACTS
from bot.sandbox.refusals import Json

if TYPE_CHECKING:
    from bot.sandbox.server import Sandbox

_PAGE = Path(__file__).with_name("page")
_FILES = {"/": "index.html"} | {f"/{name}": name for name in ("page.css", "page.js", "draw.js", "icon.svg")}
_POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'"
_HEARTBEAT = 15.0


class PageApi:
    """Routes for the page, for tests from other processes, and for the curious."""

    def __init__(self, sandbox: "Sandbox") -> None:
        self._sandbox = sandbox
        self._world = sandbox.world

    def add_to(self, app: web.Application) -> None:
        """Add the routes of the page."""
        for path in _FILES:
            app.router.add_get(path, self.page)
        app.router.add_get("/sandbox/people", self.people)
        app.router.add_post("/sandbox/people", self.add_person)
        app.router.add_get("/sandbox/chats/{id:-?\\d+}", self.changes)
        app.router.add_get("/sandbox/chats/{id:-?\\d+}/events", self.events)
        app.router.add_post("/sandbox/chats/{id:-?\\d+}/{act}", self.act)
        app.router.add_get("/sandbox/files/{id}", self.file)
        app.router.add_get("/sandbox/clock", self.clock)
        app.router.add_post("/sandbox/clock", self.jump)
        app.router.add_get("/sandbox/requests", self.requests)
        app.router.add_route("*", "/sandbox/faults", self.faults)

    async def page(self, request: web.Request) -> web.StreamResponse:
        """Serve the chat page itself."""
        headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"}
        return web.FileResponse(_PAGE / _FILES[request.path], headers=headers)

    async def people(self, _request: web.Request) -> web.Response:
        """List the people and groups."""
        chats = self._world.chats.all.values()
        return _json({"run": self._world.run, "people": [views.chat_view(chat) for chat in chats]})

    async def add_person(self, request: web.Request) -> web.Response:
        """Make one more person."""
        asked = await _asked(request)
        person = self._sandbox.person(
            str(asked.get("first_name") or "Ada")[:64],
            str(asked.get("language_code") or "en")[:8],
            asked.get("chat_id"),
        )
        return _json(views.chat_view(person.chat))

    async def changes(self, request: web.Request) -> web.Response:
        """Tell what changed in a chat after a cursor, waiting for it when asked to."""
        chat = self._chat(request)
        run, after = request.query.get("run", ""), int(request.query.get("after", 0))
        if run == self._world.run and after > 0:
            await self._wait(after, chat.id, min(float(request.query.get("timeout", 0)), 60))
        return _json(views.changes_view(self._world, chat, run, after))

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Stream a chat's changes as they happen."""
        chat = self._chat(request)
        mark = request.headers.get("Last-Event-ID") or request.query.get("mark", "")
        run, _, after = mark.partition(":")
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        await response.prepare(request)
        cursor = int(after) if after.isdigit() else 0
        while True:
            view = views.changes_view(self._world, chat, run, cursor)
            run, cursor = self._world.run, view["cursor"]
            await response.write(f"id: {run}:{cursor}\ndata: {json.dumps(view)}\n\n".encode())
            while not await self._wait(cursor, chat.id, _HEARTBEAT):
                await response.write(b": still here\n\n")

    async def act(self, request: web.Request) -> web.Response:
        """Let a person do something."""
        person = self._sandbox.find_person(int(request.match_info["id"]))
        asked = await _asked(request)
        do = ACTS.get(request.match_info["act"])
        if do is None:
            raise LookupError(f"nobody can {request.match_info['act']!r} here")
        group = self._world.chats.all.get(int(asked.pop("group", 0)))
        done = await do(person, {**asked, **({"group": Group(group)} if group else {})})
        return _json({"ok": True, "id": getattr(done, "id", done)})

    async def file(self, request: web.Request) -> web.Response:
        """Show a picture, or hand out a file to keep."""
        kept = self._world.files.find(request.match_info["id"])
        if kept is None:
            raise LookupError("no such file")
        content = self._world.files.content(kept)
        headers = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox"}
        if kept.width:
            kind = "image/png" if content.startswith(b"\x89PNG") else "image/jpeg"
            return web.Response(body=content, content_type=kind, headers=headers)
        plain = "".join(
            char if char.isascii() and char.isprintable() and char != '"' else "_" for char in kept.name
        )
        headers["Content-Disposition"] = f'attachment; filename="{plain}"'
        return web.Response(body=content, content_type="application/octet-stream", headers=headers)

    async def clock(self, _request: web.Request) -> web.Response:
        """Tell the bot's date and time."""
        return _json(views.clock_view(self._world))

    async def jump(self, request: web.Request) -> web.Response:
        """Move the bot's clock forward."""
        target = (await _asked(request)).get("target")
        if self._world.clock is None or target not in TARGETS:
            raise ValueError(f"the clock cannot go to {target!r}")
        await self._world.clock.jump(target)
        self._world.changes.bump()
        return _json(views.clock_view(self._world))

    async def requests(self, request: web.Request) -> web.Response:
        """Tell what the bot asked, and what Telegram would not have liked."""
        wanted = request.query.get("method")
        found = [asked for asked in self._sandbox.requests if wanted in {None, asked.method}]
        listed = [{**asdict(asked), "at": asked.at.isoformat()} for asked in found]
        limits = self._world.rates.violations
        complaints = list(self._sandbox.complaints)
        return _json({"requests": listed, "complaints": complaints, "rate_violations": limits})

    async def faults(self, request: web.Request) -> web.Response:
        """List, add or end the trouble to come."""
        faults = self._sandbox.faults
        if request.method == "POST":
            asked = await _asked(request)
            if "seed" in asked:
                faults.seed(int(asked.pop("seed")))
            if asked:
                faults.add(Fault(**asked))
        elif request.method == "DELETE":
            faults.clear()
        return _json({"waiting": faults.listed(), "struck": faults.struck[-100:]})

    def _chat(self, request: web.Request) -> Chat:
        chat = self._world.chats.all.get(int(request.match_info["id"]))
        if chat is None:
            raise LookupError("no such chat")
        return chat

    async def _wait(self, after: int, chat_id: int, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._world.changes.wait(after, chat_id), seconds)
        except TimeoutError:
            return False
        return True


async def _asked(request: web.Request) -> Json:
    # A form cannot send this type, so no other site can make a browser send it unasked.
    if request.content_type != "application/json":
        raise ValueError("JSON expected")
    asked = await request.json()
    if not isinstance(asked, dict):
        raise TypeError("an object expected")
    return asked


def _json(body: object, status: int = 200) -> web.Response:
    return web.json_response(body, status=status, headers={"Cache-Control": "no-store"})
