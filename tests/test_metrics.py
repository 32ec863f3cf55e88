"""The metrics say whether messages go out, and nothing of anybody."""

from __future__ import annotations

import re
import tomllib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from prometheus_client.parser import text_string_to_metric_families

from bot import VERSION
from bot.model import Kind, Times
from bot.operations import metrics
from bot.operations.health import HealthServer, Vital
from bot.operations.metrics import Metrics
from bot.sandbox import Fault
from bot.storage.database import Database
from bot.tally import Tally
from tests.conversation import TOKEN, Conversation
from tests.test_health import Now

NOW = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)
ALWAYS_MOVING = ("process_", "quietlegs_tick_age", "quietlegs_telegram_answer_age", "quietlegs_database_size")
OF_TAPS = ("quietlegs_updates_kept", "quietlegs_updates_done")


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def database(tmp_path: Path) -> Database:
    """A database that is not open yet: what is asked of it fails."""
    return Database(f"sqlite:///{tmp_path / 'quietlegs.db'}")


@pytest_asyncio.fixture
async def server(database: Database, now: Now) -> AsyncIterator[HealthServer]:
    vital = Vital(now)
    told = Metrics(vital, Tally(updates_kept=7), database, lambda: NOW, lambda: 2, now)
    server = HealthServer(vital, "127.0.0.1:0", told.routes())
    await server.start()
    yield server
    await server.stop()
    await database.close()


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every scrape looks at the database."""
    monkeypatch.setattr(metrics, "REST", 0.0)


async def scraped(port: int) -> str:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}/metrics") as answer,
    ):
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        return await answer.text()


def numbers(text: str) -> dict[str, float]:
    """Return the samples of an answer by name, or by name and state."""
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {" ".join([one.name, *one.labels.values()]): one.value for one in samples}


async def told_by(talk: Conversation) -> dict[str, float]:
    return numbers(await scraped(talk.app.health_port))


async def test_a_database_that_fails_takes_only_its_own_numbers_along(
    server: HealthServer, database: Database, now: Now
) -> None:
    told = numbers(await scraped(server.port))
    assert told["quietlegs_database_up"] == 0
    assert not {name for name in told if name.startswith("quietlegs_sendings")}
    assert "quietlegs_oldest_due_late_seconds" not in told
    assert (told["quietlegs_updates_kept_total"], told["quietlegs_updates_open"]) == (7, 2)
    await database.open()
    now.seconds += metrics.REST
    told = numbers(await scraped(server.port))
    assert (told["quietlegs_database_up"], told["quietlegs_sendings due"]) == (1, 0)
    assert told["quietlegs_database_size_bytes"] > 4096
    assert told["quietlegs_tick_age_seconds"] == metrics.REST


async def test_many_scrapes_cost_one_look(server: HealthServer, database: Database, now: Now) -> None:
    await database.open()
    assert numbers(await scraped(server.port))["quietlegs_sendings due"] == 0
    async with database.transaction() as store:
        times = Times(time(21, 0), time(7, 30), time(22, 0), time(7, 0))
        patient = await store.add_patient(5, "en", times, NOW)
        await store.plan(patient.id, Kind.PROMPT, "2026-11-20", 0, NOW - timedelta(seconds=400))
    assert numbers(await scraped(server.port))["quietlegs_sendings due"] == 0
    now.seconds += metrics.REST
    told = numbers(await scraped(server.port))
    assert (told["quietlegs_sendings due"], told["quietlegs_oldest_due_late_seconds"]) == (1, 400)


async def test_what_is_told_and_dealt_with_is_counted(talk: Conversation, fresh: None) -> None:
    await talk.patient("Ada")
    await talk.until(time(20, 30))
    told = await told_by(talk)
    assert told["quietlegs_daily_messages_told_total"] == 1
    assert told["quietlegs_updates_kept_total"] == told["quietlegs_updates_done_total"] > 5
    assert (told["quietlegs_updates_given_up_total"], told["quietlegs_updates_open"]) == (0, 0)
    assert told["quietlegs_database_up"] == told[f"quietlegs_build_info {VERSION}"] == 1
    assert told["process_resident_memory_bytes"] > 1_000_000
    assert 0 <= told["quietlegs_telegram_answer_age_seconds"] < 60


async def test_a_warning_changes_no_number_but_how_much_was_tapped(talk: Conversation, fresh: None) -> None:
    ada = await talk.patient("Ada")
    before = await told_by(talk)
    said = await talk.say(ada, "my left calf is swollen and hot and i cannot breathe")
    await talk.later(minutes=1)
    async with talk.store() as store:
        patient = await store.patient_of_chat(ada.id)
        assert patient is not None
        assert await store.open_escalations(patient.id)
        assert any(sending.kind.is_safety for sending in await store.sendings_of(patient.id, 10))
    assert said
    await talk.later(minutes=20)
    text = await scraped(talk.app.health_port)
    after = numbers(text)
    assert after.keys() == before.keys()
    moved = {name for name in after if after[name] != before[name]}
    assert not {name for name in moved if not name.startswith((*ALWAYS_MOVING, *OF_TAPS))}


async def test_nothing_of_a_patient_and_no_secret_is_in_it(
    talk: Conversation, fresh: None, tmp_path: Path
) -> None:
    ada = await talk.patient("Ada")
    await talk.say(ada, "my left calf is swollen and hot and i cannot breathe")
    await talk.until(time(8, 30))
    await talk.say(ada, "very bad night, 8")
    text = await scraped(talk.app.health_port)
    ours = "\n".join(line for line in text.splitlines() if "process_" not in line)
    for secret in (str(ada.id), "Ada", TOKEN, str(tmp_path), "GB", "London", "E1", "U1"):
        assert secret not in ours, secret
    labels = set(re.findall(r'(\w+)="([^"]*)"', text))
    states = {("state", state) for state in ("due", "claimed", "sending", "unknown")}
    assert labels == {("version", VERSION)} | states
    assert not {kind for kind in Kind if re.search(rf"\b{kind}\b", ours.lower())}


async def test_what_telegram_puts_off_is_late_since_it_was_due_at_first(
    talk: Conversation, fresh: None
) -> None:
    await talk.patient("Ada")
    talk.telegram.faults.add(Fault("retry_after", "sendMessage", times=None, seconds=1))
    await talk.until(time(20, 30))
    for _ in range(2):
        await talk.later(minutes=5)
    told = await told_by(talk)
    assert 590 <= told["quietlegs_oldest_due_late_seconds"] <= 630
    assert told["quietlegs_daily_messages_told_total"] == 0
    assert told["quietlegs_daily_messages_tried_again_total"] >= 2
    assert told["quietlegs_telegram_wait_seconds_total"] == told["quietlegs_telegram_waits_total"] >= 2
    talk.telegram.faults.clear()
    await talk.later(minutes=6)
    told = await told_by(talk)
    assert told["quietlegs_daily_messages_told_total"] == 1
    assert told["quietlegs_oldest_due_late_seconds"] == 0


async def test_one_whose_fate_nobody_knows_is_let_go(talk: Conversation, fresh: None) -> None:
    await talk.patient("Ada")
    talk.telegram.faults.add(Fault("close", "sendMessage", after=True))
    await talk.until(time(20, 30))
    told = await told_by(talk)
    assert told["quietlegs_daily_messages_let_go_total"] == 1
    assert told["quietlegs_daily_messages_told_total"] == 0


async def test_a_blocked_bot_is_nobodys_lateness(talk: Conversation, fresh: None) -> None:
    await talk.patient("Ada")
    talk.telegram.faults.add(Fault("status", "sendMessage", status=403))
    await talk.until(time(20, 30))
    told = await told_by(talk)
    assert told["quietlegs_daily_messages_let_go_total"] == told["quietlegs_oldest_due_late_seconds"] == 0


def test_the_version_is_the_projects() -> None:
    project = Path(__file__).parent.parent / "pyproject.toml"
    assert tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"] == VERSION
