"""Says over HTTP, as Prometheus reads it, whether messages go out, and nothing of any patient.

No chat, no text, no kind of message and no count that an open warning would change.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from datetime import datetime

from aiohttp import web
from prometheus_client import CollectorRegistry, Metric, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from bot import VERSION
from bot.operations.health import Vital
from bot.storage.database import Database
from bot.storage.sendings import Backlog
from bot.tally import Tally

REST = 15.0  # seconds for which one look at the database serves every scrape
PATIENCE = 2.0  # seconds to wait for a database that does not answer
log = logging.getLogger(__name__)


class Metrics:
    """The numbers of one bot, in a registry of its own; `routes` is for the HTTP server.

    `now` is the patients' clock (aware UTC), `updates_open` says how many updates are being dealt with.
    """

    def __init__(
        self,
        vital: Vital,
        tally: Tally,
        database: Database,
        now: Callable[[], datetime],
        updates_open: Callable[[], int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._vital = vital
        self._tally = tally
        self._database = database
        self._now = now
        self._updates_open = updates_open
        self._clock = clock
        self._looking = asyncio.Lock()
        self._looked_at: float | None = None
        self._backlog: Backlog | None = None  # None: the database did not say
        self._late = 0.0
        self._size: int | None = None
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def routes(self) -> list[web.RouteDef]:
        """Return the route that Prometheus asks."""
        return [web.get("/metrics", self._tell)]

    def collect(self) -> Iterator[Metric]:
        """Yield every number, as the library's registry asks for them."""
        yield _gauge("build_info", "The running version.", 1, version=VERSION)
        yield _gauge("tick_age_seconds", "Since the last look for what is due.", self._vital.tick_age)
        if (age := self._vital.poll_age) is not None:
            yield _gauge("telegram_answer_age_seconds", "Since Telegram last answered the intake.", age)
        yield from self._of_database()
        yield from self._of_delivery()
        yield from self._of_updates()

    def _of_database(self) -> Iterator[Metric]:
        yield _gauge("database_up", "1 if the database answered, else 0.", self._backlog is not None)
        if self._size is not None:
            yield _gauge("database_size_bytes", "Of the SQLite files.", self._size)
        if self._backlog is None:
            return
        states = GaugeMetricFamily(
            "quietlegs_sendings", "Messages due or on their way, by state.", labels=["state"]
        )
        for state, count in self._backlog.by_state.items():
            states.add_metric([state], count)
        yield states
        yield _gauge("oldest_due_late_seconds", "By which the oldest message due is late.", self._late)

    def _of_delivery(self) -> Iterator[Metric]:
        tally = self._tally
        yield _counter("daily_messages_told", "Evening and morning messages told.", tally.told)
        yield _counter("daily_messages_let_go", "Of these, let go: too late or lost.", tally.let_go)
        yield _counter(
            "daily_messages_tried_again", "Tries of these put off after one failed.", tally.tried_again
        )
        yield _counter("telegram_waits", "Messages answered with 429.", tally.asked_to_wait)
        yield _counter("telegram_wait_seconds", "That Telegram asked to wait.", tally.wait_seconds)

    def _of_updates(self) -> Iterator[Metric]:
        tally = self._tally
        yield _counter("updates_kept", "Updates kept.", tally.updates_kept)
        yield _counter("updates_done", "Updates that need nothing more.", tally.updates_done)
        yield _counter("updates_given_up", "Of these, given up after failures.", tally.updates_given_up)
        yield _gauge("updates_open", "Updates being dealt with.", self._updates_open())

    async def _tell(self, _: web.Request) -> web.Response:
        async with self._looking:  # however many ask, one looks
            await self._look()
        told = generate_latest(self._registry)
        return web.Response(body=told, headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})

    async def _look(self) -> None:
        """Ask the database, once in REST seconds; whatever fails there, the rest of the numbers is told."""
        if self._looked_at is not None and self._clock() - self._looked_at < REST:
            return
        self._backlog = self._size = None
        try:
            async with asyncio.timeout(PATIENCE):
                now = self._now()
                async with self._database.reading() as store:
                    backlog = await store.backlog(now)
            self._size = self._database.size()
        except Exception as error:  # noqa: BLE001  # a scrape fails nobody
            log.warning("metrics without the database", extra={"kind": type(error).__name__})
        else:
            self._backlog = backlog
            late = (now - backlog.oldest_due_at).total_seconds() if backlog.oldest_due_at else 0.0
            self._late = max(0.0, late)
        self._looked_at = self._clock()


def _gauge(name: str, says: str, value: float, **labels: str) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(f"quietlegs_{name}", says, labels=[*labels])
    gauge.add_metric([*labels.values()], value)
    return gauge


def _counter(name: str, says: str, value: float) -> CounterMetricFamily:
    return CounterMetricFamily(f"quietlegs_{name}", says, value=value)
