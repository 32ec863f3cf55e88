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
from itertools import chain, pairwise

from content.keeping import kept
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
    """How a message leans, and how much it is like the likeliest rows."""

    grave: Leaning  # urgent or emergency, against anything that can wait
    emergency: Leaning  # emergency, against anything else
    urgent_row: float  # natural logarithm: likelier by the likeliest urgent row than by how everybody writes
    emergency_row: float  # the same of the likeliest emergency row
    words: int  # of the whole message

    @property
    def gravest_row(self) -> float:
        """Return how much likelier the likeliest grave row makes the words."""
        return max(self.urgent_row, self.emergency_row)


def likeness(content: Content, text: str) -> Likeness | None:
    """Return how a message leans; None where there are no examples."""
    learned = _learned(content)
    if not learned.is_taught:
        return None
    words = _words(text)
    grave, emergency = learned.lean(_features(words))
    parts = [_features(part) for part in _parts(words)]
    leans = [learned.lean(part) for part in parts]
    like_rows = learned.likelihoods(parts[leans.index(max(leans))])
    return Likeness(
        Leaning(grave, max(of_part for of_part, _ in leans)),
        Leaning(emergency, max(of_part for _, of_part in leans)),
        learned.likeliest(like_rows, URGENT),
        learned.likeliest(like_rows, EMERGENCY),
        len(words),
    )


def odds(scale: Scale, like: Likeness, leaning: Leaning, found: Level, *, denies: bool) -> float:
    """Return the natural logarithm of the odds, from the words and from what the phrases found.

    `found` is the level of what they take for certain; `denies` says that they heard a sign denied.
    """
    total = scale.start + scale.whole * leaning.whole + scale.gravest_part * leaning.gravest_part
    total += scale.urgent_row * like.urgent_row + scale.emergency_row * like.emergency_row
    total += scale.denied if denies else 0.0
    if found >= Level.EMERGENCY:
        return total + scale.emergency
    return total + (scale.urgent if found >= Level.URGENT else 0.0)


def learn(content: Content) -> None:
    """Learn a language's examples now, so that no message has to wait for it (a second)."""
    _learned(content)


def most_like(content: Content, text: str, rows: Iterable[str]) -> list[tuple[str, float]]:
    """Return the rows with examples, each with the logarithm of its likelihood, the likeliest first."""
    learned = _learned(content)
    gravest = max(map(_features, _parts(_words(text))), key=learned.lean)
    likelihoods = learned.likelihoods(gravest)
    found = [(row, likelihoods[row]) for row in rows if row in likelihoods]
    return sorted(found, key=lambda each: -each[1])


@kept()
def _learned(content: Content) -> _Learned:
    rows = content.examples.rows
    return _learned_from(content.examples, tuple((row, content.red_flags[row].level) for row in rows))


@lru_cache(maxsize=16)
def _learned_from(examples: Examples, levels: tuple[tuple[str, Level], ...]) -> _Learned:
    return _Learned(examples, dict(levels))


class _Learned:
    """What a word or a pair of words says, by how many messages of each level and row hold it."""

    def __init__(self, examples: Examples, levels: Mapping[str, Level]) -> None:
        counts = [Counter[str](), Counter[str](), Counter[str]()]  # by level: messages that hold a feature
        messages = [0, 0, 0]
        rows: dict[str, Counter[str]] = {}
        self._at: dict[str, int] = {}
        self._unheld: dict[str, float] = {}
        for row, said in examples.by_row():
            level = levels.get(row, Level.NONE)
            at = EMERGENCY if level >= Level.EMERGENCY else URGENT if level >= Level.URGENT else CALM
            own = Counter(chain.from_iterable(_features(_words(text)) for text in said))
            counts[at].update(own)
            messages[at] += len(said)
            if at != CALM and len(said) >= LEAST:
                rows[row], self._at[row] = own, at
                self._unheld[row] = math.log(BACKGROUND / (len(said) + BACKGROUND))
        calm, urgent, emergency = messages
        self.is_taught = bool(calm and emergency)
        every = counts[CALM] + counts[URGENT] + counts[EMERGENCY]
        usual = {feature: by / sum(messages) for feature, by in every.items() if by >= LEAST_HELD}
        in_urgent, in_emergency = counts[URGENT].get, counts[EMERGENCY].get
        self._leans: dict[str, tuple[float, float]] = {}
        for feature in usual:
            held, acute = every[feature], in_emergency(feature, 0)
            grave = acute + in_urgent(feature, 0)
            self._leans[feature] = (
                _odds(grave, urgent + emergency, held - grave, calm),
                _odds(acute, emergency, held - acute, calm + urgent),
            )
        # log((held + BACKGROUND * usual) / (messages + BACKGROUND) / usual) = what is unheld + this
        self._rows: dict[str, list[tuple[str, float]]] = {}
        for row, own in rows.items():
            for feature, by in own.items():
                if feature in usual:
                    more = math.log1p(by / usual[feature] / BACKGROUND)
                    self._rows.setdefault(feature, []).append((row, more))

    def lean(self, features: tuple[str, ...]) -> tuple[float, float]:
        known = [self._leans[feature] for feature in features if feature in self._leans]
        return sum(grave for grave, _ in known), sum(emergency for _, emergency in known)

    def likelihoods(self, features: tuple[str, ...]) -> dict[str, float]:
        known = [feature for feature in features if feature in self._leans]
        found = {row: unheld * len(known) for row, unheld in self._unheld.items()}
        for feature in known:
            for row, more in self._rows.get(feature, ()):
                found[row] += more
        return found

    def likeliest(self, likelihoods: Mapping[str, float], at: int) -> float:
        return max((found for row, found in likelihoods.items() if self._at[row] == at), default=0.0)


def _odds(held: int, of: int, against: int, of_those: int) -> float:
    mine = (held + UNSEEN) / (of + 2 * UNSEEN)
    return math.log(mine) - math.log((against + UNSEEN) / (of_those + 2 * UNSEEN))


def _words(text: str) -> tuple[str, ...]:
    return tuple(WORD.findall(APOSTROPHES.sub("", text.casefold())))


def _features(words: tuple[str, ...]) -> tuple[str, ...]:
    row = (BEGIN, *words, END)
    pairs = (f"{one} {other}" for one, other in pairwise(row))
    return tuple(dict.fromkeys((*words, *pairs)))  # in order: sums come out the same in every run


def _parts(words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for start in range(0, max(1, len(words) - PART + STEP), STEP):
        yield words[start : start + PART]
