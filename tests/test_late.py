"""What comes late: lower warnings and kind words keep out of quiet hours, whatever held them up."""

from __future__ import annotations

from datetime import time, timedelta

import pytest

from bot.model import Finding, Kind
from tests.conversation import Conversation, Person, heard
from tests.known import patient_of


@pytest.mark.parametrize(("rule", "comes"), [("S3", False), ("U1", True)])
async def test_a_warning_that_can_wait_does_not_come_at_night(
    talk: Conversation, rule: str, comes: bool
) -> None:
    ada = await talk.patient()
    patient = await patient_of(talk, ada)
    red_flag = talk.app.services.content("en").red_flags[rule]
    async with talk.app.database.transaction() as store:
        finding = Finding(rule, red_flag.level, red_flag.topic, None, ())
        row, _ = await store.raise_escalation(
            patient.id, finding, talk.now.date(), False, "test", "", "", talk.now
        )
        due = talk.now + timedelta(hours=1)
        await store.plan(patient.id, Kind.CARD, f"escalation:{row.id}", 0, due)
    await talk.go_to(talk.now + timedelta(hours=5))  # the bot was away
    assert cards(ada) == comes
    await talk.until(time(7, 0))
    assert cards(ada) >= 1  # a grave one is repeated until it is read


def cards(person: Person) -> int:
    return sum("es:1:" in str(message.keyboard) for message in person.messages)


async def test_a_kind_word_does_not_come_at_night(talk: Conversation) -> None:
    ada = await talk.patient()
    patient = await patient_of(talk, ada)
    content = talk.app.services.content("en")
    rule = next(rule for rule, one in content.patterns.items() if one.effect == "say")
    async with talk.app.database.transaction() as store:
        due = talk.now + timedelta(hours=1)
        await store.plan(patient.id, Kind.WORD, f"pattern:{rule}", 0, due, due + timedelta(days=1))
    await talk.go_to(talk.now + timedelta(hours=5))
    assert content.pattern_words[rule].line not in heard(ada)
    await talk.until(time(7, 0))
    assert content.pattern_words[rule].line in heard(ada)
