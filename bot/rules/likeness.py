"""Says what a message is most like among examples of what people write: a second ear beside the phrases.

Naive Bayes over words and pairs of words: the field's plain baseline for short texts, learned in under a
second, explained by the words that weighed. Phrases know what is said and of whom, and miss what nobody
foresaw; likeness hears the unforeseen and cannot say why. Together they err far less than either alone.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from content.keeping import kept
from content.loader import Content
from content.schema import Examples, Level

WORD = re.compile(r"[^\W_]+")
APOSTROPHES = re.compile(r"(?<=\w)['’‘`´](?=\w)")
BEGIN, END = "^", "$"
PART, STEP = 16, 4  # words of a long message looked at together, and from one part to the next
UNSEEN = 0.1  # of a message: what a word nobody wrote yet counts for
BACKGROUND = 3.0  # messages' worth of how everybody writes, where a row has few examples of its own
LEAST = 3  # examples of a row, for a message to be like it
CALM, URGENT, EMERGENCY = range(3)


@dataclass(frozen=True)
class Likeness:
    """How a message leans; both are natural logarithms of odds, and 0 says that it may be either."""

    grave: float  # urgent or emergency, against anything that can wait
    emergency: float  # emergency, against anything else
    words: int  # of the whole message


def likeness(content: Content, text: str) -> Likeness | None:
    """Return how a message leans, a long one as its gravest part does; None where there are no examples."""
    learned = _learned(content)
    if not learned.is_taught:
        return None
    words = _words(text)
    grave, emergency = max(learned.lean(part) for part in _parts(words))
    return Likeness(grave, emergency, len(words))


def learn(content: Content) -> None:
    """Learn a language's examples now, so that no message has to wait for it (a quarter of a second)."""
    _learned(content)


def most_like(content: Content, text: str, rows: Iterable[str]) -> list[tuple[str, float]]:
    """Return the rows with examples, each with the logarithm of its likelihood, the likeliest first."""
    learned = _learned(content)
    words = max(_parts(_words(text)), key=learned.lean)
    found = [(row, learned.likelihood(words, row)) for row in rows if learned.knows(row)]
    return sorted(found, key=lambda each: -each[1])


@kept()
def _learned(content: Content) -> _Learned:
    rows = content.examples.rows
    return _learned_from(content.examples, tuple((row, content.red_flags[row].level) for row in rows))


@lru_cache(maxsize=16)
def _learned_from(examples: Examples, levels: tuple[tuple[str, Level], ...]) -> _Learned:
    return _Learned(examples, dict(levels))


class _Learned:
    """How many messages of each level and row hold a word or a pair of words."""

    def __init__(self, examples: Examples, levels: Mapping[str, Level]) -> None:
        self._holding: dict[str, list[int]] = {}
        self._weights: dict[str, tuple[float, float]] = {}  # worked out when first met
        self._messages = [0, 0, 0]
        self._of_row: dict[str, Counter[str]] = {}
        self._of_row_messages: Counter[str] = Counter()
        for row, said in examples.by_row():
            level = levels.get(row, Level.NONE)
            at = EMERGENCY if level >= Level.EMERGENCY else URGENT if level >= Level.URGENT else CALM
            for text in said:
                self._learn(row, at, _features(_words(text)))

    def _learn(self, row: str, at: int, features: frozenset[str]) -> None:
        self._messages[at] += 1
        for feature in features:
            self._holding.setdefault(feature, [0, 0, 0])[at] += 1
        if at != CALM:
            self._of_row_messages[row] += 1
            self._of_row.setdefault(row, Counter()).update(features)

    def knows(self, row: str) -> bool:
        return self._of_row_messages[row] >= LEAST

    @property
    def is_taught(self) -> bool:
        calm, _, emergency = self._messages
        return bool(calm and emergency)

    def lean(self, words: tuple[str, ...]) -> tuple[float, float]:
        grave = acute = 0.0
        for feature in _features(words):
            weight = self._weights.get(feature)
            if weight is None and feature in self._holding:
                weight = self._weights[feature] = self._weight(self._holding[feature])
            if weight is not None:
                grave += weight[0]
                acute += weight[1]
        return grave, acute

    def _weight(self, held: list[int]) -> tuple[float, float]:
        calm, urgent, emergency = self._messages
        return (
            _odds(held[URGENT] + held[EMERGENCY], urgent + emergency, held[CALM], calm),
            _odds(held[EMERGENCY], emergency, held[CALM] + held[URGENT], calm + urgent),
        )

    def likelihood(self, words: tuple[str, ...], row: str) -> float:
        every, own, messages = sum(self._messages), self._of_row[row], self._of_row_messages[row]
        total = 0.0
        for feature in _features(words):
            held = self._holding.get(feature)
            if held is not None:
                usual = sum(held) / every
                total += math.log((own[feature] + BACKGROUND * usual) / (messages + BACKGROUND) / usual)
        return total


def _odds(held: int, of: int, against: int, of_those: int) -> float:
    mine = (held + UNSEEN) / (of + 2 * UNSEEN)
    return math.log(mine) - math.log((against + UNSEEN) / (of_those + 2 * UNSEEN))


def _words(text: str) -> tuple[str, ...]:
    return tuple(WORD.findall(APOSTROPHES.sub("", text.casefold())))


def _features(words: tuple[str, ...]) -> frozenset[str]:
    row = (BEGIN, *words, END)
    pairs = (f"{one} {other}" for one, other in pairwise(row))
    return frozenset((*words, *pairs))


def _parts(words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for start in range(0, max(1, len(words) - PART + STEP), STEP):
        yield words[start : start + PART]
