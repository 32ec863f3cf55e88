"""Carries requests to the Bot API on aiohttp, fast and quiet; says whether a failed one may have arrived."""

from __future__ import annotations

import datetime as dt
import json
import os
import urllib.request
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, cast

import aiohttp
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)
from telegram.ext import ExtBot
from telegram.request import BaseRequest, RequestData
from yarl import URL

from bot.messages import DeliveryError, Fate

# The library's coming way to give a wait; the old one warns each time Telegram asks for one.
os.environ.setdefault("PTB_TIMEDELTA", "1")

# What Telegram says of people who are gone, in its own words.
GONE = (
    "chat not found",
    "user is deactivated",
    "user not found",
    "peer_id_invalid",
    "bot was blocked by the user",
)
# Refusals that may be logged: fixed phrases, with nothing of a message in them.
PHRASES = (
    *GONE,
    "message is not modified",
    "message to edit not found",
    "message can't be edited",
    "message text is empty",
    "message is too long",
    "message caption is too long",
    "there is no text in the message to edit",
    "can't parse entities",
    "query is too old",
    "query_id_invalid",
    "wrong file identifier",
    "wrong remote file identifier",
    "button_data_invalid",
    "image_process_failed",
    "photo_invalid_dimensions",
)
NOWHERE = URL()  # encodes a form in a tenth of the time that urllib takes
HERE = ("localhost", "127.0.0.1", "::1")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}  # what every Bot API server reads
Seconds = Any  # a number, None for no limit, or the library's mark for "not given"
BEFORE_SENDING = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientHttpProxyError,
    aiohttp.ServerFingerprintMismatch,
    aiohttp.InvalidURL,
)


class Lost(Exception):
    """Why a request had no answer: the kind of failure, and whether it can have reached the server.

    It stands in for the client's own exception, whose words hold the address and so the token.
    """

    def __init__(self, kind: str, may_have_arrived: bool) -> None:
        super().__init__(f"{kind}, {'may have arrived' if may_have_arrived else 'not sent'}")
        self.kind = kind
        self.may_have_arrived = may_have_arrived


class Fields:
    """The fields of a call, where the library has its RequestData; what is no text goes as JSON."""

    contains_files = False

    def __init__(self, parameters: Mapping[str, object], more: bytes = b"") -> None:
        """Take the fields, and *more* of them as `form` made them: what many calls share is made once."""
        self.body = form(parameters) + (b"&" + more if more else b"")


def form(parameters: Mapping[str, object]) -> bytes:
    """Return fields as they go over the wire, None left out; what is neither text nor number goes as JSON."""
    given = {
        name: value if isinstance(value, str) or type(value) is int else json.dumps(value)
        for name, value in parameters.items()
        if value is not None
    }
    return NOWHERE.with_query(given).raw_query_string.encode()


class AiohttpRequest(BaseRequest):
    """The library's requests on one aiohttp session with kept connections; timeouts are in seconds."""

    __slots__ = (
        "_connect",
        "_connections",
        "_files",
        "_media_write",
        "_pool",
        "_proxies",
        "_read",
        "_session",
        "_write",
    )

    def __init__(
        self,
        connections: int = 256,
        read_timeout: float | None = 10.0,
        write_timeout: float | None = 10.0,
        connect_timeout: float | None = 10.0,
        pool_timeout: float | None = 30.0,
        media_write_timeout: float | None = 30.0,
    ) -> None:
        self._connections = connections
        self._read = read_timeout
        self._write = write_timeout
        self._connect = connect_timeout
        self._pool = pool_timeout
        self._media_write = media_write_timeout
        self._session: aiohttp.ClientSession | None = None
        self._files: aiohttp.ClientSession | None = None  # on the same connections
        self._proxies: dict[tuple[str, str], str | None] = {}

    @property
    def read_timeout(self) -> float | None:
        """Return the usual seconds to wait for an answer."""
        return self._read

    async def initialize(self) -> None:
        """Open the session; safe to call twice."""
        if self._session is None or self._session.closed:
            self._proxies.clear()
            connector = aiohttp.TCPConnector(limit=self._connections, ttl_dns_cache=60)
            # Headers brought along are merged anew each time, so files have a session of their own.
            self._session = self._speaking(connector, FORM)
            self._files = self._speaking(connector, {})

    async def shutdown(self) -> None:
        """Close every connection; safe to call twice."""
        for session in (self._files, self._session):
            if session is not None:
                await session.close()

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Seconds = BaseRequest.DEFAULT_NONE,
        write_timeout: Seconds = BaseRequest.DEFAULT_NONE,
        connect_timeout: Seconds = BaseRequest.DEFAULT_NONE,
        pool_timeout: Seconds = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        """Return status and body of one request; raises TimedOut or NetworkError with a Lost as its cause."""
        has_files = request_data is not None and request_data.contains_files
        session = self._files if has_files else self._session
        if session is None or session.closed:
            raise RuntimeError("This AiohttpRequest is not initialized!")
        timeout = _timeout(
            read=_chosen(read_timeout, self._read),
            write=_chosen(write_timeout, self._media_write if has_files else self._write),
            connect=_chosen(connect_timeout, self._connect),
            pool=_chosen(pool_timeout, self._pool),
        )
        address = _parsed(url)
        try:
            # A redirect would carry the token to another host.
            async with session.request(
                method,
                address,
                data=_body(request_data),
                timeout=timeout,
                proxy=self._proxy(address),
                allow_redirects=False,
            ) as response:
                return response.status, await response.read()
        except TimeoutError as error:
            raise TimedOut from _lost(error)
        except (aiohttp.ClientError, OSError) as error:
            raise NetworkError(type(error).__name__) from _lost(error)

    @staticmethod
    def parse_json_payload(payload: bytes) -> Any:
        """Read an answer without logging it, as the library would; raises TelegramError for garbage."""
        try:
            answer = json.loads(payload)
        except ValueError:
            answer = None
        if not isinstance(answer, dict) or not ("result" in answer or answer.get("ok") is False):
            raise TelegramError("Invalid server response")
        return answer

    def _speaking(self, connector: aiohttp.TCPConnector, headers: Mapping[str, str]) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=connector,
            connector_owner=bool(headers),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": self.USER_AGENT, **headers},
        )

    def _proxy(self, url: URL) -> str | None:
        # Asked once per host: the client itself would ask a thread for every request.
        place = (url.scheme, url.host or "")
        if place not in self._proxies:
            passed = place[1] in HERE or urllib.request.proxy_bypass(place[1])
            self._proxies[place] = None if passed else urllib.request.getproxies().get(place[0])
        return self._proxies[place]


class QuietBot(ExtBot[None]):
    """The library's bot, with a repr that does not hold its token and updates as they came over the wire."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Return the class alone."""
        return type(self).__name__

    async def let_go(self) -> None:
        """Close every connection, also when Telegram was never met; safe to call twice."""
        for request in self._request:
            await request.shutdown()

    async def call(self, method: str, fields: Mapping[str, object], more: bytes = b"") -> Any:
        """Call a method with plain fields, None left out, and return its result as it came.

        *more* are fields that `form` has made before. It costs half of the library's own method, which builds
        objects both ways; raises TelegramError.
        """
        given = cast("RequestData", Fields(fields, more))
        return await self.request.post(f"{self.base_url}/{method}", given)

    async def raw_updates(
        self, offset: int | None, seconds: int, kinds: Sequence[str]
    ) -> list[dict[str, Any]]:
        """Wait up to *seconds* for updates and return them unparsed; raises TelegramError."""
        asked = {"offset": offset, "timeout": seconds, "limit": 100, "allowed_updates": list(kinds)}
        given = {name: value for name, value in asked.items() if value is not None}
        answer = await self._post("getUpdates", given, read_timeout=seconds + 10)
        if not isinstance(answer, list):
            raise TelegramError("Invalid server response")
        return cast("list[dict[str, Any]]", answer)


def make_bot(token: str, api_url: str = "https://api.telegram.org", connections: int = 256) -> QuietBot:
    """Return a bot that speaks to the server whose root address is *api_url*, on this transport."""
    root = api_url.rstrip("/")
    return QuietBot(
        token,
        base_url=f"{root}/bot",
        base_file_url=f"{root}/file/bot",
        request=AiohttpRequest(connections),
        get_updates_request=AiohttpRequest(connections=2),
    )


def fate_of(error: TelegramError) -> Fate:
    """Say what became of a message whose sending failed so; raises the error when the bot must stop."""
    if isinstance(error, InvalidToken | Conflict):
        raise error
    if isinstance(error, RetryAfter):
        return Fate.WAIT
    if isinstance(error, Forbidden):
        return Fate.BLOCKED
    if isinstance(error, BadRequest):
        return Fate.BLOCKED if any(words in str(error).lower() for words in GONE) else Fate.REFUSED
    if isinstance(error, ChatMigrated):
        return Fate.REFUSED
    cause = error.__cause__
    if isinstance(cause, Lost) and not cause.may_have_arrived:
        return Fate.NOT_SENT
    return Fate.UNKNOWN


def delivery_error(error: TelegramError) -> DeliveryError:
    """Return the same failure in the house's words, none of them the message's; may raise as fate_of does."""
    return DeliveryError(fate_of(error), reason_of(error), seconds_of(error))


def reason_of(error: TelegramError) -> str:
    """Return an error's kind and, of a refusal, its fixed phrase only: the rest may quote the message."""
    words = str(error).lower()
    phrase = next((phrase for phrase in PHRASES if phrase in words), "")
    if isinstance(error.__cause__, Lost):
        phrase = error.__cause__.kind
    return f"{type(error).__name__}: {phrase}" if phrase else type(error).__name__


def seconds_of(error: TelegramError) -> float:
    """Return the seconds Telegram asked to wait; 0 when it did not."""
    if not isinstance(error, RetryAfter):
        return 0.0
    asked = error.retry_after
    return asked.total_seconds() if isinstance(asked, dt.timedelta) else float(asked)


def _lost(error: BaseException) -> Lost:
    return Lost(type(error).__name__, not isinstance(error, BEFORE_SENDING))


def _chosen(given: Seconds, usual: float | None) -> float | None:
    return usual if given is BaseRequest.DEFAULT_NONE else cast("float | None", given)


@lru_cache(64)
def _parsed(url: str) -> URL:
    return URL(url)


@lru_cache(64)
def _timeout(
    read: float | None, write: float | None, connect: float | None, pool: float | None
) -> aiohttp.ClientTimeout:
    """Return the client's timeouts; it knows none for writing, so the whole is bounded by the sum."""
    waiting = None if connect is None or pool is None else connect + pool
    whole = None if read is None or write is None or waiting is None else waiting + write + read
    return aiohttp.ClientTimeout(total=whole, connect=waiting, sock_connect=connect, sock_read=read)


def _body(request_data: RequestData | Fields | None) -> aiohttp.FormData | bytes | None:
    if request_data is None:
        return None
    if isinstance(request_data, Fields):
        return request_data.body
    if not request_data.contains_files:
        return NOWHERE.with_query(request_data.json_parameters).raw_query_string.encode()
    # Quoted names would reach the patient as %D0%9E and the like.
    form = aiohttp.FormData(quote_fields=False)
    for name, value in request_data.json_parameters.items():
        form.add_field(name, value)
    for name, (filename, content, mimetype) in request_data.multipart_data.items():
        form.add_field(name, content, filename=filename, content_type=mimetype)
    return form
