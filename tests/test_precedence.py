"""What goes first when several grave matters are owed; after days away one message says all."""

from __future__ import annotations

from datetime import date, time, timedelta

from bot.flows.asking import PATTERN, put_question
from bot.flows.escalation import close, raise_findings
from bot.model import Escalation, Finding, Kind, State
from content.loader import load
from content.schema import Level
from tests.conversation import Conversation, Person
from tests.known import action, cards, follow_ups, matters, patient_of

CONTENT = load()
NIGHT = date(2026, 11, 20)


async def raised(talk: Conversation, person: Person, *rules: str) -> None:
    """Raise red flags as if their exact questions had been answered yes."""
    patient = await patient_of(talk, person)
    async with talk.app.database.transaction() as store:
        for rule in rules:
            red_flag = CONTENT.red_flags[rule]
            finding = Finding(rule, red_flag.level, red_flag.topic, None, (f"asked:{rule}",))
            await raise_findings(talk.app.services, store, patient, (finding,), NIGHT, f"test:{rule}")


async def test_after_a_closed_chat_one_message_says_all_and_despair_leads(talk: Conversation) -> None:
    ada = await talk.patient()
    await ada.block()
    await talk.settled()
    await raised(talk, ada, "U1", "E18", "E23")
    for _ in range(9):
        await talk.later(days=1)
    before = len(ada.heard)
    await ada.unblock()
    await talk.settled()
    await talk.later(seconds=3)
    told = ada.heard[before:]
    assert len(told) == 1, told
    assert told[0].index(action("E23")) < told[0].index(action("E18")) < told[0].index(action("U1"))
    assert all(row.told_at is not None for row in await matters(talk, ada))
    await talk.press(ada, CONTENT.red_flag_words["U1"].label, "What came of it?")
    await talk.press(ada, "I have been seen by someone", None)
    assert {row.rule for row in await matters(talk, ada)} == {"E18", "E23"}


async def test_days_later_what_came_of_it_is_asked_in_one_message(talk: Conversation) -> None:
    ada = await talk.patient()
    await raised(talk, ada, "U1", "E18")
    await talk.later(seconds=1)
    await talk.later(seconds=3)
    for row in await matters(talk, ada):
        await talk.press(ada, f"es:{row.id}:read", None)
    before = follow_ups(ada)
    await talk.until(time(8, 30))
    assert follow_ups(ada) == before + 1
    last = next(text for text in reversed(ada.heard) if "What came of it?" in text)
    assert last.index(action("E18")) < last.index(action("U1"))


async def with_an_emergency_under_way(talk: Conversation) -> tuple[Person, Escalation]:
    """Return somebody who was told of U1 and E18 and is going, and the emergency."""
    ada = await talk.patient()
    await raised(talk, ada, "U1", "E18")
    await talk.later(seconds=1)
    await talk.later(seconds=3)
    emergency = next(row for row in await matters(talk, ada) if row.rule == "E18")
    await talk.press(ada, f"es:{emergency.id}:going", None)
    return ada, emergency


async def test_an_urgent_card_that_nobody_saw_is_not_lost_behind_one_that_is_held_back(
    talk: Conversation,
) -> None:
    ada, _ = await with_an_emergency_under_way(talk)
    await ada.block()
    await talk.settled()
    await raised(talk, ada, "U13")
    await talk.later(days=1)
    before = len(ada.heard)
    await ada.unblock()
    await talk.settled()
    await talk.later(seconds=3)
    assert [text for text in ada.heard[before:] if action("U13") in text]


async def test_a_card_is_owed_once_what_it_waited_for_is_settled_though_older_rows_of_it_are_pruned(
    talk: Conversation,
) -> None:
    ada = await talk.patient()
    patient = await patient_of(talk, ada)
    await raised(talk, ada, "E18", "S3")
    grave, lower = sorted(await matters(talk, ada), key=lambda row: row.level, reverse=True)
    async with talk.app.database.transaction() as store:
        for step in (0, 1):  # let go twice, the first time long ago
            due = talk.now - timedelta(days=100 - 50 * step)
            await store.plan(patient.id, Kind.CARD, lower.subject, step, due)
            (row,) = await store.claim_due(due, "a", due, 1)
            await store.finish_sending(row.id, State.DROPPED, due, "gives way")
        await store.prune_sendings(talk.now - timedelta(days=90))
        await close(talk.app.services, store, patient, grave, "seen")
        owed = [one.subject for one in await store.waiting(patient.id) if one.kind is Kind.CARD]
    assert lower.subject in owed


async def test_two_legs_are_told_apart(talk: Conversation) -> None:
    ada = await talk.patient()
    patient = await patient_of(talk, ada)
    async with talk.app.database.transaction() as store:
        for side in ("left", "right"):
            finding = Finding("U1", Level.URGENT, "leg_clot", side, ("sign:leg_swollen",))
            await raise_findings(talk.app.services, store, patient, (finding,), NIGHT, f"test:{side}")
    await talk.later(seconds=1)
    said = await talk.say(ada, "/why")
    assert ["left leg" in message.text for message in said[:2]] == [True, False]
    assert ["right leg" in message.text for message in said[:2]] == [False, True]
    for row in await matters(talk, ada):
        await talk.press(ada, f"es:{row.id}:read", None)
    await talk.until(time(8, 30))
    asked = next(text for text in reversed(ada.heard) if "What came of it?" in text)
    assert "left leg" in asked
    assert "right leg" in asked


async def test_fresh_cards_stand_alone(talk: Conversation) -> None:
    ada = await talk.patient()
    await raised(talk, ada, "U1", "E18")
    await talk.later(seconds=1)
    await talk.later(seconds=3)
    told = [text for text in ada.heard if action("E18") in text or action("U1") in text]
    assert len(told) == 2
    assert action("E18") in told[0]


async def test_after_a_jump_of_the_clock_the_emergency_card_goes_first(talk: Conversation) -> None:
    ada = await talk.patient()
    patient = await patient_of(talk, ada)
    async with talk.app.database.transaction() as store:
        services = talk.app.services
        await put_question(services, store, patient, NIGHT, "sign:leg_numb", ("E3",), False, "test:1")
    await talk.later(seconds=1)
    async with talk.app.database.transaction() as store:
        talk.clock.offset += timedelta(minutes=20)
        because = f"{PATTERN}:P11"
        await put_question(services, store, patient, NIGHT, because, ("U1", "U2"), False, "test:2")
    before = len(ada.heard)
    await talk.until(time(8, 30))
    for _ in range(3):
        await talk.later(seconds=3)
    told = ada.heard[before:]
    assert action("E3") in told[0], told
    assert not [text for text in told if CONTENT.red_flag_words["U2"].line in text], "no lower question"
    assert "How were your legs" in told[-1]


async def test_no_urgent_card_is_repeated_while_an_emergency_is_open(talk: Conversation) -> None:
    ada, emergency = await with_an_emergency_under_way(talk)
    for _ in range(3):
        await talk.until(time(8, 30))
    assert cards(ada, "U1") == 1
    await talk.press(ada, f"es:{emergency.id}:seen", None)
    assert [row.rule for row in await matters(talk, ada)] == ["U1"]
