"""The health endpoint goes red when the tick has stopped, and the probe says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from bot.operations.health import HealthServer, Vital
from bot.operations.probe import ask_health


class Now:
    seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def vital(now: Now) -> Vital:
    return Vital(now)


@pytest_asyncio.fixture
async def server(vital: Vital) -> AsyncIterator[HealthServer]:
    server = HealthServer(vital, "127.0.0.1:0")
    await server.start()
    yield server
    await server.stop()


async def get(server: HealthServer, path: str) -> tuple[int, object]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{server.port}{path}") as answer,
    ):
        return answer.status, await answer.json()


async def test_it_is_well_while_the_tick_beats(server: HealthServer, vital: Vital, now: Now) -> None:
    assert await get(server, "/healthz") == (200, {"tick_age": 0.0, "poll_age": None})
    now.seconds += 61
    assert await get(server, "/healthz") == (503, {"tick_age": 61.0, "poll_age": None})
    vital.beat()
    assert (await get(server, "/healthz"))[0] == 200


async def test_it_is_ready_once_telegram_answers(server: HealthServer, vital: Vital, now: Now) -> None:
    assert (await get(server, "/readyz"))[0] == 503
    vital.polled()
    assert (await get(server, "/readyz"))[0] == 200
    now.seconds += 121
    vital.beat()
    assert await get(server, "/readyz") == (503, {"tick_age": 0.0, "poll_age": 121.0})


async def test_the_probe_says_it_in_an_exit_code(server: HealthServer, now: Now) -> None:
    listen = f"0.0.0.0:{server.port}"
    assert await asyncio.to_thread(ask_health, listen) == 0
    now.seconds += 61
    assert await asyncio.to_thread(ask_health, listen) == 1
    await server.stop()
    assert await asyncio.to_thread(ask_health, listen) == 1
    assert await asyncio.to_thread(ask_health, "nonsense") == 1
