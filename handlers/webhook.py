"""Takes updates that Telegram pushes: checked by their secret, answered only after they are kept."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from urllib.parse import urlsplit

from aiohttp import web
from telegram.error import InvalidToken, TelegramError

from handlers.transport import QuietBot, reason_of
from handlers.updates import KINDS, Intake, TokenRefused

CONNECTIONS = 100  # at most so many at once, as Telegram is told
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105  # a name, not a secret
log = logging.getLogger(__name__)


class Webhook:
    """The pushed side of the intake: `routes` for the HTTP server, `meet` to tell Telegram the address.

    Every replica derives the same secret from the token, so that none has to be shared or stored.
    """

    def __init__(self, bot: QuietBot, intake: Intake, url: str, token: str) -> None:
        self._bot = bot
        self._intake = intake
        self._url = url
        self._stopping = False
        self._secret = hmac.new(token.encode(), b"quietlegs webhook", hashlib.sha256).hexdigest()

    def routes(self) -> list[web.RouteDef]:
        """Return the route that Telegram posts to: the path of WEBHOOK_URL."""
        return [web.post(urlsplit(self._url).path or "/", self._take)]

    async def meet(self) -> None:
        """Tell Telegram where to push; pending updates are kept. Raises TelegramError."""
        await self._bot.set_webhook(
            self._url,
            secret_token=self._secret,
            allowed_updates=list(KINDS),
            max_connections=CONNECTIONS,
            drop_pending_updates=False,
        )
        log.info("webhook set")

    def stop(self) -> None:
        """Take nothing more; Telegram keeps it, or another replica takes it."""
        self._stopping = True

    async def _take(self, request: web.Request) -> web.Response:
        """Answer 200 once the update is on disk; anything else makes Telegram send it again."""
        given = request.headers.get(SECRET_HEADER, "")
        if not hmac.compare_digest(given.encode(errors="surrogateescape"), self._secret.encode()):
            log.warning("webhook refused", extra={"reason": "wrong secret"})
            return web.Response(status=403)
        if self._stopping:
            return web.Response(status=503)
        try:
            raw = json.loads(await request.read())  # of a length that the server bounds
            int(raw["update_id"])
        except (ValueError, KeyError, TypeError):
            return web.Response(status=400)
        try:
            await self._intake.take_in([raw])
        except Exception:
            log.exception("update not kept")
            return web.Response(status=500)
        return web.Response()


async def meet_in_turn(webhook: Webhook) -> bool:
    """Tell Telegram the address; False, and a line in the log, when it could not be. Raises TokenRefused."""
    try:
        await webhook.meet()
    except InvalidToken:
        raise TokenRefused from None
    except TelegramError as error:
        log.warning("webhook not set", extra={"reason": reason_of(error)})
        return False
    return True
