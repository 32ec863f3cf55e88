"""What a message adds to what is known: certain findings, exact questions, and what is somebody else's."""

from __future__ import annotations

import pytest

from bot.flows.asking import LONGEST_BECAUSE, because_of
from bot.model import Facts
from bot.rules.hearing import MOST_ASKED, Heard, changed, listen, said_of
from content.loader import load
from content.schema import Level

CONTENT = load()


def hears(text: str, **known: object) -> Heard:
    return listen(CONTENT, text, Facts(**known))  # type: ignore[arg-type]


def raised(heard: Heard) -> list[str]:
    return [finding.rule for finding in heard.own.raised]


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("can't breathe", ["E1"]),
        ("no chest pain but cant breathe", ["E1"]),
        ("my left leg is swollen and hot", ["U1"]),
        ("I want to kill myself", ["E23"]),
        ("I am diabetic and have a sore on my foot", ["U5"]),
        ("no trouble at all", []),
        ("is swelling a sign of a clot?", []),
    ],
)
def test_what_is_certain_is_raised(text: str, rules: list[str]) -> None:
    assert raised(hears(text)) == rules


@pytest.mark.parametrize("sign", sorted(sign for sign, shape in CONTENT.signs.items() if shape.asks))
def test_every_lone_sign_asks_or_raises(sign: str) -> None:
    for sure, doubtful in (((sign,), ()), ((), (sign,))):
        judged = said_of(CONTENT, Facts(), sure, doubtful, {})
        assert judged.is_grave, sign
        assert len(judged.asks) <= MOST_ASKED
        levels = [CONTENT.red_flags[rule].level for rule in judged.asks]
        assert levels == sorted(levels, reverse=True)
        if not judged.raised:
            assert set(judged.asks) >= set(CONTENT.signs[sign].asks)


@pytest.mark.parametrize("sign", sorted(CONTENT.signs))
def test_no_sign_in_doubt_alarms_or_is_lost(sign: str) -> None:
    sure = said_of(CONTENT, Facts(), (sign,), (), {})
    doubtful = said_of(CONTENT, Facts(), (), (sign,), {})
    assert not doubtful.raised
    assert {finding.rule for finding in sure.raised} <= set(doubtful.asks)


def test_the_profile_said_before_and_now_counts() -> None:
    assert raised(hears("sore on my foot", flags={"diabetes": True})) == ["U5"]
    assert "U5" in hears("sore on my foot").own.asks
    assert "U5" not in hears("sore on my foot", flags={"diabetes": False}).own.asks


def test_what_was_known_is_not_raised_again_by_other_words() -> None:
    known = {"signs": {"leg_swollen": "yes"}}
    assert raised(hears("slept well, no trouble", **known)) == []
    assert raised(hears("my chest hurts", **known)) == ["E2", "U1"] or raised(
        hears("my chest hurts", **known)
    ) == ["E2"]


def test_somebody_else_is_judged_apart() -> None:
    heard = hears("my husband has chest pain", signs={"leg_swollen": "yes"})
    assert heard.own.raised == ()
    assert [finding.rule for finding in heard.other.raised] == ["E1"]


def test_cramps_said_with_a_pounding_heart_meet() -> None:
    found = said_of(CONTENT, Facts(feeling=frozenset({"cramp"})), ("racing_heart",), (), {})
    assert "E19" in {finding.rule for finding in found.raised}


def test_what_waits_on_a_question_is_not_said_yet() -> None:
    judged = said_of(CONTENT, Facts(), ("very_low_mood",), (), {})
    assert {"E23", "U22"} <= set(judged.asks)
    assert judged.lower == ()


def test_a_nights_answers_are_judged_by_what_they_add() -> None:
    before = Facts(signs={"chest_pain": "yes"}, pain=3)
    after = Facts(signs={"chest_pain": "yes", "leg_swollen": "yes"}, pain=3)
    assert "E2" in {finding.rule for finding in changed(CONTENT, before, after).raised}
    assert changed(CONTENT, after, after).raised == ()
    louder = changed(CONTENT, Facts(signs={"dark_urine": "yes"}), Facts(signs={"dark_urine": "yes"}, pain=8))
    assert [finding.rule for finding in louder.raised] == ["E14"]
    assert louder.raised[0].level is Level.EMERGENCY


def test_what_led_to_a_question_fits_its_column() -> None:
    text = because_of(f"sign:{sign}" for sign in CONTENT.signs)
    assert len(text) <= LONGEST_BECAUSE
    assert because_of(["sign:fever", "pain:", "flag:diabetes"]) == "words:sign:fever,flag:diabetes"


def test_a_mild_score_is_no_severe_pain() -> None:
    assert hears("pain 5/10, left calf, nothing helped").own.asks == ()
    assert hears("9/10, left calf, nothing helped").own.asks == ("U20",)
    assert "U20" in raised(hears("usually 5/10 but tonight unbearable pain, nothing helps"))
