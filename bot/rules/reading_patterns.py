"""Compiles the phrases of a vocabulary once and finds them in understood words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from bot.rules.reading_words import Word

NEGATIVE = frozenset({"not", "no", "never", "nor", "neither", "without", "none"})
MASK = "_"
GAP_MOST = 7
ITEM = re.compile(r"<(?P<name>\w+)>(?P<maybe>\?)?|~(?P<gap>\d*)|(?P<words>[^\s<>~?]+)(?P<also>\?)?")


@dataclass(frozen=True)
class Phrase:
    """One compiled phrase and what it stands for."""

    kind: str
    code: str
    grade: str
    source: str
    anchors: frozenset[str]  # one of these words must be there; empty: always tried
    negative: bool  # it contains a negation of its own, which then negates nothing else
    parts: int = 1  # a meaning joined of several concepts
    needs: tuple[frozenset[str], ...] = ()  # of each of these sets one word must be there

    @property
    def joined(self) -> bool:
        """Return whether it names what is wrong and with what."""
        return self.parts > 1

    @cached_property
    def regex(self) -> re.Pattern[str]:
        """Compile it when a message first holds one of its words: most phrases are rarely needed."""
        return re.compile("(?<= )" + self.source)


@dataclass(frozen=True)
class Hit:
    """One place where a phrase was found: words `start` to `end` (not included)."""

    phrase: Phrase
    start: int
    end: int

    def overlaps(self, other: Hit) -> bool:
        """Return whether both stand on some of the same words."""
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True)
class Text:
    """Understood words laid out as one line in which phrases are looked for."""

    words: tuple[Word, ...]
    line: str
    at: Mapping[int, int]  # offset in the line -> index of the word that starts there
    present: frozenset[str]


class Compiler:
    """Turns the phrases of a vocabulary into regular expressions over laid-out words."""

    def __init__(
        self, classes: Mapping[str, Sequence[str]], filler: frozenset[str], barriers: frozenset[str]
    ) -> None:
        self._classes = {name: list(entries) for name, entries in classes.items()}
        self._filler = filler
        self._barriers = barriers
        self._cache: dict[str, tuple[str, frozenset[str]]] = {}
        self._needs: dict[str, tuple[frozenset[str], ...]] = {}
        self.vocabulary: set[str] = set()

    def phrases(self, kind: str, code: str, grade: str, texts: Iterable[str]) -> list[Phrase]:
        """Compile each text; a ` + ` makes two phrases, and words with a negation of their own one more."""
        made: list[Phrase] = []
        for text in texts:
            for order in _orders(text):
                for items, negative in self._polarities(order):
                    source, anchors = self._source(items)
                    needs = self._needs[items]
                    made.append(Phrase(kind, code, grade, source, anchors, negative, needs=needs))
        return made

    def _polarities(self, text: str) -> Iterator[tuple[str, bool]]:
        """Keep apart what contains a negation itself ("not feel") from what may be negated ("numb")."""
        items = text.split()
        mixed = [at for at, item in enumerate(items) if item.startswith("<") and self._negatives(item)]
        plain = [f"{item[:-1]}_plain>" if at in mixed else item for at, item in enumerate(items)]
        if not any(self._is_negative(item) for item in items):
            yield " ".join(plain), False
            for at in mixed:
                yield " ".join([*items[:at], f"{items[at][:-1]}_negative>", *items[at + 1 :]]), True
        else:
            yield text, True

    def _is_negative(self, item: str) -> bool:
        return not NEGATIVE.isdisjoint(re.split("[/_]", item))

    def _negatives(self, item: str) -> bool:
        """Split a class with own negations in two, once; say whether it has any."""
        name = item.strip("<>")
        if item.endswith("?") or name not in self._classes:
            return False
        if f"{name}_negative" not in self._classes:
            negative = [entry for entry in self._classes[name] if self._has_negation(entry)]
            self._classes[f"{name}_negative"] = negative
            self._classes[f"{name}_plain"] = [entry for entry in self._classes[name] if entry not in negative]
        return bool(self._classes[f"{name}_negative"])

    def _has_negation(self, entry: str) -> bool:
        return any(
            self._is_negative(item) or (item.startswith("<") and self._negatives(item))
            for item in entry.split()
        )

    def lay_out(self, words: Sequence[Word]) -> Text:
        """Lay words out in one line, small words and barriers marked."""
        parts: list[str] = [" "]
        at: dict[int, int] = {}
        offset = 1
        for index, word in enumerate(words):
            at[offset] = index
            mark = "!" if word.text in self._barriers else "'" if self._is_small(word) else ""
            parts.append(f"{word.text}{mark} ")
            offset += len(parts[-1])
        at[offset] = len(words)
        return Text(tuple(words), "".join(parts), at, frozenset(word.text for word in words))

    def _is_small(self, word: Word) -> bool:
        """Return whether `~` may skip it: a small word, one nobody knows, or a manner ("terribly")."""
        return word.text in self._filler or not word.known or word.text.endswith("ly")

    def _source(self, text: str) -> tuple[str, frozenset[str]]:
        if text in self._cache:
            return self._cache[text]
        source = ""
        anchors: frozenset[str] = frozenset()
        needs: list[frozenset[str]] = []
        for match in ITEM.finditer(text):
            part, firsts = self._item(match)
            source += part
            if firsts:
                needs.append(firsts)
            if firsts and (not anchors or len(firsts) < len(anchors)):
                anchors = firsts
        self._cache[text] = source, anchors
        self._needs[text] = tuple(needs)
        return source, anchors

    def _item(self, match: re.Match[str]) -> tuple[str, frozenset[str]]:
        if match["gap"] is not None:
            if match["gap"]:
                return rf"(?:[^ !]+ ){{0,{match['gap']}}}?", frozenset()
            return rf"(?:[^ ']+' ){{0,{GAP_MOST}}}?", frozenset()
        if match["name"]:
            parts, firsts = self._class(match["name"])
            maybe = match["maybe"]
        else:
            words = match["words"].split("/")
            self.vocabulary.update(part for word in words for part in word.split("_"))
            parts, firsts = _alternatives(words), frozenset(word.partition("_")[0] for word in words)
            maybe = match["also"]
        return (f"(?:{parts})?", frozenset()) if maybe else (f"(?:{parts})", firsts)

    def _class(self, name: str) -> tuple[str, frozenset[str]]:
        key = f"class {name}"  # not the phrase "<name>", which is kept too, in brackets
        if key not in self._cache:
            if name not in self._classes:
                raise KeyError(f"phrases.toml: classes: {name}: there is no such class")
            sources, firsts, certain = [], set(), True
            simple: list[str] = []
            for entry in self._classes[name]:
                if entry.startswith("="):  # a pattern over one or more words, for numbers
                    sources.append(f"(?:{entry[1:]}) ")
                    certain = False
                elif re.fullmatch(r"[^\s<>~?/]+", entry):
                    simple.append(entry)
                    firsts.add(entry)
                else:
                    source, anchors = self._source(entry)
                    sources.append(source)
                    firsts |= anchors
                    certain = certain and bool(anchors)
            self.vocabulary.update(simple)
            if simple:
                sources.append(_alternatives(simple))
            self._cache[key] = "|".join(sources), frozenset(firsts if certain else ())
        return self._cache[key]


class Finder:
    """Finds every place of a set of phrases, trying only those of which a word is there."""

    def __init__(self, phrases: Iterable[Phrase]) -> None:
        self._by_word: dict[str, list[tuple[Phrase, frozenset[int]]]] = {}
        self._always: list[tuple[Phrase, frozenset[int]]] = []
        self._met_by: dict[str, set[int]] = {}  # word -> numbers of the needs that it meets
        numbers: dict[frozenset[str], int] = {}
        shared: dict[frozenset[int], frozenset[int]] = {}
        for phrase in phrases:
            for words in phrase.needs:
                for word in words if words not in numbers else ():
                    self._met_by.setdefault(word, set()).add(len(numbers))
                numbers.setdefault(words, len(numbers))
            needs = frozenset(numbers[words] for words in phrase.needs)
            needs = shared.setdefault(needs, needs)
            if not phrase.anchors:
                self._always.append((phrase, needs))
            for word in phrase.anchors:
                self._by_word.setdefault(word, []).append((phrase, needs))

    def phrases(self) -> list[Phrase]:
        """Return every phrase once."""
        every = [*self._always, *(each for phrases in self._by_word.values() for each in phrases)]
        return list({id(phrase): phrase for phrase, _ in every}.values())

    def hits(self, text: Text) -> list[Hit]:
        """Return all places, in no particular order."""
        met: set[int] = set()
        for word in text.present:
            met.update(self._met_by.get(word, ()))
        wanted = {id(phrase): phrase for phrase, needs in self._always if needs <= met}
        for word in text.present:
            for phrase, needs in self._by_word.get(word, ()):
                if needs <= met:
                    wanted[id(phrase)] = phrase
        return [hit for phrase in wanted.values() for hit in _found(phrase, text)]


def masked(text: Text, hits: Iterable[Hit]) -> list[Word]:
    """Return the words with every place found blotted out."""
    words = list(text.words)
    for hit in hits:
        for index in range(hit.start, hit.end):
            words[index] = Word(MASK, words[index].source)
    return words


def _found(phrase: Phrase, text: Text) -> Iterator[Hit]:
    for match in phrase.regex.finditer(text.line):
        yield Hit(phrase, text.at[match.start()], text.at[match.end()])


def _orders(text: str) -> list[str]:
    left, plus, right = text.partition(" + ")
    return [f"{left} ~ {right}", f"{right} ~ {left}"] if plus else [text]


def _alternatives(words: Iterable[str]) -> str:
    """Words, and rows of words joined by `_`, any of which will do."""
    sources = {re.escape(word).replace("_", "['!]? ") for word in words}
    return f"(?:{'|'.join(sorted(sources, reverse=True))})['!]? "
