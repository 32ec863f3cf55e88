"""What goes wrong and what must hold all the same; a short siege (tests/fault has the whole one)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, time, timedelta, tzinfo
from pathlib import Path

import pytest

from bot.app import Rhythm
from bot.delivery.kinds import KINDS, KindOf
from bot.delivery.upkeep import Upkeep
from bot.flows.escalation import Spoken
from bot.flows.services import Services
from bot.model import Kind, Patient, Sending
from bot.operations.probe import ask_health
from bot.rules.timing import next_local
from bot.storage.store import Store
from handlers.updates import TokenRefused
from tests.conversation import LONDON, Conversation, Person
from tests.fault.siege import Plan, Siege
from tests.fault.test_siege import holds


@pytest.mark.fault
async def test_every_promise_holds_through_a_few_kills(tmp_path: Path) -> None:
    plan = Plan(seed=7, kills=5, people=24, sendings=200, longest_life=4.0)
    counts = await Siege(tmp_path, plan).run()
    print(f"\nA short siege:\n{counts}")
    holds(counts)
    assert counts.kills == 5
    assert counts.cards >= 20
    assert counts.prompts >= 40


async def test_one_that_cannot_be_rendered_holds_up_nobody_and_comes_later(
    talk: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, ben = await talk.patient("Ada"), await talk.patient("Ben")
    good = KINDS[Kind.PROMPT]

    async def poisoned(
        services: Services, store: Store, patient: Patient, sending: Sending, now: datetime
    ) -> Spoken:
        if patient.chat_id == ada.id:
            raise ZeroDivisionError
        return await good.render(services, store, patient, sending, now)

    monkeypatch.setitem(KINDS, Kind.PROMPT, KindOf(poisoned, good.told))
    await talk.until(time(20, 30))
    assert (prompts(ada), prompts(ben)) == (0, 1)
    monkeypatch.undo()
    await talk.later(minutes=1)
    assert (prompts(ada), prompts(ben)) == (1, 1)


async def test_whoever_has_nothing_ahead_gets_it_planned(talk: Conversation) -> None:
    await talk.patient("Ada")
    await talk.patient("Ben")
    assert await talk.app._upkeep.walk() == 0
    async with talk.app.database.transaction() as store:
        ada = await store.latest_patient()
        assert ada is not None
        assert await store.drop_ready(ada.id, None, "lost") == 2
    assert await talk.app._upkeep.walk() == 2
    async with talk.store() as store:
        assert len(await store.waiting(ada.id)) == 2


async def test_new_zone_rules_plan_everybody_anew(talk: Conversation) -> None:
    await talk.patient("Ada")
    await talk.app._upkeep.walk()
    assert await Upkeep(talk.app.services, "another").walk() == 2
    assert await Upkeep(talk.app.services, "another").walk() == 0


async def test_a_token_refused_while_sending_stops_the_bot_and_loses_no_prompt(talk: Conversation) -> None:
    ada = await talk.patient("Ada")
    talk.telegram._api._tokens = frozenset()
    talk.clock.offset += next_local(talk.now, time(20, 30), LONDON) - talk.now + timedelta(seconds=1)
    talk.app.wake()
    with pytest.raises(TokenRefused):
        await asyncio.wait_for(talk.app.run(), 10)
    talk.telegram._api._tokens = None
    await talk.restart()
    await talk.later(minutes=1)
    assert prompts(ada) == 1


async def test_health_goes_red_when_the_tick_hangs(
    talk: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    hangs = asyncio.Event()

    async def hang() -> None:
        hangs.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(talk.app._ledger, "recover", hang)
    talk.app.wake()
    await asyncio.wait_for(hangs.wait(), 20)
    talk.app.wake()
    listen = f"127.0.0.1:{talk.app.health_port}"
    assert await asyncio.to_thread(ask_health, listen) == 0
    began = talk.app.vital._clock
    monkeypatch.setattr(talk.app.vital, "_clock", lambda: began() + 61)
    assert await asyncio.to_thread(ask_health, listen) == 1


def prompts(person: Person) -> int:
    return sum("ev:" in str(message.keyboard) for message in person.messages)


async def test_a_clock_that_is_put_back_does_not_stop_the_tick(
    tmp_path: Path, learned: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Conversation(tmp_path, rhythm=Rhythm(tick=0.2)) as talk:
        beats: asyncio.Queue[None] = asyncio.Queue()
        recover = talk.app._ledger.recover

        async def noted() -> None:
            beats.put_nowait(None)
            await recover()

        monkeypatch.setattr(talk.app._ledger, "recover", noted)
        async with asyncio.timeout(30):
            await beats.get()
            put_back(monkeypatch, talk, timedelta(hours=1))
            for _ in range(5):
                await beats.get()


def put_back(monkeypatch: pytest.MonkeyPatch, talk: Conversation, span: timedelta) -> None:
    """Put the machine's clock back, for the bot and for its scheduler alike."""

    class Behind(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) - span

    monkeypatch.setattr("apscheduler.schedulers.base.datetime", Behind)
    monkeypatch.setattr(talk.clock, "real", lambda: datetime.now(UTC) - span)
