"""Finds what is meant: a body part, a finding and what belongs to it, near each other, in any order."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, product

from bot.rules.reading_patterns import NEGATIVE, Hit, Phrase
from bot.rules.reading_words import Word

REACH = 6  # words that may stand between two parts of one meaning
GAP = 3  # words that ~ may skip
DENIED_BY = 5  # words before something harmless among which a "no" denies it
COMBINATIONS_MOST = 400  # a message that repeats itself endlessly is not searched endlessly
NUMBER = "#"
SENTENCE_ENDS = frozenset({".", "?"})
ITEM = re.compile(r"<(?P<concept>\w+)>|~(?P<gap>\d*)|(?P<words>[^\s<>~]+)")
REACHES = re.compile(r" /(\d+)")
SHORTEST_STEM = 3

Span = tuple[int, int]
Anchors = dict[
    str, list[tuple[str, int, bool]]
]  # word -> concept, its expression, whether that begins with it


@dataclass(frozen=True)
class _Item:
    """One step of an expression: words, a concept, or a gap."""

    words: frozenset[str] = frozenset()
    stems: tuple[str, ...] = ()
    concept: str = ""
    gap: int = 0
    maybe: bool = False

    @cached_property
    def is_plain(self) -> bool:
        """Return whether it is words of which one must stand there."""
        return not (self.concept or self.gap or self.maybe)


@dataclass(frozen=True)
class _Rule:
    """Concepts that stand near each other (`near`), and others anywhere in the message or nowhere in it."""

    phrase: Phrase
    unit: Phrase  # the same where the words bring their own negation
    near: tuple[str, ...]
    anywhere: tuple[str, ...]
    nowhere: tuple[str, ...]
    reach: int

    @cached_property
    def needs(self) -> frozenset[str]:
        """Return every concept that must stand somewhere."""
        return frozenset((*self.near, *self.anywhere))


class Meanings:
    """Concepts and the rules that join them, compiled once."""

    def __init__(
        self,
        concepts: Mapping[str, Sequence[str]],
        rules: Iterable[tuple[str, str, str, str]],
        between: str,
        barriers: frozenset[str],
    ) -> None:
        self._entries = {name: [_items(text) for text in texts] for name, texts in concepts.items()}
        self._between = between
        self._barriers = barriers
        self.words: set[str] = set()
        stems: set[str] = set()
        for items in (items for entries in self._entries.values() for items in entries):
            for item in items:
                self.words |= item.words
                stems.update(item.stems)
                self._refuse_unknown(item.concept)
        self.stems = frozenset(stems)
        self._anchors = self._first_words()
        self._rules = [self._rule(*rule) for rule in rules]
        self._by_concept = self._by_rarest_concept()

    def hits(self, words: Sequence[Word]) -> tuple[list[Hit], list[Hit]]:
        """Return what is meant, and the places in it whose own negation denies nothing else."""
        message = _Message(self._entries, self._anchors, self.stems, [word.text for word in words])
        found: dict[tuple[str, str, str, int, int], Hit] = {}
        units: dict[Span, Hit] = {}
        for rule in self._hinted_at(message.hinted):
            if not rule.needs <= message.hinted or not message.has_all(rule.needs):
                continue
            if message.has_any(rule.nowhere):
                continue
            for parts in self._arranged(rule, message):
                own = [part for part in parts if message.is_negative(part)]
                phrase = rule.unit if own else rule.phrase
                hit = Hit(phrase, min(start for start, _ in parts), max(end for _, end in parts))
                found.setdefault((phrase.kind, phrase.code, phrase.grade, hit.start, hit.end), hit)
                for at in map(message.negation_of, own):
                    units[at, at + 1] = Hit(rule.unit, at, at + 1)
        return list(found.values()), list(units.values())

    def _hinted_at(self, hinted: frozenset[str]) -> list[_Rule]:
        """Return, in their order, the rules whose rarest concept may stand there."""
        numbers = [number for concept in hinted for number in self._by_concept.get(concept, ())]
        return [self._rules[number] for number in sorted(numbers)]

    def _by_rarest_concept(self) -> dict[str, list[int]]:
        uses = Counter(concept for rule in self._rules for concept in rule.needs)
        found: dict[str, list[int]] = {}
        for number, rule in enumerate(self._rules):
            found.setdefault(min(sorted(rule.needs), key=lambda concept: uses[concept]), []).append(number)
        return found

    def _arranged(self, rule: _Rule, message: _Message) -> Iterator[tuple[Span, ...]]:
        places = [message.spans(concept) for concept in rule.near]
        for count, parts in enumerate(product(*places)):
            if count > COMBINATIONS_MOST:
                return
            if self._is_near(parts, rule, message):
                yield parts

    def _is_near(self, parts: tuple[Span, ...], rule: _Rule, message: _Message) -> bool:
        """Return whether the parts stand close by, in one sentence, with nothing else in between."""
        ordered = sorted(parts)
        for (start, end), (following, _) in pairwise(ordered):
            if following == start or following - end > rule.reach:
                return False
            if not self._barriers.isdisjoint(message.words[end:following]):
                return False
            if end < following and any(
                end <= at and stop <= following
                for at, stop in message.spans(self._between)
                if not any(one < stop and at < other for one, other in parts)
            ):
                return False
        return True

    def _rule(self, kind: str, code: str, grade: str, text: str) -> _Rule:
        """Read `leg + swollen /9 & suddenly ! harmless` (nine words may stand between leg and swollen)."""
        reach = REACHES.search(text)
        body, *nowhere = REACHES.sub("", text).split(" ! ")
        together, *anywhere = body.split(" & ")
        near = tuple(together.split(" + "))
        for concept in (*near, *anywhere, *nowhere):
            if concept not in self._entries:
                raise KeyError(f"meanings.toml: {code}: {text}: there is no concept {concept!r}")
        phrase = Phrase(kind, code, grade, text, frozenset(), negative=False, parts=len(near))
        unit = Phrase(kind, code, grade, text, frozenset(), negative=True, parts=len(near))
        return _Rule(phrase, unit, near, tuple(anywhere), tuple(nowhere), int(reach[1]) if reach else REACH)

    def _refuse_unknown(self, concept: str) -> None:
        if concept and concept not in self._entries:
            raise KeyError(f"meanings.toml: concepts: there is no concept {concept!r}")

    def _first_words(self) -> Anchors:
        """Return for each word or stem the expressions that need it, and whether they begin with it."""
        anchors: Anchors = {}
        for name, entries in self._entries.items():
            for number, items in enumerate(entries):
                first = {*items[0].words, *(f"{stem}*" for stem in items[0].stems)}
                begins = bool(first) and not items[0].maybe
                for word in first if begins else self._anchor_words(items):
                    anchors.setdefault(word, []).append((name, number, begins))
        return anchors

    def _anchor_words(self, items: Sequence[_Item]) -> set[str]:
        """Return words of which one must be there: the fewest; of an expression of concepts, theirs."""
        literal = [
            {*item.words, *(f"{stem}*" for stem in item.stems)}
            for item in items
            if not item.maybe and (item.words or item.stems)
        ]
        if literal:
            return min(literal, key=len)
        concept = next(item.concept for item in items if item.concept)
        return {word for entry in self._entries[concept] for word in self._anchor_words(entry)}


class _Message:
    """The words of one message and, as they are asked for, where each concept stands in them."""

    def __init__(
        self,
        entries: Mapping[str, list[tuple[_Item, ...]]],
        anchors: Anchors,
        stems: frozenset[str],
        words: list[str],
    ) -> None:
        self.words = words
        self._entries = entries
        self._spans: dict[str, list[Span]] = {}
        self._tried: dict[str, dict[int, set[int]]] = {}  # concept -> expression -> where it may begin
        for at, word in enumerate(words):
            for key in _keys(word, stems):
                for name, number, begins in anchors.get(key, ()):
                    places = self._tried.setdefault(name, {}).setdefault(number, set())
                    if begins:
                        places.add(at)
                    else:
                        places.update(range(at + 1))
        self.hinted = frozenset(self._tried)  # concepts of which a word is there

    def has_all(self, concepts: Iterable[str]) -> bool:
        """Return whether each concept stands somewhere."""
        return all(self.spans(concept) for concept in concepts)

    def has_any(self, concepts: Iterable[str]) -> bool:
        """Return whether one of the concepts stands somewhere, not denied ("no bruise")."""
        return any(
            NEGATIVE.isdisjoint(self.words[max(0, start - DENIED_BY) : start])
            for concept in concepts
            for start, _ in self.spans(concept)
        )

    def is_negative(self, span: Span) -> bool:
        """Return whether the words of a place hold a negation of their own."""
        return not NEGATIVE.isdisjoint(self.words[span[0] : span[1]])

    def negation_of(self, span: Span) -> int:
        """Return the place of the negation that belongs to a place: the last in it."""
        return max(at for at in range(*span) if self.words[at] in NEGATIVE)

    def spans(self, concept: str) -> list[Span]:
        """Return every place of a concept."""
        if concept not in self._spans:
            self._spans[concept] = []  # a concept that holds itself finds nothing more
            tried = self._tried.get(concept, {})
            self._spans[concept] = sorted(
                {
                    (start, end)
                    for number, places in tried.items()
                    for start in places
                    for end in self._ends(self._entries[concept][number], 0, start)
                }
            )
        return self._spans[concept]

    def _ends(self, items: tuple[_Item, ...], step: int, at: int) -> list[int]:
        """Return where the rest of an expression may end when it goes on at a word."""
        while step < len(items) and items[step].is_plain:
            if not self._is(items[step], at):
                return []
            step, at = step + 1, at + 1
        if step == len(items):
            return [at]
        item = items[step]
        ends = self._ends(items, step + 1, at) if item.maybe else []
        if item.concept:
            for start, end in self.spans(item.concept):
                if start == at:
                    ends += self._ends(items, step + 1, end)
        elif item.gap:
            for beyond in self._beyond(item.gap, at):
                ends += self._ends(items, step + 1, beyond)
        elif self._is(item, at):
            ends += self._ends(items, step + 1, at + 1)
        return ends

    def _beyond(self, gap: int, at: int) -> Iterator[int]:
        """Yield where a gap of so many words at most may end, within the sentence."""
        yield at
        for word in self.words[at : at + gap]:
            if word in SENTENCE_ENDS:
                return
            at += 1
            yield at

    def _is(self, item: _Item, at: int) -> bool:
        """Return whether a word is one of those that an item names."""
        if at >= len(self.words):
            return False
        word = self.words[at]
        return (
            word in item.words
            or (bool(item.stems) and word.startswith(item.stems))
            or (NUMBER in item.words and word[0].isdigit())
        )


def _keys(word: str, stems: frozenset[str]) -> Iterator[str]:
    """Yield all by which an expression may know a word."""
    yield word
    yield from (f"{stem}*" for stem in stems_of(word, stems))
    if word[0].isdigit():
        yield NUMBER


def stems_of(word: str, stems: frozenset[str]) -> Iterator[str]:
    """Yield the stems with which a word begins."""
    for length in range(SHORTEST_STEM, len(word) + 1):
        if word[:length] in stems:
            yield word[:length]


def _items(text: str) -> tuple[_Item, ...]:
    """Read one expression of a concept: words, a/b, stem*, word?, <concept>, ~ and ~6."""
    items: list[_Item] = []
    for match in ITEM.finditer(text):
        if match["concept"]:
            items.append(_Item(concept=match["concept"]))
        elif match["gap"] is not None:
            items.append(_Item(gap=int(match["gap"] or GAP)))
        else:
            written, maybe = match["words"].removesuffix("?"), match["words"].endswith("?")
            words = written.split("/")
            items.append(
                _Item(
                    frozenset(word for word in words if not word.endswith("*")),
                    tuple(word[:-1] for word in words if word.endswith("*")),
                    maybe=maybe,
                )
            )
    return tuple(items)
