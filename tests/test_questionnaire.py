"""Which question comes next and what an answer makes of it: pure functions over one night."""

from __future__ import annotations

from datetime import date

import pytest

from bot.model import CheckIn
from bot.rules import questionnaire
from content.loader import load

CONTENT = load()
SHAPE = CONTENT.checkin
QUESTIONS = CONTENT.questions
BLANK = CheckIn(date(2026, 11, 20))


def answered(*answers: str) -> CheckIn:
    """Answer question:option one after the other; `question:` finishes, `question:-` skips."""
    checkin = BLANK
    for answer in answers:
        code, _, option = answer.partition(":")
        question = QUESTIONS[code]
        if option == "-":
            checkin = questionnaire.skip(checkin, question)
        elif not option:
            checkin = questionnaire.finish(checkin, question)
        else:
            found = next(one for one in question.options if one.code == option)
            checkin = questionnaire.choose(checkin, question, found)
    return checkin


def following(*answers: str) -> str | None:
    question = questionnaire.next_question(SHAPE, answered(*answers))
    return None if question is None else question.code


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ((), "pain"),
        (("pain:p0",), "signs"),
        (("pain:p0", "signs:none"), None),
        (("pain:p1",), "feeling"),
        (("pain:p6",), "feeling"),
        (("pain:p7",), "signs"),
        (("pain:p10", "signs:none"), "feeling"),
        (("pain:-",), "signs"),
        (("pain:p3", "feeling:ache", "feeling:", "side:left", "awake:no", "helped:nothing"), "signs"),
        (("pain:p3", "feeling:cramp", "feeling:", "side:left", "awake:no", "helped:nothing"), "longest"),
    ],
)
def test_the_next_question(answers: tuple[str, ...], expected: str | None) -> None:
    assert following(*answers) == expected


def test_nothing_chosen_counts_as_skipped_and_a_skip_is_not_a_no() -> None:
    checkin = answered("pain:p0", "signs:")
    assert "signs" in checkin.skipped
    assert questionnaire.chosen(checkin, QUESTIONS["signs"]) == ()
    assert questionnaire.chosen(answered("pain:p0", "signs:none"), QUESTIONS["signs"]) == ("none",)


def test_a_sign_ends_none_and_none_ends_signs() -> None:
    checkin = answered("pain:p0", "signs:none", "signs:chest")
    assert dict(checkin.signs) == {"chest": "yes"}
    assert dict(answered("pain:p0", "signs:chest", "signs:none").signs) == {}


def test_back_goes_to_the_question_before() -> None:
    checkin = answered("pain:p7", "signs:none")
    before = questionnaire.question_before(SHAPE, checkin, "feeling")
    assert before is not None
    assert before.code == "signs"
    assert questionnaire.question_before(SHAPE, BLANK, "pain") is None
    assert questionnaire.question_before(SHAPE, BLANK, "nonsense") is None
