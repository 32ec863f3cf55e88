"""Turns what a person typed into known words: phone spelling, missing spaces and typing errors undone."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rapidfuzz.distance import DamerauLevenshtein
from rapidfuzz.process import extract

PIECE = re.compile(r"\d+(?:[.,:]\d+)*|[^\W\d_]+(?:'[^\W\d_]+)*|[.,;:!?/()\n&+-]")
LONG_REPEAT = re.compile(r"([^\W\d_])\1{2,}")
STOP_MARKS = {
    ".": ".",
    "!": ".",
    "\n": ".",
    ";": ".",
    "?": "?",
    ",": ",",
    ":": ",",
    "(": ",",
    ")": ",",
    "/": "/",
    "&": "and",
    "+": "and",
}
SHORTEST_STEM = 3
ENDINGS = (
    "s",
    "es",
    "ed",
    "d",
    "ing",
    "in",
    "er",
    "y",
    "ness",
    "ly",
    "ish",
    "en",
    "n",
    "ation",
    "ion",
    "ive",
    "ous",
    "ia",
    "ic",
    "al",
    "ment",
    "ance",
    "ence",
    "able",
)
LEAST_LETTERS = 5
LETTERS_A_SLIP = 5  # one slip in five letters is a typing error
SIMILAR_MOST = 8
SHORT = 2  # letters: "my" before a leg ("mylegs")
LONGEST_MESSAGE = 4096
QUOTES = str.maketrans({"’": "'", "‘": "'", "`": "'", "´": "'", "…": "."})


@dataclass(frozen=True)
class Word:
    """One understood word; `source` is where it stood in the message, `known` whether we know it at all."""

    text: str
    source: tuple[int, int]
    known: bool = True


class Speller:
    """Knows the words of one language and finds the one that was meant."""

    def __init__(
        self,
        spelling: Mapping[str, str],
        known: Iterable[str],
        common: Iterable[str],
        limbs: Iterable[str],
        stems: frozenset[str] = frozenset(),
    ) -> None:
        self._spelling = {key.replace("'", ""): value.split() for key, value in spelling.items()}
        self._common = frozenset(common) - frozenset(known)
        self._known = frozenset(known) | self._common | self._spelling.keys()
        self._limbs = frozenset(limbs)
        self._stems = stems
        self._by_first: dict[str, list[str]] = {}
        for word in sorted(self._known):
            if len(word) >= LEAST_LETTERS - 1:
                self._by_first.setdefault(word[0], []).append(word)

    def words(self, text: str) -> list[Word]:
        """Return the words of a message in order, with marks for where clauses and sentences end."""
        clean = unicodedata.normalize("NFC", text[:LONGEST_MESSAGE]).translate(QUOTES).casefold()
        found: list[Word] = []
        for match in PIECE.finditer(clean):
            found.extend(self._piece(match.group(), match.span()))
        return found

    def _piece(self, piece: str, span: tuple[int, int]) -> list[Word]:
        if piece in STOP_MARKS:
            return [Word(STOP_MARKS[piece], span)]
        if piece[0].isdigit():
            return [Word(piece, span)]
        if not piece[0].isalpha():
            return []
        head, _, tail = piece.partition("'")
        if tail == "s" and head in self._limbs:  # "my leg's gone cold"
            return [Word(head, span), Word("is", span)]
        return [Word(word, span, known) for word, known in self._meant(piece.replace("'", ""))]

    def _meant(self, typed: str) -> list[tuple[str, bool]]:
        """Return the words meant by one typed word, each with whether it is known."""
        if typed in self._spelling:
            return [(word, True) for word in self._spelling[typed]]
        if typed in self._known or self._is_inflected(typed):
            return [(typed, True)]
        short = LONG_REPEAT.sub(r"\1", typed)
        if short != typed:
            doubled = LONG_REPEAT.sub(r"\1\1", typed)
            return self._meant(doubled if doubled in self._known else short)
        return self._split(typed) or self._corrected(typed)

    def _is_inflected(self, typed: str) -> bool:
        """Return whether it is a stem that stands in a concept, with an ordinary ending."""
        return any(
            typed[:end] in self._stems and (not typed[end:] or typed[end:] in ENDINGS)
            for end in range(SHORTEST_STEM, len(typed) + 1)
        )

    def _split(self, typed: str) -> list[tuple[str, bool]]:
        """Undo a missing space when both halves are known words."""
        if typed[0] == "i" and len(typed) >= LEAST_LETTERS - 1 and typed[1:] in self._known:
            return [("i", True), *self._meant(typed[1:])]
        if len(typed) < LEAST_LETTERS:
            return []
        for cut in range(len(typed) - 3, 1, -1):
            left, right = typed[:cut], typed[cut:]
            if cut == SHORT and right not in self._limbs:
                continue
            if left in self._known and right in self._known:
                return self._meant(left) + self._meant(right)
        return []

    def _corrected(self, typed: str) -> list[tuple[str, bool]]:
        """Find the known word this is a misspelling of; short words are taken as they stand."""
        if len(typed) < LEAST_LETTERS:
            return [(typed, False)]
        allowed = len(typed) // LETTERS_A_SLIP
        firsts = typed[0] if typed[0] == typed[1] else typed[:2]  # the first two may have changed places
        found: list[tuple[int, bool, bool, str]] = []
        for first in firsts:
            words = self._by_first.get(first, ())
            for word, slips, _ in extract(
                typed, words, scorer=DamerauLevenshtein.distance, score_cutoff=allowed, limit=SIMILAR_MOST
            ):
                if first == typed[0] or word[1] == typed[0]:
                    found.append((int(slips), sorted(word) != sorted(typed), word in self._common, word))
        if not found:
            return [(typed, False)]
        best = min(found)[-1]
        return [(word, True) for word in self._spelling.get(best, [best])]
