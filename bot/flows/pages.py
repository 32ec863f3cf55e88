"""How the check-in's one message reads: a question with its choices, the summary, what can be changed."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from bot.messages import Button, Message, Rows, Style
from bot.model import CheckIn, Origin, Patient
from bot.rules import questionnaire
from bot.shapes import altered
from content.keeping import kept
from content.loader import Content
from content.schema import Option, Question
from content.words import Html


def press_of(night: date, *parts: str) -> str:
    """Return what a button of one night carries, e.g. `ci:261121:pain:p7`."""
    return ":".join(["ci", _digits(night), *parts])


@lru_cache(64)
def _digits(night: date) -> str:
    return night.strftime("%y%m%d")


def page(content: Content, patient: Patient, checkin: CheckIn, lead: Html | None = None) -> Message:
    """Return the message as it should read now: the next open question, or the summary."""
    question = questionnaire.next_question(content.checkin, checkin)
    return summary(content, checkin) if question is None else ask(content, checkin, question, lead)


def ask(content: Content, checkin: CheckIn, question: Question, lead: Html | None = None) -> Message:
    """Return one question with its choices, what stands chosen ticked."""
    shown = altered(checkin, opened_at=None, completed_at=None, version="", message_id=None, note="")
    return _asked(content, shown, question.code, lead)


@kept(most=512)
def _asked(content: Content, checkin: CheckIn, code: str, lead: Html | None) -> Message:
    """Return the same for all whose answers so far are the same, of a check-in without what is not shown."""
    question, words = content.questions[code], content.question_words[code]
    head = content.words.say(
        "checkin_head", night=content.words.day(checkin.night), origin=_origin(content, checkin)
    )
    parts = [
        head,
        told_so_far(content, checkin, question),
        lead,
        Html(f"<b>{words.ask}</b>"),
        Html(f"<i>{words.note}</i>" if words.note else ""),
    ]
    text = Html("\n\n".join(part for part in parts if part))
    choices = _choices(content, checkin.night, question.code, questionnaire.chosen(checkin, question))
    return Message(text, (*choices, *_ways(content, checkin, question)))


def _origin(content: Content, checkin: CheckIn) -> Html:
    return content.words.say("origin_backfilled") if checkin.origin is Origin.BACKFILLED else Html("")


@kept(most=256)
def _choices(content: Content, night: date, code: str, standing: tuple[str, ...]) -> Rows:
    """Return a question's choices as buttons, those that stand ticked: alike for all who answer so."""
    question = content.questions[code]
    rows: list[tuple[Button, ...]] = []
    line: list[Button] = []
    for option in question.options:
        button = _choice(content, night, question, option, option.code in standing)
        if option.wide:
            rows += [tuple(line)] if line else []
            rows.append((button,))
            line = []
            continue
        line.append(button)
        if len(line) == question.columns:
            rows.append(tuple(line))
            line = []
    rows += [tuple(line)] if line else []
    return tuple(rows)


def _choice(content: Content, night: date, question: Question, option: Option, on: bool) -> Button:
    label = content.question_words[question.code].options[option.code]
    mark = "-" if question.many and on else "+"  # the target, never a toggle
    text = content.words.plain("chosen", label=label) if on else label
    return Button(text, press_of(night, question.code, mark + option.code))


def _ways(content: Content, checkin: CheckIn, question: Question) -> Rows:
    """Return the ways on: done, back, skip."""
    words = content.words
    rows: list[tuple[Button, ...]] = []
    if question.many and questionnaire.chosen(checkin, question) not in ((), ("none",)):
        done = Button(words.plain("button_done"), press_of(checkin.night, "done", question.code), Style.MAIN)
        rows.append((done,))
    line = []
    before = questionnaire.question_before(content.checkin, checkin, question.code)
    if before is not None:
        line.append(Button(words.plain("button_back"), press_of(checkin.night, "show", before.code)))
    line.append(Button(words.plain("button_skip"), press_of(checkin.night, "skip", question.code)))
    return (*rows, tuple(line))


def told_so_far(content: Content, checkin: CheckIn, but: Question | None = None) -> Html:
    """Return the answers given so far in one line a question, without the one being asked."""
    lines = []
    for question in content.checkin.questions:
        codes = questionnaire.chosen(checkin, question)
        if not codes or question is but or not questionnaire.stands(question, checkin):
            continue
        words = content.question_words[question.code]
        answer = content.words.list([words.options[code] for code in codes])
        lines.append(content.words.say("told_line", short=words.short, answer=answer))
    return Html("\n".join(lines))


def summary(content: Content, checkin: CheckIn) -> Message:
    """Return the closed check-in: what was saved, and the way to change it."""
    words = content.words
    head = words.say("checkin_head", night=words.day(checkin.night), origin=_origin(content, checkin))
    body = told_so_far(content, checkin)
    text = Html("\n\n".join(part for part in (head, body, words.say("checkin_saved")) if part))
    change = Button(words.plain("button_change"), press_of(checkin.night, "change"))
    return Message(text, ((change,),))


def change_menu(content: Content, checkin: CheckIn) -> Message:
    """Return the summary with one button a question, to correct any of them."""
    words = content.words
    rows = tuple(
        (Button(content.question_words[question.code].short, press_of(checkin.night, "show", question.code)),)
        for question in questionnaire.path(content.checkin, checkin)
    )
    back = Button(words.plain("button_back"), press_of(checkin.night, "sum"))
    closed = summary(content, checkin)
    return Message(Html(f"{closed.text}\n\n{words.say('change_which')}"), (*rows, (back,)))
