"""Whose turn it is: nobody's for long whose chat is busy, and not the same people's each evening."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest_asyncio

from bot.flows.schedule import plan_prompt
from bot.model import Finding, Kind, Times
from bot.sandbox import Person
from bot.storage.database import Database
from content.loader import load
from content.schema import Level
from tests.conversation import Conversation

EVENING = datetime(2026, 11, 20, 20, 30, tzinfo=UTC)


async def owe_card(talk: Conversation, person: Person) -> str:
    """Owe somebody a card now; return what its buttons begin with."""
    async with talk.app.database.transaction() as store:
        patient = await store.patient_of_chat(person.id)
        assert patient is not None
        finding = Finding("U1", Level.URGENT, "clot", None, ())
        row, _ = await store.raise_escalation(
            patient.id, finding, talk.now.date(), False, "test", "", "", talk.now
        )
        await store.plan(patient.id, Kind.CARD, f"escalation:{row.id}", 0, talk.now - timedelta(seconds=1))
    return f"es:{row.id}:"


async def test_safety_words_for_busy_chats_hold_up_no_other(tmp_path: Path, learned: None) -> None:
    async with Conversation(tmp_path, SEND_RATE="4") as talk:
        busy = [await talk.patient(f"P{number}") for number in range(5)]
        ada = await talk.patient("Ada")
        async with AsyncExitStack() as held:
            for person in busy:
                await held.enter_async_context(talk.app._order.alone(person.id))
                await owe_card(talk, person)
            talk.app.wake()
            await asyncio.sleep(1.5)
            card = await owe_card(talk, ada)
            talk.app.wake()
            await ada.wait(lambda who: card in str(who.last.keyboard), 10)
        for person in busy:
            await person.wait(lambda who: "es:" in str(who.last.keyboard), 10)


@pytest_asyncio.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'quietlegs.db'}")
    await database.open()
    yield database
    await database.close()


async def enrol(database: Database, chat_id: int, quiet_from: time = time(22)) -> int:
    """Enrol somebody whose prompt comes at half past eight."""
    async with database.transaction() as store:
        times = Times(time(20, 30), time(8, 30), quiet_from, time(7))
        patient = await store.add_patient(chat_id, "en", times, EVENING)
        await store.record_consent(patient.id, "test", EVENING)
        await store.change_patient(patient.id, step="done", zone="UTC", country="GB")
    return patient.id


async def served(database: Database, evening: datetime, among: list[int], most: int) -> list[int]:
    """Plan everybody's prompt in this order; return who is claimed first. The others' are let go."""
    async with database.transaction() as store:
        for patient_id in among:
            patient = await store.patient(patient_id)
            assert patient is not None
            await plan_prompt(store, patient, load("en").timing, evening - timedelta(hours=1))
        late = evening + timedelta(minutes=1)
        claimed = await store.claim_due(late, "a", late, most)
        for patient_id in among:
            await store.drop_ready(patient_id, None, "too late")
    return [row.patient_id for row in claimed]


async def test_those_who_are_left_out_are_not_the_same_each_evening(database: Database) -> None:
    everybody = [await enrol(database, chat_id) for chat_id in range(1, 41)]
    first = await served(database, EVENING, everybody, 20)
    assert len(first) == 20
    # As the bot plans: who was told first is planned for first.
    rest = [patient_id for patient_id in everybody if patient_id not in first]
    second = await served(database, EVENING + timedelta(days=1), first + rest, 20)
    assert 5 <= len(set(second) & set(rest)) <= 15


async def test_whose_quiet_hours_begin_sooner_goes_first(database: Database) -> None:
    never = [await enrol(database, chat_id, time(7)) for chat_id in range(1, 6)]
    late = [await enrol(database, chat_id, time(23)) for chat_id in range(6, 11)]
    early = [await enrol(database, chat_id, time(21, 30)) for chat_id in range(11, 16)]
    everybody = [*never, *late, *early]
    assert set(await served(database, EVENING, everybody, 5)) == set(early)
    assert set(await served(database, EVENING + timedelta(days=1), everybody, 10)) == {*early, *late}
