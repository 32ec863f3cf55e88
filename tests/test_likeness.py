"""What a message is like: raised when the phrases miss it, asked when they take too much literally."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model import Facts
from bot.rules.hearing import listen
from bot.rules.likeness import Likeness, likeness, most_like, odds
from content.checks import problems
from content.loader import Content, load
from content.schema import Examples, Level

CONTENT = load("en")
NOBODY = Facts()
UNFORESEEN = Examples(
    calm="the cat sat on the mat\nmy calf was sore after the walk\nwhat a nice evening\nslept well again",
    rows={
        "E1": "the wombat is on my hatstand\nwombat on my hatstand all night\nhatstand wombat\na wombat",
        "U1": "one shin glows like a lamp\nmy shin glows\nthe left shin glows again",
    },
)


def with_examples(examples: Examples) -> Content:
    return replace(CONTENT, examples=examples)


def lean(content: Content, text: str) -> Likeness:
    found = likeness(content, text)
    assert found is not None
    return found


def test_words_no_phrase_foresaw_are_understood_by_examples() -> None:
    content = with_examples(UNFORESEEN)
    heard = listen(content, "there is a wombat on my hatstand", NOBODY)
    assert [(one.rule, one.level, one.evidence) for one in heard.own.raised] == [
        ("E1", Level.EMERGENCY, ("like:E1",))
    ]
    assert not listen(with_examples(Examples()), "there is a wombat on my hatstand", NOBODY).own.raised


def test_without_examples_the_phrases_stand_alone() -> None:
    heard = listen(with_examples(Examples()), "I can't breathe", NOBODY)
    assert [one.rule for one in heard.own.raised] == ["E1"]
    assert likeness(with_examples(Examples()), "I can't breathe") is None


def test_the_likeliest_row_comes_first() -> None:
    rows = most_like(with_examples(UNFORESEEN), "my shin glows tonight", ["E1", "U1", "U2"])
    assert [row for row, _ in rows] == ["U1", "E1"], "a row without examples is not guessed at"


def test_a_danger_in_the_middle_of_a_long_message_is_heard() -> None:
    chatter = "what a nice evening the cat sat on the mat and i slept well again " * 4
    leans = lean(with_examples(UNFORESEEN), f"{chatter} the wombat is on my hatstand {chatter}")
    assert leans.emergency.gravest_part > leans.emergency.whole


def test_what_is_taken_too_literally_is_asked_and_not_alarmed() -> None:
    calm = "\n".join(["that film was a heart attack of laughs, i cant breathe for laughing"] * 8)
    content = with_examples(Examples(calm=calm, rows=UNFORESEEN.rows))
    heard = listen(content, "i cant breathe for laughing at that film", NOBODY)
    assert not heard.own.raised
    assert "E1" in heard.own.asks, "nearly sure is asked, not dropped"


def test_few_words_of_danger_are_taken_as_said() -> None:
    content = with_examples(Examples(calm="i cant breathe\n" * 20, rows=UNFORESEEN.rows))
    assert [one.rule for one in listen(content, "I can't breathe", NOBODY).own.raised] == ["E1"]
    assert lean(content, "I can't breathe").grave.whole < CONTENT.weighing.silent_below


def test_nothing_grave_is_left_at_that() -> None:
    """Too like a grave message, and no phrase found anything: the warning signs are asked."""
    weighing = CONTENT.weighing.model_copy(update={"emergency_from": 1e9, "urgent_from": 1e9})
    unsure = replace(with_examples(UNFORESEEN), weighing=weighing)
    heard = listen(unsure, "a wombat on my hatstand again tonight", NOBODY)
    assert heard.alarming
    assert heard.is_open


def test_a_word_that_one_message_alone_holds_says_nothing() -> None:
    once = Examples(calm=UNFORESEEN.calm, rows={**UNFORESEEN.rows, "E3": "zebra\nfoot like ice\nfoot of ice"})
    known, unknown = (lean(with_examples(of), "zebra").grave.whole for of in (once, UNFORESEEN))
    assert known == unknown


def test_odds_add_up_what_words_and_phrases_say() -> None:
    scale = CONTENT.weighing.emergency
    leans = lean(CONTENT, "my foot has gone cold and white")

    def total(found: Level, *, denies: bool = False) -> float:
        return odds(scale, leans, leans.emergency, found, denies=denies)

    bare = total(Level.NONE)
    assert total(Level.EMERGENCY) - bare == pytest.approx(scale.emergency)
    assert total(Level.URGENT) - bare == pytest.approx(scale.urgent)
    assert total(Level.NONE, denies=True) - bare == pytest.approx(scale.denied)


def test_an_emergency_that_is_hardly_one_is_urgent_and_asked() -> None:
    hardly = CONTENT.weighing.model_copy(update={"no_emergency_below": 1e9, "emergency_from": 1e9})
    content = replace(CONTENT, weighing=hardly)
    heard = listen(content, "my foot has gone white and cold as ice tonight", NOBODY)
    assert [one.level for one in heard.own.raised] == [Level.URGENT]
    assert "E3" in heard.own.asks


def test_a_sign_that_the_whole_message_gives_the_lie_to_is_not_noted() -> None:
    calm = "\n".join(["that film was a heart attack of laughs, i cant breathe for laughing"] * 8)
    content = with_examples(Examples(calm=calm, rows=UNFORESEEN.rows))
    heard = listen(content, "i cant breathe for laughing at that film", NOBODY)
    assert "breathless" in heard.reading.signs()
    assert "breathless" not in heard.signs()


@settings(deadline=None)  # the first of all learns
@given(st.text(max_size=400))
def test_any_text_has_a_likeness(text: str) -> None:
    leans = lean(CONTENT, text)
    assert leans.grave.whole == leans.grave.whole, "a number"
    listen(CONTENT, text, NOBODY)


@settings(deadline=None)
@given(st.sampled_from([" ", "\n", "!!", "..."]))
def test_marks_do_not_change_a_likeness(mark: str) -> None:
    assert lean(CONTENT, f"my{mark}leg{mark}is cold") == likeness(CONTENT, "MY LEG IS COLD")


@pytest.mark.parametrize("text", ["", "   ", "7", "zzz qqq xxx yyy"])
def test_words_nobody_wrote_lean_no_way(text: str) -> None:
    assert abs(lean(with_examples(UNFORESEEN), text).grave.whole) < 1


def test_examples_of_a_row_that_does_not_exist_are_refused() -> None:
    wrong = with_examples(Examples(calm="a", rows={"E99": "help"}))
    assert any("examples.toml: rows: there is no row" in problem for problem in problems(wrong))


def test_one_message_cannot_be_grave_and_calm() -> None:
    wrong = with_examples(Examples(calm="help me", rows={"E1": "help me"}))
    assert any("help me" in problem for problem in problems(wrong))
