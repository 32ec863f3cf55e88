"""Reads the content of one language and refuses, by file and key, whatever contradicts itself."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cache, cached_property
from pathlib import Path
from typing import Any, TypeVar

from babel import Locale, UnknownLocaleError
from pydantic import ValidationError

from content import pattern_shapes, schema
from content.checks import problems
from content.keeping import kept
from content.pattern_checks import pattern_problems
from content.words import Words

HERE = Path(__file__).parent
EUROPE = "150"  # day before month, a day of 24 hours: how most places without their own way write them
ShapeT = TypeVar("ShapeT", bound=schema.Shape)


class ContentError(Exception):
    """Content that contradicts itself; the message names file and key."""


@dataclass(frozen=True, eq=False)
class Content:
    """Everything the bot says and the rules it decides by, in one language."""

    language: str
    version: str  # a short hash over all files read: kept with each finding
    sources: Mapping[str, schema.Source]
    signs: Mapping[str, schema.Sign]
    sign_words: Mapping[str, str]
    red_flags: Mapping[str, schema.RedFlag]
    red_flag_words: Mapping[str, schema.RedFlagWords]
    patterns: Mapping[str, pattern_shapes.Pattern]
    pattern_words: Mapping[str, pattern_shapes.PatternWords]
    memory: pattern_shapes.Memory
    lifecycles: Mapping[str, schema.Lifecycle]
    gates: Mapping[str, schema.Gate]
    tips: Mapping[str, schema.Tip]
    tip_words: Mapping[str, schema.TipWords]
    pieces: Mapping[str, schema.Piece]
    piece_words: Mapping[str, str]
    causes: Mapping[str, schema.Cause]
    cause_words: Mapping[str, schema.CauseWords]
    routine: Mapping[str, schema.Step]
    routine_words: Mapping[str, str]
    profile: Mapping[str, schema.ProfileFlag]
    profile_words: Mapping[str, schema.ProfileWords]
    checkin: schema.CheckInShape
    question_words: Mapping[str, schema.QuestionWords]
    timing: schema.Timing
    numbers: schema.Numbers
    places: Mapping[str, tuple[schema.Place, ...]]
    clock: schema.ClockVocabulary
    words: Words
    phrases: schema.Phrases
    examples: schema.Examples
    weighing: schema.Weighing

    @cached_property
    def kept(self) -> dict[Any, Any]:
        """Return what is worked out from this content, by what worked it out (`content.keeping`)."""
        return {}

    @cached_property
    def questions(self) -> Mapping[str, schema.Question]:
        """Return the check-in questions by code, in the order they are asked."""
        return {question.code: question for question in self.checkin.questions}

    @cached_property
    def rules(self) -> Mapping[str, schema.RedFlag | pattern_shapes.Pattern]:
        """Return every rule that can raise a level, red flags and patterns, by name."""
        return {**self.red_flags, **self.patterns}

    @cached_property
    def rule_words(self) -> Mapping[str, schema.RedFlagWords | pattern_shapes.PatternWords]:
        """Return the words of every rule, red flags and patterns, by name."""
        return {**self.red_flag_words, **self.pattern_words}

    def in_region(self, country: str | None) -> Content:
        """Return the same content with times and dates written as people of a country write them."""
        return self if country is None else _in_region(self, country)

    def unreviewed(self) -> list[str]:
        """List the pieces that no named clinician has signed, as `kind id`."""
        return [name for name, review in self._reviews() if not review.is_reviewed]

    def overdue(self, today: date) -> list[str]:
        """List the pieces whose best-before date has passed, as `kind id`."""
        return [name for name, review in self._reviews() if review.best_before < today]

    def _reviews(self) -> Iterable[tuple[str, schema.Review]]:
        for name, rule in self.rules.items():
            yield f"{'red flag' if name in self.red_flags else 'pattern'} {name}", rule.review
        for kind, shapes in (("tip", self.tips), ("cause", self.causes)):
            for name, shape in shapes.items():
                yield f"{kind} {name}", shape.review
        yield "likeness", self.weighing.review


@kept(512)
def _in_region(content: Content, country: str) -> Content:
    for region in (country, EUROPE):
        try:
            locale = Locale.parse(f"{content.words.locale.language}_{region}")
        except (UnknownLocaleError, ValueError):
            continue
        return replace(content, words=Words(locale, content.words.messages))
    return content


def languages() -> list[str]:
    """List the languages that have words, English first."""
    found = sorted(path.parent.name for path in HERE.glob("*/messages.toml"))
    return sorted(found, key=lambda language: (language != "en", language))


@cache
def shipped(language: str) -> Content:
    """Return a language as it comes with the program, read once, as nothing in it changes; raises as load."""
    return load(language)


def load(language: str = "en", folder: Path = HERE) -> Content:
    """Load one language; raises ContentError with every problem found, one a line."""
    reader = _Reader(folder)
    rules, words = folder / "rules", folder / language
    content = Content(
        language=language,
        sources=reader.table(folder / "sources.toml", schema.Source),
        signs=reader.table(rules / "signs.toml", schema.Sign),
        sign_words=reader.texts(words / "signs.toml"),
        red_flags=reader.table(rules / "red_flags.toml", schema.RedFlag),
        red_flag_words=reader.table(words / "red_flags.toml", schema.RedFlagWords),
        patterns=reader.table(rules / "patterns.toml", pattern_shapes.Pattern),
        pattern_words=reader.table(words / "patterns.toml", pattern_shapes.PatternWords),
        memory=reader.shape(rules / "memory.toml", pattern_shapes.Memory),
        lifecycles=reader.table(rules / "lifecycles.toml", schema.Lifecycle),
        gates=reader.table(rules / "gates.toml", schema.Gate),
        tips=reader.table(rules / "tips.toml", schema.Tip),
        tip_words=reader.table(words / "tips.toml", schema.TipWords),
        pieces=reader.table(rules / "pieces.toml", schema.Piece),
        piece_words=reader.texts(words / "pieces.toml"),
        causes=reader.table(rules / "causes.toml", schema.Cause),
        cause_words=reader.table(words / "causes.toml", schema.CauseWords),
        routine=reader.table(rules / "routine.toml", schema.Step),
        routine_words=reader.texts(words / "routine.toml"),
        profile=reader.table(rules / "profile.toml", schema.ProfileFlag),
        profile_words=reader.table(words / "profile.toml", schema.ProfileWords),
        checkin=reader.shape(rules / "checkin.toml", schema.CheckInShape),
        question_words=reader.table(words / "checkin.toml", schema.QuestionWords),
        timing=reader.shape(rules / "timing.toml", schema.Timing),
        numbers=reader.shape(folder / "numbers.toml", schema.Numbers),
        places=reader.places(folder / "places.toml"),
        clock=reader.shape(words / "clock.toml", schema.ClockVocabulary),
        phrases=reader.phrases(words),
        examples=reader.shape(words / "examples.toml", schema.Examples),
        weighing=reader.shape(rules / "likeness.toml", schema.Weighing),
        words=Words(Locale.parse(language, sep="-"), reader.raw(words / "messages.toml")),
        version=reader.version(),
    )
    reader.refuse()
    found = problems(content) + pattern_problems(content)
    if found:
        raise ContentError("\n".join(found))
    return content


class _Reader:
    """Reads files, remembers what it read and every complaint, so that all are told at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._hash = hashlib.sha256()
        self._complaints: list[str] = []

    def raw(self, path: Path) -> dict[str, Any]:
        """Read one TOML file; a missing or broken one is a complaint."""
        name = path.relative_to(self._folder)
        try:
            text = path.read_bytes()
        except FileNotFoundError:
            self._complaints.append(f"{name}: the file is missing")
            return {}
        self._hash.update(str(name).encode() + b"\0" + text)
        try:
            return tomllib.loads(text.decode())
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            self._complaints.append(f"{name}: {error}")
            return {}

    def table(self, path: Path, shape: type[ShapeT]) -> dict[str, ShapeT]:
        """Read a file whose top-level keys each hold one shape."""
        found: dict[str, ShapeT] = {}
        for key, value in self.raw(path).items():
            made = self._make(path, key, shape, value)
            if made is not None:
                found[key] = made
        return found

    def shape(self, path: Path, shape: type[ShapeT]) -> ShapeT:
        """Read a file that is one shape as a whole."""
        made = self._make(path, "", shape, self.raw(path))
        if made is None:
            self.refuse()
            raise ContentError(f"{path.name}: cannot be read")
        return made

    def phrases(self, folder: Path) -> schema.Phrases:
        """Read the vocabulary of one language, which is in two files."""
        phrases = self.shape(folder / "phrases.toml", schema.Phrases)
        meanings = self.shape(folder / "meanings.toml", schema.Meanings)
        return phrases.model_copy(update={"meanings": meanings})

    def texts(self, path: Path) -> dict[str, str]:
        """Read a file of plain key = text pairs."""
        found: dict[str, str] = {}
        for key, value in self.raw(path).items():
            if isinstance(value, str) and value.strip():
                found[key] = value
            else:
                self._complaints.append(f"{path.relative_to(self._folder)}: {key}: must be a text")
        return found

    def places(self, path: Path) -> dict[str, tuple[schema.Place, ...]]:
        """Read the zones of countries that have several."""
        found: dict[str, tuple[schema.Place, ...]] = {}
        for country, entries in self.raw(path).items():
            made = [
                self._make(path, f"{country}.{at}", schema.Place, entry) for at, entry in enumerate(entries)
            ]
            found[country] = tuple(place for place in made if place is not None)
        return found

    def version(self) -> str:
        """Return the short hash of everything read so far."""
        return self._hash.hexdigest()[:12]

    def refuse(self) -> None:
        """Raise ContentError when anything read was wrong."""
        if self._complaints:
            raise ContentError("\n".join(self._complaints))

    def _make(self, path: Path, key: str, shape: type[ShapeT], value: object) -> ShapeT | None:
        try:
            return shape.model_validate(value)
        except ValidationError as error:
            name = path.relative_to(self._folder)
            for fault in error.errors():
                where = ".".join([key, *map(str, fault["loc"])]).strip(".")
                self._complaints.append(f"{name}: {where}: {fault['msg']}")
            return None
