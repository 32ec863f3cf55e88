"""Whoever waits for a busy chat keeps no turn from the others."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

from bot.model import Finding, Kind
from bot.sandbox import Person
from content.schema import Level
from tests.conversation import Conversation


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
