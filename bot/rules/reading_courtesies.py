"""Reads thanks, greetings and the like, where a message says nothing else."""

from __future__ import annotations

import unicodedata

from bot.rules.reading_patterns import Compiler, Finder, Phrase, Text
from content.schema import Courtesies

PICTURES = frozenset({"So"})  # the Unicode categories of pictures,
DRESSING = frozenset({"Mn", "Sk", "Cf", "Zs", "Po"})  # and of what changes or parts them


class CourtesyReader:
    """Reads courtesies in words and in pictures."""

    def __init__(self, compiler: Compiler, courtesies: Courtesies) -> None:
        self._finder = Finder(
            phrase
            for code, texts in courtesies.said.items()
            for phrase in compiler.phrases("courtesy", code, "yes", texts)
        )
        self._order = tuple(courtesies.said)
        self._beside = frozenset(courtesies.beside.split())
        self._meaning = {picture: code for code, text in courtesies.symbols.items() for picture in text}

    def phrases(self) -> list[Phrase]:
        """Return every phrase of a courtesy."""
        return self._finder.phrases()

    def read(self, text: str, laid: Text) -> str:
        """Return the code of the courtesy that a message is; empty where it says anything else."""
        pictures = {mark for mark in text if unicodedata.category(mark) in PICTURES}
        if not pictures <= self._meaning.keys():
            return ""
        found = self._finder.hits(laid)
        covered = {at for hit in found for at in range(hit.start, hit.end)}
        spoken = (word.text for at, word in enumerate(laid.words) if at not in covered)
        greets = any(hit.phrase.code == "hello" for hit in found)
        if not all(word in self._beside or (word == "?" and greets) for word in spoken):
            return ""
        codes: set[str] = {hit.phrase.code for hit in found}
        if not laid.words and self._is_only_pictures(text):
            codes = {self._meaning[picture] for picture in pictures}
        return next((code for code in self._order if code in codes), "")

    def _is_only_pictures(self, text: str) -> bool:
        return all(
            mark in self._meaning or unicodedata.category(mark) in DRESSING or mark.isspace() for mark in text
        )
