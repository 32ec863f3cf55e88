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

from content.loader import Content
from content.schema import Examples, Level, Scale

WORD = re.compile(r"[^\W_]+")
APOSTROPHES = re.compile(r"(?<=\w)['’‘`´](?=\w)")
BEGIN, END = "^", "$"
PART, STEP = 16, 4  # words of a long message looked at together, and from one part to the next
UNSEEN = 0.1  # of a message: what a word nobody wrote yet counts for
BACKGROUND = 3.0  # messages' worth of how everybody writes, where a row has few examples of its own
LEAST = 3  # examples of a row, for a message to be like it
LEAST_HELD = 2  # messages a word or a pair must stand in: what one writer alone wrote says nothing of others
CALM, URGENT, EMERGENCY = range(3)


@dataclass(frozen=True)
class Leaning:
    """Natural logarithms of odds, by words alone; 0 says that it may be either."""

    whole: float  # of all words of the message together
    gravest_part: float  # of the part of a long message that leans furthest


@dataclass(frozen=True)
class Likeness:
    """How a message leans."""

    grave: Leaning  # urgent or emergency, against anything that can wait
    emergency: Leaning  # emergency, against anything else
    words: int  # of the whole message


def likeness(content: Content, text: str) -> Likeness | None:
    """Return how a message leans; None where there are no examples."""
    learned = _learned(content)
    if not learned.is_taught:
        return None
    words = _words(text)
    grave, emergency = learned.lean(words)
    parts = [learned.lean(part) for part in _parts(words)]
    return Likeness(
        Leaning(grave, max(of_part for of_part, _ in parts)),
        Leaning(emergency, max(of_part for _, of_part in parts)),
        len(words),
    )


def odds(scale: Scale, leaning: Leaning, found: Level) -> float:
    """Return the natural logarithm of the odds, from the words and from the level the phrases found."""
    total = scale.start + scale.whole * leaning.whole + scale.gravest_part * leaning.gravest_part
    if found >= Level.EMERGENCY:
        return total + scale.emergency
    return total + (scale.urgent if found >= Level.URGENT else 0.0)


def learn(content: Content) -> None:
    """Learn a language's examples now, so that no message has to wait for it (a quarter of a second)."""
    _learned(content)


def most_like(content: Content, text: str, rows: Iterable[str]) -> list[tuple[str, float]]:
    """Return the rows with examples, each with the logarithm of its likelihood, the likeliest first."""
    learned = _learned(content)
    words = max(_parts(_words(text)), key=learned.lean)
    found = [(row, learned.likelihood(words, row)) for row in rows if learned.knows(row)]
    return sorted(found, key=lambda each: -each[1])


def _learned(content: Content) -> _Learned:
    rows = content.examples.rows
    return _learned_from(content.examples, tuple((row, content.red_flags[row].level) for row in rows))


@lru_cache(maxsize=16)
def _learned_from(examples: Examples, levels: tuple[tuple[str, Level], ...]) -> _Learned:
    return _Learned(examples, dict(levels))


class _Learned:
    """What a word or a pair of words says, by how many messages of each level and row hold it."""

    def __init__(self, examples: Examples, levels: Mapping[str, Level]) -> None:
        holding: dict[str, list[int]] = {}
        of_row: dict[str, Counter[str]] = {}
        messages = [0, 0, 0]
        self._of_row_messages: Counter[str] = Counter()
        for row, said in examples.by_row():
            level = levels.get(row, Level.NONE)
            at = EMERGENCY if level >= Level.EMERGENCY else URGENT if level >= Level.URGENT else CALM
            messages[at] += len(said)
            for text in said:
                features = _features(_words(text))
                for feature in features:
                    holding.setdefault(feature, [0, 0, 0])[at] += 1
                if at != CALM:
                    of_row.setdefault(row, Counter()).update(features)
            if at != CALM:
                self._of_row_messages[row] += len(said)
        calm, urgent, emergency = messages
        self.is_taught = bool(calm and emergency)
        held_often = {feature: held for feature, held in holding.items() if sum(held) >= LEAST_HELD}
        self._grave = {
            feature: _odds(held[URGENT] + held[EMERGENCY], urgent + emergency, held[CALM], calm)
            for feature, held in held_often.items()
        }
        self._emergency = {
            feature: _odds(held[EMERGENCY], emergency, held[CALM] + held[URGENT], calm + urgent)
            for feature, held in held_often.items()
        }
        every = sum(messages)
        self._usual = {feature: sum(held) / every for feature, held in held_often.items()}
        self._of_row = {
            row: {feature: held for feature, held in own.items() if feature in held_often}
            for row, own in of_row.items()
        }

    def knows(self, row: str) -> bool:
        return self._of_row_messages[row] >= LEAST

    def lean(self, words: tuple[str, ...]) -> tuple[float, float]:
        known = [feature for feature in _features(words) if feature in self._grave]
        return sum(map(self._grave.__getitem__, known)), sum(map(self._emergency.__getitem__, known))

    def likelihood(self, words: tuple[str, ...], row: str) -> float:
        own, messages = self._of_row[row], self._of_row_messages[row]
        total = 0.0
        for feature in _features(words):
            usual = self._usual.get(feature)
            if usual is not None:
                held = own.get(feature, 0)
                total += math.log((held + BACKGROUND * usual) / (messages + BACKGROUND) / usual)
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
