"""Says over HTTP whether the tick beats and Telegram was reached, and never more than their ages."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from aiohttp import web

from bot.config import split_listen

ALIVE = 60.0  # seconds a heartbeat lasts
REACHED = 120.0  # seconds a successful poll lasts: four long polls


class Vital:
    """Remembers when the tick beat last and when Telegram answered last, on the real clock."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._beat_at = clock()  # a start counts as a beat: the first tick has a minute
        self._polled_at: float | None = None

    def beat(self) -> None:
        """Note that the tick has run."""
        self._beat_at = self._clock()

    def polled(self) -> None:
        """Note that Telegram has answered."""
        self._polled_at = self._clock()

    @property
    def tick_age(self) -> float:
        """Return the seconds since the last beat."""
        return self._clock() - self._beat_at

    @property
    def poll_age(self) -> float | None:
        """Return the seconds since Telegram answered; None before the first time."""
        return None if self._polled_at is None else self._clock() - self._polled_at

    @property
    def is_alive(self) -> bool:
        """Return whether the tick is running."""
        return self.tick_age < ALIVE

    @property
    def is_ready(self) -> bool:
        """Return whether the tick is running and Telegram within reach."""
        return self.is_alive and self.poll_age is not None and self.poll_age < REACHED


class HealthServer:
    """The one HTTP server: /healthz, /readyz and whatever *routes* are added."""

    def __init__(self, vital: Vital, listen: str, routes: Iterable[web.AbstractRouteDef] = ()) -> None:
        self._vital = vital
        self._host, self._port = split_listen(listen)
        self._application = web.Application()
        self._application.add_routes(
            [web.get("/healthz", self._healthz), web.get("/readyz", self._readyz), *routes]
        )
        self._runner: web.AppRunner | None = None

    @property
    def port(self) -> int:
        """Return the port, the real one when the system chose it."""
        addresses = self._runner.addresses if self._runner else []
        return int(addresses[0][1]) if addresses else self._port

    async def start(self) -> None:
        """Begin to listen; raises OSError when the address is taken."""
        runner = web.AppRunner(self._application, access_log=None, handle_signals=False, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port).start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner

    async def stop(self) -> None:
        """Stop listening; safe to call twice."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _healthz(self, _: web.Request) -> web.Response:
        return self._answer(self._vital.is_alive)

    async def _readyz(self, _: web.Request) -> web.Response:
        return self._answer(self._vital.is_ready)

    def _answer(self, well: bool) -> web.Response:
        poll_age = self._vital.poll_age
        ages = {
            "tick_age": round(self._vital.tick_age, 1),
            "poll_age": None if poll_age is None else round(poll_age, 1),
        }
        return web.json_response(ages, status=200 if well else 503)
