"""Only red flags that something known belongs to are looked at, and none that holds is passed over."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model import Facts
from bot.rules.touched import needed, touched
from bot.rules.triage import closed_over, holds
from content.loader import load
from content.schema import Condition

ENGLISH = load("en")
WORDS = st.sampled_from(("one", "two", "three"))
LEAVES = st.one_of(
    WORDS.map(lambda word: Condition(sign=word)),
    WORDS.map(lambda word: Condition(flag=word)),
    WORDS.map(lambda word: Condition(feeling=word)),
    WORDS.map(lambda word: Condition(helped=word)),
    st.integers(0, 10).map(lambda score: Condition(pain_from=score)),
)


def joined(parts: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    several = st.lists(parts, min_size=1, max_size=3).map(tuple)
    return st.one_of(
        several.map(lambda all_of: Condition(all=all_of)),
        several.map(lambda any_of: Condition(any=any_of)),
        several.map(lambda none_of: Condition(none=none_of)),
    )


CONDITIONS = st.recursive(LEAVES, joined, max_leaves=8)


def told(signs: st.SearchStrategy[str], others: st.SearchStrategy[str]) -> st.SearchStrategy[Facts]:
    return st.builds(
        Facts,
        signs=st.dictionaries(signs, st.sampled_from(("yes", "unsure")), max_size=6),
        flags=st.dictionaries(others, st.booleans(), max_size=4),
        feeling=st.frozensets(others, max_size=3),
        helped=st.frozensets(others, max_size=3),
        pain=st.none() | st.integers(0, 10),
    )


def codes(facts: Facts) -> set[str]:
    found = {f"sign:{sign}" for sign in facts.signs}
    found |= {f"flag:{flag}" for flag, yes in facts.flags.items() if yes}
    found |= {f"feeling:{one}" for one in facts.feeling} | {f"helped:{one}" for one in facts.helped}
    return found | ({"pain:"} if facts.pain is not None else set())


@settings(max_examples=500)
@given(CONDITIONS, told(WORDS, WORDS))
def test_a_condition_that_holds_has_one_of_the_codes_it_needs(condition: Condition, facts: Facts) -> None:
    if holds(condition, facts, unsure=True):
        assert not needed(condition) or needed(condition) & codes(facts)


ANYTHING = st.sampled_from(
    [
        *ENGLISH.profile,
        *(option.code for code in ("feeling", "helped") for option in ENGLISH.questions[code].options),
    ]
)


@settings(max_examples=500)
@given(told(st.sampled_from(list(ENGLISH.signs)), ANYTHING), st.booleans())
def test_no_red_flag_that_holds_is_passed_over(facts: Facts, unsure: bool) -> None:
    known = Facts(
        closed_over(ENGLISH.signs, facts.signs), facts.flags, facts.feeling, facts.helped, facts.pain
    )
    looked_at = dict(touched(ENGLISH, known))
    met = [rule for rule, red_flag in ENGLISH.red_flags.items() if holds(red_flag.when, known, unsure)]
    assert [rule for rule in looked_at if rule in met] == met


@pytest.mark.parametrize("rule", ENGLISH.red_flags)
def test_each_red_flag_is_looked_at_for_the_codes_it_needs(rule: str) -> None:
    for code in needed(ENGLISH.red_flags[rule].when):
        kind, _, name = code.partition(":")
        facts = {
            "sign": Facts(signs={name: "unsure"}),
            "flag": Facts(flags={name: True}),
            "feeling": Facts(feeling=frozenset((name,))),
            "helped": Facts(helped=frozenset((name,))),
            "pain": Facts(pain=0),
        }[kind]
        assert rule in dict(touched(ENGLISH, facts))


def test_a_score_alone_touches_few() -> None:
    assert len(dict(touched(ENGLISH, Facts(pain=7)))) < len(ENGLISH.red_flags) / 4
