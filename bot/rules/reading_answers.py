"""Reads the answers of a check-in out of plain words; what is not sure is left for the question."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.rules.reading_context import Surroundings
from bot.rules.reading_patterns import Hit, Text

SCORE = re.compile(r"(?<![\d.,:/])(10|\d)(?:[.,]5)?\s*(?:/|out of|of)\s*(?:10|ten)\b", re.IGNORECASE)
ALONE = re.compile(r"\s*(10|\d)\s*[.!]?\s*")
NAMED = re.compile(
    r"\bpain\W+(?:\w+\W+){0,3}?(10|\d)\b(?!\s*(?:min|h|sec|time|x|night|day|week|month|year|am|pm|[.,:/]\d))",
    re.IGNORECASE,
)
TIME = re.compile(
    r"(\d+(?:[.,]\d+)?|an?|half an?|one|two|three|four|five|six|ten|twenty|thirty|forty)"
    r"['!]? (second|minute|hour)s?\b"
)
NUMBERS = {
    "a": 1.0, "an": 1.0, "half a": 0.5, "half an": 0.5, "one": 1.0, "two": 2.0, "three": 3.0, "four": 4.0,
    "five": 5.0, "six": 6.0, "ten": 10.0, "twenty": 20.0, "thirty": 30.0, "forty": 40.0,
}  # fmt: skip
UNIT = {"second": 1 / 60, "minute": 1.0, "hour": 60.0}


@dataclass(frozen=True)
class Answers:
    """The check-in answers of one message, with the words each was read from."""

    pain: int | None
    side: str | None
    feeling: tuple[str, ...]
    awake: str | None
    helped: tuple[str, ...]
    longest: str | None
    tired: str | None
    no_trouble: bool
    took: Mapping[str, str]


def read_answers(laid: Text, text: str, hits: Sequence[Hit], around: Surroundings) -> Answers:
    """Gather the answers of one message; later and contradicting single answers leave the question open."""
    took: dict[str, str] = {}
    chosen: dict[str, list[str]] = {}
    for hit in sorted(hits, key=lambda hit: hit.start):
        standing = around.standing(hit)
        if standing.certainty == "no" or standing.about_other or standing.asked or standing.past:
            continue
        question, option = hit.phrase.code.split(":")
        if option not in chosen.setdefault(question, []):
            chosen[question].append(option)
        took[option] = _quoted(hit, text, laid)
    pain = _pain(text, took)
    return Answers(
        pain=pain,
        side=_side(chosen.get("side", [])),
        feeling=tuple(chosen.get("feeling", [])[:2]),
        awake=_single(chosen.get("awake", [])) or _awake(laid.line, took),
        helped=tuple(option for option in chosen.get("helped", [])),
        longest=_single(chosen.get("longest", [])) or _longest(laid.line, took),
        tired=_single(chosen.get("tired", [])),
        no_trouble="no_trouble" in chosen and not pain,
        took=took,
    )


def _pain(text: str, took: dict[str, str]) -> int | None:
    match = SCORE.search(text) or ALONE.fullmatch(text) or NAMED.search(text)
    if match is None:
        return None
    took["pain"] = match.group().strip()
    return int(match[1])


def _side(sides: Sequence[str]) -> str | None:
    if "both" in sides or {"left", "right"} <= set(sides):
        return "both"
    return sides[0] if sides else None


def _single(options: Sequence[str]) -> str | None:
    return options[0] if len(options) == 1 else None


def _minutes(match: re.Match[str]) -> float:
    amount = NUMBERS.get(match[1]) or float(match[1].replace(",", "."))
    return amount * UNIT[match[2]]


def _spoken(line: str) -> str:
    return line.replace("'", "").replace("!", "")


def _awake(line: str, took: dict[str, str]) -> str | None:
    """Read "awake for 40 minutes"; a bare length is left alone."""
    plain = _spoken(line)
    for match in TIME.finditer(plain):
        if not re.search(
            r"\b(awake|up|sleepless|sleep|walking|pacing)\b",
            plain[max(0, match.start() - 40) : match.end() + 15],
        ):
            continue
        minutes = _minutes(match)
        code = "under_30" if minutes < 30 else "to_60" if minutes <= 60 else "over_60"
        took[code] = match.group()
        return code
    return None


def _longest(line: str, took: dict[str, str]) -> str | None:
    """Read how long a cramp lasted, when it is said of a cramp."""
    plain = _spoken(line)
    lengths = []
    for match in TIME.finditer(plain):
        near = plain[max(0, match.start() - 50) : match.end() + 20]
        if re.search(r"\b(cramps?|spasms?|lasted|charley)\b", near) and not re.search(
            r"\b(awake|every|apart|ago)\b", near
        ):
            lengths.append((_minutes(match), match.group()))
    if not lengths:
        return None
    minutes, words = max(lengths)
    code = "under_1" if minutes < 1 else "to_5" if minutes <= 5 else "to_10" if minutes <= 10 else "over_10"
    took[code] = words
    return code


def _quoted(hit: Hit, text: str, laid: Text) -> str:
    sources = [word.source for word in laid.words[hit.start : hit.end]]
    return text[min(start for start, _ in sources) : max(end for _, end in sources)]
