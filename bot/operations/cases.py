"""The `triage` command: replays cases, one JSON object a line, and says where they come out differently."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO, get_args

from pydantic import ValidationError

from bot.operations.case_shapes import Case, DayExpected, DiaryCase, Expected, MessageCase
from bot.operations.replay import (
    DOUBTED,
    NO_REPLY,
    REPLIES,
    Result,
    UnknownCode,
    replay_diary,
    replay_message,
)
from bot.rules.windows import DISTRESS
from content.loader import Content, load
from content.schema import Level, Part

STANDARD_INPUT = "-"


def run(files: Sequence[str], codes: bool = False) -> int:
    """Replay cases or print the codes; 0 well, 1 a case came out wrong or was unreadable, 2 nothing to do."""
    try:
        return _run(files, codes)
    except BrokenPipeError:  # who reads it has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _run(files: Sequence[str], codes: bool) -> int:
    content = load()
    if codes:
        print_codes(content, sys.stdout)
        return 0
    if not files:
        print("triage: name a file with cases, or - for standard input", file=sys.stderr)
        return 2
    verdicts = Verdicts()
    for name in files:
        try:
            for line in _lines(name):
                replay_line(content, line, verdicts, sys.stdout, sys.stderr)
        except BrokenPipeError:
            raise
        except (OSError, UnicodeDecodeError) as error:
            verdicts.unreadable += 1
            print(f"{name}: {getattr(error, 'strerror', None) or error}", file=sys.stderr)
    verdicts.print(sys.stderr)
    return 0 if verdicts.is_well else 1


# --- reading ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """One line of a file of cases, with its number from 1."""

    file: str
    number: int
    text: str

    @property
    def place(self) -> str:
        """Return where it stands, as `file:number`."""
        return f"{self.file}:{self.number}"


def _lines(name: str) -> Iterator[Line]:
    if name == STANDARD_INPUT:
        yield from _numbered("standard input", sys.stdin)
    else:
        with Path(name).open(encoding="utf-8") as file:
            yield from _numbered(name, file)


def _numbered(name: str, lines: Iterable[str]) -> Iterator[Line]:
    for number, text in enumerate(lines, start=1):
        if text.strip():
            yield Line(name, number, text)


def parse_case(text: str) -> MessageCase | DiaryCase:
    """Read one case; ValueError says in one line what is wrong with it."""
    try:
        raw = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"is not JSON: {error.msg} at character {error.pos + 1}") from None
    if not isinstance(raw, dict) or ("text" in raw) == ("days" in raw):
        raise ValueError("a case is an object with either text (a message) or days (a diary)")
    try:
        return MessageCase.model_validate(raw) if "text" in raw else DiaryCase.model_validate(raw)
    except ValidationError as error:
        raise ValueError("; ".join(_fault(fault["loc"], fault["msg"]) for fault in error.errors())) from None


def _fault(place: tuple[str | int, ...], message: str) -> str:
    return f"{'.'.join(map(str, place))}: {message}"


# --- replaying -------------------------------------------------------------------------------------------


def replay(content: Content, case: MessageCase | DiaryCase) -> Result:
    """Replay one case of either kind."""
    return replay_message(content, case) if isinstance(case, MessageCase) else replay_diary(content, case)


def replay_line(content: Content, line: Line, verdicts: Verdicts, out: TextIO, complaints: TextIO) -> None:
    """Replay one line, print what came of it, and count it; a line that cannot be read is named."""
    try:
        case = parse_case(line.text)
        result = replay(content, case)
    except (ValueError, UnknownCode) as error:
        verdicts.unreadable += 1
        print(f"{line.place}: {error}", file=complaints)
        return
    print(json.dumps(as_json(case, result), ensure_ascii=False), file=out)
    if case.expected is not None:
        verdicts.count(line, case, case.expected, result)


def as_json(case: Case, result: Result) -> dict[str, Any]:
    """Return the object that is printed for a case."""
    findings = [
        {
            "rule": finding.rule,
            "level": finding.level.code,
            **({} if day is None else {"day": day}),
            "evidence": list(finding.evidence),
        }
        for finding, day in result.findings
    ]
    head: dict[str, Any] = {"id": case.id, "level": result.level.code}
    if isinstance(case, MessageCase):
        reply = {} if result.reply == NO_REPLY else {"reply": result.reply}
        asks = list(result.asks)
        return {**head, "findings": findings, "signs": list(result.signs), "asks": asks, **reply}
    by_day = [
        {
            "day": day.day,
            "level": day.level.code,
            "raised": list(day.raised),
            "told": day.told,
            **({"asks": list(day.asks)} if day.asks else {}),
        }
        for day in result.days
    ]
    return {**head, "by_day": by_day, "findings": findings, "asks": list(result.asks)}


# --- comparing -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Miss:
    """One case that came out outside what is acceptable, and how."""

    line: Line
    case: Case
    expected: Level
    level: Level
    faults: tuple[str, ...]
    asks: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """Return how the level compares with the expected one: "over", "under" or "right"."""
        if self.level == self.expected:
            return "right"
        return "over" if self.level > self.expected else "under"


class Verdicts:
    """Counts by expected level what came out right, over and under, and keeps the misses."""

    def __init__(self) -> None:
        self.unreadable = 0
        self.misses: list[Miss] = []
        self._right: dict[Level, int] = dict.fromkeys(Level, 0)

    @property
    def is_well(self) -> bool:
        """Return whether every case could be read and came out as acceptable."""
        return not self.unreadable and not self.misses

    def count(self, line: Line, case: Case, expected: Expected, result: Result) -> None:
        """Compare one result with what is expected of it."""
        faults = tuple(differences(case, expected, result))
        if faults:
            self.misses.append(Miss(line, case, expected.level, result.level, faults, result.asks))
        else:
            self._right[expected.level] += 1

    def print(self, out: TextIO) -> None:
        """Print the table by level, then each miss with the reason why it is expected otherwise."""
        print(f"{'expected':<11}{'right':>7}{'over':>7}{'under':>7}{'other':>7}", file=out)
        for level in sorted(Level, reverse=True):
            verdicts = [miss.verdict for miss in self.misses if miss.expected == level]
            counts = [self._right[level], *(verdicts.count(one) for one in ("over", "under", "right"))]
            if any(counts):
                print(f"{level.code:<11}" + "".join(f"{count:>7}" for count in counts), file=out)
        for miss in self.misses:
            asked = f" (asks {', '.join(miss.asks)})" if miss.asks else ""
            print(f"{miss.line.place}: {miss.case.id}: {'; '.join(miss.faults)}{asked}", file=out)
            print(f"    why: {miss.case.why or '-'}", file=out)
        if self.unreadable:
            print(f"{self.unreadable} could not be read", file=out)


def differences(case: Case, expected: Expected, result: Result) -> Iterator[str]:
    """Say in what a result lies outside what is acceptable."""
    if result.level not in (*(case.acceptable or ()), expected.level):
        yield f"{result.level.code}, expected {expected.level.code}"
    if isinstance(case, MessageCase) and case.reply not in (None, result.reply):
        yield f"reply {result.reply}, expected {case.reply}"
    missing = [rule for rule in expected.raised if rule not in result.raised]
    if missing:
        yield f"did not raise {', '.join(missing)}"
    if result.level < expected.level or expected.level is Level.NONE:
        unasked = [row for row in _wanted_asks(case) if row not in result.asks]
        if unasked or (case.asks is True and not result.asks):
            yield f"did not ask {', '.join(unasked) or 'anything'}"
    days = {day.day: day for day in result.days}
    for wanted in expected.by_day:
        day = days.get(wanted.day)
        if day is None:
            yield f"day {wanted.day}: has no entry"
            continue
        yield from _day_differences(wanted, day.level, day.raised, day.told)


def _wanted_asks(case: Case) -> list[str]:
    return [] if isinstance(case.asks, bool) else case.asks


def _day_differences(wanted: DayExpected, level: Level, raised: Iterable[str], told: bool) -> Iterator[str]:
    if wanted.level is not None and level not in (wanted.level, *wanted.acceptable):
        yield f"day {wanted.day}: {level.code}, expected {wanted.level.code}"
    missing = sorted({*wanted.raised} - {*raised})
    if missing:
        yield f"day {wanted.day}: did not raise {', '.join(missing)}"
    if wanted.told is not None and wanted.told is not told:
        yield f"day {wanted.day}: {'told' if told else 'not told'}"


# --- the codes -------------------------------------------------------------------------------------------


def print_codes(content: Content, out: TextIO) -> None:
    """Print every code that a case may use, tab, its plain words."""
    for title, entries in _codes(content):
        print(f"# {title}", file=out)
        for code, words in entries:
            print(f"{code}\t{' '.join(words.split())}", file=out)
        print(file=out)


def _codes(content: Content) -> Iterator[tuple[str, Iterable[tuple[str, str]]]]:
    warnings = content.question_words["signs"].options
    extra = ((code, words) for code, words in warnings.items() if code not in content.signs)
    yield "signs: of messages, and of the days of a diary", content.sign_words.items()
    yield "signs: answers of the check-in, in the days of a diary only", extra
    yield "profile.flags", ((flag, words.question) for flag, words in content.profile_words.items())
    for question in ("feeling", "helped", "side", "awake", "longest", "tired"):
        words = content.question_words[question]
        yield f"{question}: {words.ask}", words.options.items()
    yield "did: parts of the evening", ((part, part) for part in get_args(Part))
    yield "distress: how much it weighs", ((word, str(grade)) for grade, word in enumerate(DISTRESS))
    yield "mood: the two questions about mood together (PHQ-2)", (("0-6", "3 or more is low"),)
    rules = content.rule_words.items()
    topics = ((rule, f"{content.rules[rule].topic}: {words.line}") for rule, words in rules)
    yield "seen, booked, known, safe: a rule or its topic", topics
    replies = [(code, content.words.plain(f"button_{code}")) for code in REPLIES]
    replies += [(DOUBTED, "asked by button"), (NO_REPLY, "it says nothing of the kind")]
    yield "reply: what a message says came of a warning; other: before it, of somebody else's", replies
