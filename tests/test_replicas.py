"""Three replicas on one PostgreSQL: one sends bulk, any answers, and what a dead one held goes to another."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from datetime import time as wall

import pytest

from bot.model import Kind, Times
from bot.sandbox import Fault, Person
from tests.conversation import newest_with
from tests.fault.replicas import Replicas
from tests.servers import fresh_database

pytestmark = [pytest.mark.postgres, pytest.mark.fault]


@pytest.fixture(scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory, postgres_url: str) -> AsyncIterator[Replicas]:
    with fresh_database(postgres_url) as url:
        replicas = Replicas(tmp_path_factory.mktemp("house"), url, SEND_RATE="300")
        try:
            await replicas.open()
            await replicas.start()
            yield replicas
        finally:
            await replicas.close()


async def enrol(house: Replicas, person: Person) -> None:
    """Take somebody in by buttons, each update by another replica."""
    await person.start()
    await person.wait("Before we start", 10)
    for button, heard in (
        ("en:yes:", "Which country"),
        ("en:country:GB", ""),
        ("en:prompt:2030", "in the morning"),
        ("en:checkin:0830", "One last thing"),
        ("en:profile:later", "You are all set"),
    ):
        await person.press(newest_with(person, button), button)
        await house.until(lambda heard=heard, button=button: said(person, heard) and moved(person, button))  # type: ignore[misc]


def said(person: Person, words: str) -> bool:
    return any(words in message.text for message in person.messages if message.from_bot)


def moved(person: Person, button: str) -> bool:
    return not any(message.button(button) for message in person.messages)


async def owe_prompts(house: Replicas, count: int, first: int = 1) -> list[Person]:
    """Let so many new people have a prompt due now."""
    people = [house.telegram.person(f"P{number}") for number in range(first, first + count)]
    now = datetime.now(UTC)
    far = (now + timedelta(hours=12)).time().replace(second=0, microsecond=0)
    async with house.database.transaction() as store:
        for person in people:
            person.chat.started = True
            house.telegram.world.chats.keep(person.chat)
            patient = await store.add_patient(person.id, "en", Times(far, far, wall(22), wall(7)), now)
            await store.record_consent(patient.id, "test", now)
            await store.change_patient(patient.id, step="done", zone="UTC", country="GB")
            await store.plan(patient.id, Kind.PROMPT, "2025-01-01", 0, now, now + timedelta(hours=3))
    return people


def prompts(person: Person) -> int:
    return sum("ev:250101" in str(message.keyboard) for message in person.messages)


async def test_any_replica_answers_and_one_alone_sends_each_prompt_once(
    house: Replicas,
) -> None:
    ada = house.telegram.person("Ada")
    await enrol(house, ada)
    assert {replica.pid for replica in house.served} == {replica.pid for replica in house.all}
    leader = await house.leader()
    people = await owe_prompts(house, 40)
    await house.until(lambda: all(map(prompts, people)), patience=30)
    await house.until(lambda: sum(replica.told("prompt") for replica in house.all) == 40, patience=30)
    # A word that raises a red flag, and its card, from whoever took the update.
    for _ in range(3):
        before = len(ada.messages)
        await ada.send("chest pain and I cannot breathe")
        await house.until(lambda before=before: len(ada.messages) > before + 1)  # type: ignore[misc]
    assert [prompts(person) for person in people] == [1] * 40
    assert [replica.told("prompt") for replica in house.all if replica is not leader] == [0, 0]
    assert said(ada, "999")


async def test_what_a_dead_replica_left_goes_to_another(house: Replicas) -> None:
    # Its updates: the reply hangs, the replica is killed.
    house.telegram.faults.add(Fault("hang", method="sendMessage"))
    ada = house.telegram.person("Bea")
    house.served.clear()
    await ada.start()
    await house.until(lambda: bool(house.telegram.faults.struck))
    (took,) = house.served
    house.telegram.faults.clear()
    await took.kill()
    began = time.monotonic()
    await house.until(lambda: said(ada, "Before we start"))
    print(f"\nan update of a dead replica: answered after {time.monotonic() - began:.1f} s (lease 2 s)")
    # Its place as the sender.
    others = [replica for replica in house.all if replica.runs]
    leader = await house.leader() if took.runs else None
    while leader not in others:
        leader = await house.leader()
    await leader.kill()
    people = await owe_prompts(house, 20, first=100)
    began = time.monotonic()
    await house.until(lambda: all(map(prompts, people)), patience=30)
    print(f"a dead sender: replaced, and 20 prompts sent, after {time.monotonic() - began:.1f} s (lease 5 s)")
    assert [prompts(person) for person in people] == [1] * 20
    (last,) = (replica for replica in house.all if replica.runs)
    await house.until(lambda: last.told("prompt") >= 20)
