"""The bot's side of the wire: requests read, troubled, carried out, recorded and answered."""

import asyncio
import json
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web

from bot.sandbox.faults import Fault, Faults
from bot.sandbox.files import LARGEST_UPLOAD, Upload
from bot.sandbox.methods import Methods
from bot.sandbox.refusals import Json, Refused, bad
from bot.sandbox.sending import Call

RECORDED = 5000
LARGEST_REQUEST = LARGEST_UPLOAD + 1024 * 1024


@dataclass(slots=True)
class Request:
    """One request of the bot, without its token."""

    method: str
    params: Json
    files: tuple[str, ...]
    at: datetime
    status: int = 0

    def text(self) -> str:
        """Return the text or caption it carries."""
        return str(self.params.get("text") or self.params.get("caption") or "")


class BotApi:
    """Answers as Telegram's servers would."""

    def __init__(self, methods: Methods, faults: Faults, tokens: frozenset[str] | None) -> None:
        self.requests: deque[Request] = deque(maxlen=RECORDED)
        self.complaints: deque[str] = deque(maxlen=RECORDED)
        self.served = 0
        self._methods = methods
        self._faults = faults
        self._tokens = tokens

    def add_to(self, app: web.Application) -> None:
        """Add the routes of the Bot API."""
        app.router.add_route("*", "/bot{token:[^/]+}/{method}", self.handle)
        app.router.add_get("/file/bot{token:[^/]+}/{path:.+}", self.file)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request of the bot."""
        if not self._known(request):
            return _answer(Refused(401, "Unauthorized").body(), 401)
        try:
            call = await _read(request)
        except ValueError:
            return _answer(Refused(400, "Bad Request: can't parse the request").body(), 400)
        chat_id = call.given.get("chat_id")
        fault = self._faults.take(call.method, None if chat_id is None else str(chat_id))
        if fault is None:
            return _answer(*await self._carry_out(call))
        if fault.kind == "delay" and not fault.after:
            await asyncio.sleep(fault.seconds)
            return _answer(*await self._carry_out(call))
        if fault.after:
            done = await self._carry_out(call)
            if fault.kind == "delay":
                await asyncio.sleep(fault.seconds)
                return _answer(*done)
            return await _trouble(request, fault)
        self._record(call).status = -1
        return await _trouble(request, fault)

    async def file(self, request: web.Request) -> web.StreamResponse:
        """Hand out a file by the path that getFile named."""
        files = self._methods.world.files
        kept = files.by_path(request.match_info["path"])
        if not self._known(request) or kept is None:
            return _answer(Refused(404, "Not Found").body(), 404)
        return web.Response(body=files.content(kept), content_type="application/octet-stream")

    def _known(self, request: web.Request) -> bool:
        return self._tokens is None or request.match_info["token"] in self._tokens

    def _record(self, call: Call) -> Request:
        recorded = Request(call.method, call.given, tuple(call.uploads), self._methods.world.now())
        self.requests.append(recorded)
        self.served += 1
        return recorded

    async def _carry_out(self, call: Call) -> tuple[Json, int]:
        recorded = self._record(call)
        try:
            result, strange = await self._understood(call)
        except Refused as refused:
            recorded.status = refused.code
            if refused.code in {400, 404}:
                self.complaints.append(f"{call.method}: {refused.description}")
            return refused.body(), refused.code
        recorded.status = 200
        if strange and self._methods.world.validate:
            self.complaints.append(f"{call.method}: unknown parameters {', '.join(strange)}")
        return {"ok": True, "result": result}, 200

    async def _understood(self, call: Call) -> tuple[object, list[str]]:
        try:
            return await self._methods.carry_out(call)
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            # A nested value of an unexpected shape; what it was stands in the complaint.
            raise bad(f"can't parse the request: {error!r}") from error


async def _read(request: web.Request) -> Call:
    given: dict[str, Any] = dict(request.query)
    uploads: dict[str, Upload] = {}
    if request.content_type == "application/json":
        body = await request.json()
        if not isinstance(body, dict):
            raise ValueError(body)
        given |= body
    elif request.can_read_body:
        for name, value in (await request.post()).items():
            if isinstance(value, web.FileField):
                uploads[name] = Upload(value.filename, value.content_type, value.file.read())
            else:
                given[name] = value if isinstance(value, str) else bytes(value).decode()
    return Call(request.match_info["method"], given, uploads)


async def _trouble(request: web.Request, fault: Fault) -> web.StreamResponse:
    if fault.kind == "retry_after":
        seconds = int(fault.seconds)
        return _answer(
            Refused(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds).body(), 429
        )
    if fault.kind == "status":
        return _answer(Refused(fault.status, "Internal Server Error").body(), fault.status)
    if fault.kind == "garbage":
        return web.Response(text="<html>not what you expected", content_type="text/html")
    if fault.kind == "hang":
        # Ends when the caller gives up, or the server stops.
        await asyncio.Event().wait()
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _answer(body: Json, status: int) -> web.Response:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return web.Response(text=text, status=status, content_type="application/json")
