"""Replays a message or a diary as the bot would judge it, without a bot and without a database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import groupby
from typing import Any, get_args

from bot.model import Facts, Finding, Outcome
from bot.operations.case_shapes import DayCase, DiaryCase, MessageCase, ProfileCase
from bot.rules.hearing import Heard, changed, is_of_likeness, listen
from bot.rules.lifecycle import together
from bot.rules.memory import Happened, Memory, Told, advance
from bot.rules.patterns import Medicine, Person, judge_diary
from bot.rules.reading import Reading
from bot.rules.reading_replies import meant
from bot.rules.triage import UNSURE, YES, judge
from bot.rules.windows import CRAMP, MEDICINE, ONE_LEG, Night
from content.loader import Content
from content.schema import Level, Option, ReplyCode

FIRST = date(2026, 1, 1)  # the day 0 of every case; any date would do
NOT_TIRED = "not"
REPLIES: tuple[str, ...] = get_args(ReplyCode)
NO_REPLY, DOUBTED = "none", "doubt"
WARNINGS = "signs"  # the question whose options are warning signs


class UnknownCode(ValueError):
    """A code that `--codes` does not print; the message says where it stands."""


@dataclass(frozen=True)
class DayResult:
    """What came of one day of a diary."""

    day: int
    level: Level
    raised: tuple[str, ...]
    told: bool
    asks: tuple[str, ...]


@dataclass(frozen=True)
class Result:
    """What came of one case; findings with the day on which they were first raised."""

    level: Level
    findings: tuple[tuple[Finding, int | None], ...]
    asks: tuple[str, ...]
    signs: tuple[str, ...] = ()
    days: tuple[DayResult, ...] = ()
    reply: str = NO_REPLY

    @property
    def raised(self) -> frozenset[str]:
        """Return every rule that was raised, on any day."""
        raised = {finding.rule for finding, _ in self.findings}
        return frozenset(raised.union(*(day.raised for day in self.days)))


# --- messages --------------------------------------------------------------------------------------------


def replay_message(content: Content, case: MessageCase) -> Result:
    """Read one message as the bot does; the level is certain, `asks` are the exact questions beside it."""
    flags = flags_of(content, case.profile)
    heard = listen(content, case.text, Facts(flags=flags))
    found = {one.rule: one for judged in (heard.own, heard.other) for one in (*judged.raised, *judged.lower)}
    # The bot puts an exact question before it speaks of what is lower; here both are told.
    for finding in judge(content, _certain(heard.reading, flags)):
        if finding.level < Level.URGENT:
            found.setdefault(finding.rule, finding)
    asks = tuple(dict.fromkeys((*heard.own.asks, *heard.other.asks)))
    level = max((finding.level for finding in found.values()), default=Level.NONE)
    if level < Level.SOON and not asks and (heard.alarming or (not found and heard.is_open)):
        asks = (WARNINGS,)  # the list of all warning signs
    signs = {**heard.reading.others_signs(), **heard.reading.signs()}
    return Result(
        level=level,
        findings=tuple((finding, None) for finding in found.values()),
        asks=asks,
        signs=tuple(f"{sign}?" if sure == UNSURE else sign for sign, sure in signs.items()),
        reply=_reply(heard),
    )


def _reply(heard: Heard) -> str:
    """What a message says came of a warning, as far as it would be taken without a button."""
    said = heard.reading.replied
    if said is None or (heard.reading.is_question and not said.codes):
        return NO_REPLY
    code = meant(said, REPLIES) if heard.is_calm else ""
    return f"other:{code}" if code and said.about_other else code or DOUBTED


def _certain(reading: Reading, flags: Mapping[str, bool]) -> Facts:
    """What the writer surely said of themselves."""
    return Facts(
        signs={sign: sure for sign, sure in reading.signs().items() if sure == YES},
        flags={**flags, **dict.fromkeys(reading.flags, True)},
        feeling=frozenset(reading.feeling),
        helped=frozenset(reading.helped),
        pain=reading.pain,
    )


# --- diaries ---------------------------------------------------------------------------------------------


def replay_diary(content: Content, case: DiaryCase) -> Result:
    """Judge a diary entry by entry and morning by morning, with the memory that the bot keeps."""
    _refuse_unknown(content, case)
    replayed = _Replay(content, case.profile)
    entries = sorted(case.days, key=lambda entry: entry.day)
    by_day = {day: list(made) for day, made in groupby(entries, key=lambda entry: entry.day)}
    results = []
    for day in range(entries[0].day, entries[-1].day + 1):
        made = replayed.day(day, by_day.get(day, []))
        if day in by_day:
            results.append(made)
    asks = tuple(dict.fromkeys(row for result in results for row in result.asks))
    return Result(results[-1].level, tuple(replayed.raised.values()), asks, days=tuple(results))


class _Replay:
    """One diary as it grows."""

    def __init__(self, content: Content, profile: ProfileCase) -> None:
        self._content = content
        self._flags = flags_of(content, profile)
        self._person = Person(self._flags, tuple(_medicines(profile)))
        self._nights: dict[int, Night] = {}
        self._memory = Memory()
        self.raised: dict[str, tuple[Finding, int | None]] = {}

    def day(self, day: int, entries: list[DayCase]) -> DayResult:
        """Take a day's entries, or the morning of a day without one."""
        result = DayResult(day, Level.NONE, (), False, ())
        for entry in entries or [DayCase(day=day, answered=False)]:
            made = self._entry(day, entry)
            result = DayResult(
                day,
                made.level,
                made.raised if entry.edit else tuple(dict.fromkeys((*result.raised, *made.raised))),
                made.told or result.told,
                made.asks if entry.edit else tuple(dict.fromkeys((*result.asks, *made.asks))),
            )
        return result

    def _entry(self, day: int, entry: DayCase) -> DayResult:
        on = _date(day)
        facts, noted = self._take(day, entry) if entry.answered else (Facts(flags=self._flags), Noted())
        red_flags, patterns = (*noted.raised, *judge(self._content, facts)), self._patterns(on)
        findings = (*red_flags, *patterns)
        told = self._remember(on, entry, (*together(red_flags), *patterns))
        asked = [row for rule in told.rules for row in _asks(self._content, rule)]
        judged = changed(self._content, Facts(flags=self._flags), facts)
        asks = tuple(dict.fromkeys((*judged.asks, *noted.asks, *asked)))
        raised = [finding for finding in findings if finding.level > Level.NONE or finding.rule in told.rules]
        for finding in raised:
            self.raised.setdefault(finding.rule, (finding, day))
        rules = [rule for one in raised for rule in (one.rule, self._row(one.rule)) if rule]
        return DayResult(day, told.level, tuple(dict.fromkeys(rules)), bool(told.rules), asks)

    def _row(self, rule: str) -> str | None:
        """The row of the reviewed table that a pattern is a part of, where it has a name of its own."""
        pattern = self._content.patterns.get(rule)
        return pattern.part_of if pattern else None

    def _take(self, day: int, entry: DayCase) -> tuple[Facts, Noted]:
        """Keep an entry as the night's answers, and return them as facts, with what its note leads to."""
        night, noted = _night(self._content, entry, self._flags)
        before = self._nights.get(day)
        if before is not None and not entry.edit:
            night = _added(before, night)
        self._nights[day] = night
        return _facts(night, {**self._flags, **noted.flags}), noted

    def _patterns(self, on: date) -> tuple[Finding, ...]:
        return judge_diary(self._content, tuple(self._nights.values()), on, self._person)

    def _remember(self, on: date, entry: DayCase, findings: tuple[Finding, ...]) -> Told:
        happened = Happened(on, findings, entry.answered, _outcomes(self._content, entry), entry.edit)
        told = advance(self._content, self._memory, happened)
        self._memory = told.memory
        return told


def _asks(content: Content, rule: str) -> tuple[str, ...]:
    return content.patterns[rule].asks if rule in content.patterns else ()


def _date(day: int) -> date:
    return FIRST + timedelta(days=day)


def flags_of(content: Content, profile: ProfileCase) -> dict[str, bool]:
    """Return the profile's flags as yes or no; an age answers the flags that are about an age."""
    given = profile.flags if isinstance(profile.flags, dict) else dict.fromkeys(profile.flags, True)
    for flag in given:
        if flag not in content.profile:
            raise UnknownCode(f"profile.flags: there is no flag {flag!r}; --codes prints them")
    if profile.age is not None:
        for flag in content.profile:
            kind, _, rest = flag.partition("_")
            years = rest.removesuffix("_plus")
            if kind == "age" and years.isdigit():
                given = {**given, flag: profile.age >= int(years)}
    return given


def _medicines(profile: ProfileCase) -> Iterator[Medicine]:
    for medicine in profile.medicines:
        if isinstance(medicine, str):
            yield Medicine(medicine)
        else:
            since = None if medicine.since_day is None else _date(medicine.since_day)
            yield Medicine(medicine.name, since)


def _outcomes(content: Content, entry: DayCase) -> dict[str, Outcome]:
    """What came of earlier advice, by topic; a rule stands for its topic, `true` for every matter."""
    found: dict[str, Outcome] = {}
    told: dict[Outcome, list[str] | bool] = {
        Outcome.BOOKED: entry.booked,
        Outcome.KNOWN: entry.known,
        Outcome.SAFE: entry.safe,
        Outcome.SEEN: entry.seen,
    }
    for outcome, subjects in told.items():
        named = ["all"] if isinstance(subjects, bool) else subjects
        topics = [content.rules[name].topic if name in content.rules else name for name in named]
        found |= dict.fromkeys(topics, outcome)
    return found


# --- an entry as facts -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Noted:
    """What a note leads to beside its signs: what it is like, exact questions, and the flags it names."""

    raised: tuple[Finding, ...] = ()
    asks: tuple[str, ...] = ()
    flags: Mapping[str, bool] = field(default_factory=dict)


def _night(content: Content, entry: DayCase, known: Mapping[str, bool]) -> tuple[Night, Noted]:
    """One entry as a night, and what its note leads to."""
    signs = _told_signs(content, entry)
    noted = Noted()
    if entry.note and entry.note.strip():
        heard = listen(content, entry.note, Facts(flags=dict(known), signs=signs))
        signs = {**heard.signs(), **signs}
        noted = Noted(
            tuple(one for one in heard.own.raised if is_of_likeness(one)),
            (*heard.own.asks, *heard.other.asks),
            dict.fromkeys(heard.reading.flags, True),
        )
    helped = frozenset(entry.helped)
    feeling = frozenset(entry.feeling) | (frozenset({CRAMP}) if entry.cramps else frozenset())
    night = Night(
        on=_date(entry.day),
        pain=entry.pain,
        cramps=entry.cramps,
        woke=entry.woke,
        awake=entry.awake,
        minutes_awake=entry.minutes_awake,
        feeling=feeling,
        side=entry.side,
        helped=helped,
        longest_minutes=entry.longest_minutes,
        signs=signs,
        tired=NOT_TIRED if entry.tired == "none" else entry.tired,
        did=frozenset(entry.did),
        painkiller=entry.painkiller if entry.painkiller is not None else (MEDICINE in helped or None),
        distress=entry.distress,
        mood=entry.mood,
    )
    return night, noted


def _told_signs(content: Content, entry: DayCase) -> dict[str, str]:
    """The signs of the codes told: its own, what an answer stands for, in doubt what it may stand for."""
    found: dict[str, str] = {}
    for code, certainty in entry.signs.items():
        option = _option(content, WARNINGS, code)
        stands_for = (code,) if code in content.signs else option.signs if option else ()
        found |= dict.fromkeys(stands_for, certainty)
        if option is not None:
            found |= {sign: UNSURE for sign in option.maybe if found.get(sign) != YES}
    longest = _option(content, "longest", entry.longest) if entry.longest else None
    return found | dict.fromkeys(longest.signs if longest else (), YES)


def _option(content: Content, question: str, code: str) -> Option | None:
    options = content.questions[question].options
    return next((option for option in options if option.code == code), None)


def _facts(night: Night, flags: Mapping[str, bool]) -> Facts:
    return Facts(
        signs=dict(night.signs),
        flags=dict(flags),
        feeling=night.feeling,
        helped=night.helped,
        pain=night.pain,
        side=night.side if night.side in ONE_LEG else None,
    )


def _added(before: Night, more: Night) -> Night:
    """A second entry of the same night adds to the first; what it says anew stands."""
    changes: dict[str, Any] = {}
    for name, new in vars(more).items():
        old = getattr(before, name)
        if isinstance(new, frozenset):
            changes[name] = new | old
        elif isinstance(new, dict):
            changes[name] = {**old, **new}
        elif new is None:
            changes[name] = old
    return replace(more, **changes)


def _refuse_unknown(content: Content, case: DiaryCase) -> None:
    """Raise UnknownCode for the first code that the content does not know."""
    warnings = {option.code for option in content.questions[WARNINGS].options}
    for entry in case.days:
        checks: dict[str, tuple[Iterable[str], set[str]]] = {
            "signs": (entry.signs, warnings | {*content.signs}),
            "awake": ([entry.awake] if entry.awake else [], _codes(content, "awake")),
            "longest": ([entry.longest] if entry.longest else [], _codes(content, "longest")),
            "feeling": (entry.feeling, _codes(content, "feeling")),
            "helped": (entry.helped, _codes(content, "helped")),
        }
        topics = {"all", *(rule.topic for rule in content.rules.values())}
        checks["outcomes"] = (_outcomes(content, entry), topics)
        for name, (codes, known) in checks.items():
            for code in codes:
                if code not in known:
                    raise UnknownCode(f"day {entry.day}: {name}: there is no {code!r}; --codes prints them")


def _codes(content: Content, question: str) -> set[str]:
    return {option.code for option in content.questions[question].options}
