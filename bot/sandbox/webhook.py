"""Updates brought to the bot: one chat in order, chats side by side, again until the bot says yes."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress

import aiohttp

from bot.sandbox.refusals import Json, bad
from bot.sandbox.sending import Call
from bot.sandbox.world import World

USUAL_CONNECTIONS = 40
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
_PATIENCE = aiohttp.ClientTimeout(total=60)
Dispatch = Callable[[str, Json], Awaitable[object]]


def set_webhook(world: World, call: Call) -> bool:
    """Choose the address updates are brought to; an empty one returns to polling."""
    url = call.given.get("url", "")
    secret = call.given.get("secret_token", "")
    connections = call.given.get("max_connections", USUAL_CONNECTIONS)
    # Telegram takes https only; a stand-in on the same machine may be reached without.
    if url and not re.match(r"https?://[^\s/]+", url):
        raise bad("bad webhook: invalid webhook URL specified")
    if secret and not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", secret):
        raise bad("secret token contains unallowed characters")
    if not 1 <= connections <= 100:
        raise bad("max_connections must be between 1 and 100")
    if call.given.get("drop_pending_updates"):
        world.updates.confirm(world.updates.next_id)
    world.updates.allow(call.given.get("allowed_updates"))
    hook = {"url": url, "secret": secret, "connections": connections} if url else None
    world.profile.put("webhook", hook)
    return True


class Webhook:
    """Delivers while a webhook is set."""

    def __init__(self, world: World, dispatch: Dispatch) -> None:
        self.last_error: tuple[int, str] | None = None
        self._world = world
        self._dispatch = dispatch
        self._busy: set[object] = set()
        self._moving: dict[int, asyncio.Task[None]] = {}
        self._task: asyncio.Task[None] | None = None

    def follow(self) -> None:
        """Start, restart or stop delivering, as the webhook now set demands."""
        self.stop()
        if self._world.profile.get("webhook"):
            self._task = asyncio.ensure_future(self._deliver())

    def stop(self) -> None:
        """Stop delivering; what was not taken stays queued."""
        for task in [*self._moving.values(), *([self._task] if self._task else [])]:
            task.cancel()
        self._moving.clear()
        self._busy.clear()
        self._task = None

    def described(self) -> Json:
        """Return getWebhookInfo's answer."""
        hook = self._world.profile.get("webhook") or {}
        about: Json = {
            "url": hook.get("url", ""), "has_custom_certificate": False,
            "pending_update_count": len(self._world.updates.pending),
        }  # fmt: skip
        if hook:
            about |= {"max_connections": hook["connections"], "ip_address": "127.0.0.1"}
        if self._world.updates.allowed:
            about["allowed_updates"] = self._world.updates.allowed
        if hook and self.last_error:
            about |= {"last_error_date": self.last_error[0], "last_error_message": self.last_error[1]}
        return about

    async def _deliver(self) -> None:
        hook = self._world.profile.get("webhook")
        async with aiohttp.ClientSession(timeout=_PATIENCE) as session:
            while True:
                self._start_next(session, hook)
                arrival = self._world.updates.arrival()
                await asyncio.wait([arrival, *self._moving.values()], return_when=asyncio.FIRST_COMPLETED)

    def _start_next(self, session: aiohttp.ClientSession, hook: Json) -> None:
        free = hook["connections"] - len(self._moving)
        for update_id, update in self._world.updates.pending.items():
            if free <= 0:
                return
            chat = _chat_of(update)
            if update_id in self._moving or chat in self._busy:
                continue
            self._busy.add(chat)
            self._moving[update_id] = asyncio.ensure_future(self._bring(session, hook, update, chat))
            free -= 1

    async def _bring(self, session: aiohttp.ClientSession, hook: Json, update: Json, chat: object) -> None:
        headers = {"X-Telegram-Bot-Api-Secret-Token": hook["secret"]} if hook["secret"] else {}
        pause = _FIRST_PAUSE
        while (error := await self._post(session, hook["url"], update, headers)) is not None:
            self.last_error = (self._world.stamp(), error)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
        self._world.updates.delivered(update["update_id"])
        self._moving.pop(update["update_id"], None)
        self._busy.discard(chat)

    async def _post(
        self, session: aiohttp.ClientSession, url: str, update: Json, headers: dict[str, str]
    ) -> str | None:
        try:
            async with session.post(url, json=update, headers=headers, allow_redirects=False) as answer:
                if not 200 <= answer.status < 300:
                    return f"Wrong response from the webhook: {answer.status} {answer.reason}"
                body = await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            return f"Connection failed: {type(error).__name__}"
        if b'"method"' in body:
            with suppress(ValueError):
                reply: Json = json.loads(body)
                await self._dispatch(str(reply.pop("method", "")), reply)
        return None


def _chat_of(update: Json) -> object:
    content = next(value for name, value in update.items() if name != "update_id")
    message = content.get("message", content)
    return message.get("chat", {}).get("id") or content.get("from", {}).get("id")
