"""Which question of the check-in comes next, and what an answer makes of it: pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from bot.model import CheckIn
from bot.shapes import altered
from content.schema import CheckInShape, Option, Question

NO_TROUBLE = 0
SIGNS = "signs"


def due(shape: CheckInShape, last_asked: Mapping[str, date], joined: date, night: date) -> frozenset[str]:
    """Return the questions not asked every morning whose turn it is, by when each was asked last."""
    found = set()
    for question in shape.questions:
        if question.every_nights is None:
            continue
        last = last_asked.get(question.code)
        waited = (night - (last or joined)).days
        if waited >= (question.every_nights if last else question.first_after_nights):
            found.add(question.code)
    return frozenset(found)


def score(shape: CheckInShape, checkin: CheckIn, name: str) -> int | None:
    """Return the points of all questions that add to a score; None unless every one was answered."""
    total = 0
    questions = [question for question in shape.questions if question.scores == name]
    for question in questions:
        codes = chosen(checkin, question)
        if not codes:
            return None
        total += sum(option.points for option in question.options if option.code in codes)
    return total if questions else None


def is_asked(question: Question, checkin: CheckIn) -> bool:
    """Return whether a question belongs to this night, given the answers so far."""
    if question.every_nights is not None and question.code not in checkin.more:
        return False
    if question.only_if_answered and getattr(checkin, question.only_if_answered) is None:
        return False
    if question.only_if_trouble and not checkin.pain:
        return False
    return question.only_if_feeling is None or question.only_if_feeling in checkin.feeling


def stands(question: Question, checkin: CheckIn) -> bool:
    """Return whether an answer belongs to this night: also one typed before the pain it hangs on is known."""
    return checkin.pain is None or is_asked(question, checkin)


def path(shape: CheckInShape, checkin: CheckIn) -> list[Question]:
    """Return this night's questions in order: warning signs right after a high score, else in their place."""
    asked = [question for question in shape.questions if is_asked(question, checkin)]
    if checkin.pain is not None and checkin.pain >= shape.signs_first_from_pain:
        asked.sort(key=lambda question: {"pain": 0, SIGNS: 1}.get(question.code, 2))
    return asked


def next_question(shape: CheckInShape, checkin: CheckIn) -> Question | None:
    """Return the first question that is neither answered nor skipped; None when the night is complete."""
    return next((question for question in path(shape, checkin) if question.code not in checkin.done), None)


def question_before(shape: CheckInShape, checkin: CheckIn, code: str) -> Question | None:
    """Return the question asked before one, for the way back."""
    asked = path(shape, checkin)
    at = next((place for place, question in enumerate(asked) if question.code == code), 0)
    return asked[at - 1] if at else None


def chosen(checkin: CheckIn, question: Question) -> tuple[str, ...]:
    """Return the option codes that stand as answered."""
    if question.code == "pain":
        return () if checkin.pain is None else (f"p{checkin.pain}",)
    if question.code == SIGNS:
        if not checkin.signs and SIGNS in checkin.done and SIGNS not in checkin.skipped:
            return ("none",)
        return tuple(checkin.signs)
    value = getattr(checkin, question.code)
    if isinstance(value, tuple):
        return value
    return () if value is None else (value,)


def choose(checkin: CheckIn, question: Question, option: Option, on: bool = True) -> CheckIn:
    """Return the check-in with one option chosen or, for questions of many, taken back.

    A choice that stands alone clears the others and finishes the question.
    """
    if not question.many:
        value = int(option.code[1:]) if question.code == "pain" else option.code
        return _finished(checkin, question, **{question.code: value})
    if option.alone:
        codes = () if question.code == SIGNS else (option.code,)
        return _finished(checkin, question, **_many(checkin, question, codes))
    others = [code for code in chosen(checkin, question) if code not in (option.code, "none")]
    others = [code for code in others if not _stands_alone(question, code)]
    if on:
        others = [*others, option.code][-(question.most or len(others) + 1) :]
    many = _many(checkin, question, tuple(others))
    return altered(checkin, **many, skipped=checkin.skipped - {question.code})


def finish(checkin: CheckIn, question: Question) -> CheckIn:
    """Return the check-in with a question of many finished as it stands; nothing chosen counts as skipped."""
    if not chosen(checkin, question):
        return skip(checkin, question)
    return _finished(checkin, question)


def skip(checkin: CheckIn, question: Question) -> CheckIn:
    """Return the check-in with a question skipped: that is not a no."""
    return altered(checkin, done=checkin.done | {question.code}, skipped=checkin.skipped | {question.code})


def _stands_alone(question: Question, code: str) -> bool:
    return any(option.code == code and option.alone for option in question.options)


def _finished(checkin: CheckIn, question: Question, **answers: object) -> CheckIn:
    done, skipped = checkin.done | {question.code}, checkin.skipped - {question.code}
    return altered(checkin, **answers, done=done, skipped=skipped)


def _many(checkin: CheckIn, question: Question, codes: tuple[str, ...]) -> dict[str, object]:
    """The field of a question of many, as it reads with these options chosen."""
    if question.code == SIGNS:
        return {SIGNS: {code: checkin.signs.get(code, "yes") for code in codes}}
    return {question.code: codes}
