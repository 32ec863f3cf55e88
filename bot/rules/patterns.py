"""Judges a whole diary for one night: which patterns are met, and on which nights they rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from bot.model import Finding
from bot.rules.windows import ONE_LEG, Diary, Night, cramps_a_night, middle_score
from content.loader import Content
from content.pattern_shapes import (
    Change,
    CountChange,
    Lasting,
    MedicineWithin,
    NightIs,
    Nights,
    NoBetter,
    Pattern,
    ShareOfNights,
    SideChange,
    When,
)

WEEK = 7
EPSILON = 1e-9  # shares are decimal numbers


@dataclass(frozen=True)
class Medicine:
    """A medicine and the first day it was taken; None when that is not known."""

    name: str
    since: date | None = None


@dataclass(frozen=True)
class Person:
    """What the patterns need to know besides the nights; an unanswered flag is absent."""

    flags: Mapping[str, bool] = field(default_factory=dict)
    medicines: tuple[Medicine, ...] = ()


@dataclass(frozen=True)
class Proof:
    """What a condition rests on: nights, and codes of what they had."""

    nights: frozenset[date] = frozenset()
    codes: tuple[str, ...] = ()


def judge_diary(content: Content, nights: Sequence[Night], on: date, person: Person) -> tuple[Finding, ...]:
    """Return every pattern met on one night, highest first; those that only ask or say have level none.

    The evidence names answers (`pain_from:7`) and nights (`night:2026-11-03`). A night without an entry is
    unknown and counts neither way; no pattern knows or lowers a red flag.
    """
    diary = Diary.until(nights, on)
    if not diary.nights:
        return ()
    judge = _Judge(content, diary, person)
    found = [
        _finding(rule, pattern, diary, proof)
        for rule, pattern in content.patterns.items()
        if (proof := judge.proof(pattern.when)) is not None
    ]
    return tuple(sorted(found, key=lambda finding: -finding.level))


def proof_of(content: Content, when: When, nights: Sequence[Night], on: date, person: Person) -> Proof | None:
    """Return what one condition rests on, on one night of a diary; None when it is not met."""
    return _Judge(content, Diary.until(nights, on), person).proof(when)


def spoken(content: Content, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings without those that another one stands in for."""
    found = tuple(findings)
    silent = {
        rule
        for finding in found
        if finding.rule in content.patterns
        for rule in content.patterns[finding.rule].instead_of
    }
    return tuple(finding for finding in found if finding.rule not in silent)


def _finding(rule: str, pattern: Pattern, diary: Diary, proof: Proof) -> Finding:
    nights = sorted(proof.nights)
    sides = {diary.by_date[night].side for night in nights if diary.by_date[night].side}
    side = sides.pop() if len(sides) == 1 else None
    evidence = (*dict.fromkeys(proof.codes), *(f"night:{night.isoformat()}" for night in nights))
    return Finding(rule, pattern.level, pattern.topic, side if side in ONE_LEG else None, evidence)


def night_is(night: Night, that: NightIs) -> bool:
    """Return whether a night was like that: everything that is written holds, of a list one."""
    for name, value in that.told:  # noqa: SIM110  # a generator would take longer than what it asks
        if not _IS[name](night, value):
            return False
    return True


def _side(night: Night) -> str | None:
    if night.side == "both":
        return "both"
    return "one" if night.side in ONE_LEG else None


# What each field of a shape asks of a night.
_IS: Mapping[str, Callable[[Night, Any], bool]] = {
    "pain_from": lambda night, score: night.pain is not None and night.pain >= score,
    "symptoms": lambda night, yes: night.has_symptoms is yes,
    "sleep_disturbed": lambda night, yes: night.sleep_disturbed is yes,
    "feeling": lambda night, codes: not night.feeling.isdisjoint(codes),
    "helped": lambda night, codes: not night.helped.isdisjoint(codes),
    "signs": lambda night, codes: night.has_sign(codes),
    "side": lambda night, side: _side(night) == side,
    "tired": lambda night, tired: night.tired == tired,
    "painkiller": lambda night, yes: night.painkiller is yes,
    "self_care": lambda night, yes: bool(night.did) is yes,
    "distress_from": lambda night, score: (night.distress or 0) >= score,
    "mood_from": lambda night, score: (night.mood or 0) >= score,
    "longest_over": lambda night, minutes: (night.longest_minutes or 0) > minutes,
    "any": lambda night, parts: any(night_is(night, part) for part in parts),
}


def _codes(that: NightIs) -> Iterator[str]:
    """Name what was looked for, as evidence codes."""
    for name, value in that.told:
        if name == "any":
            for part in value:
                yield from _codes(part)
        elif isinstance(value, tuple):
            yield from (f"{name.removesuffix('s') if name == 'signs' else name}:{code}" for code in value)
        else:
            yield f"{name}:{value}".lower()


def _had(nights: Iterable[Night], that: NightIs) -> tuple[str, ...]:
    """The codes looked for that at least one of these nights had."""
    found = list(nights)
    return tuple(code for code in _codes(that) if any(_has(night, code) for night in found))


def _has(night: Night, code: str) -> bool:
    kind, _, value = code.partition(":")
    told: dict[str, bool] = {
        "feeling": value in night.feeling,
        "helped": value in night.helped,
        "sign": night.signs.get(value) is not None,
    }
    return told.get(kind, True)


class _Judge:
    """One diary on one night, asked about conditions."""

    def __init__(self, content: Content, diary: Diary, person: Person) -> None:
        self._content = content
        self._diary = diary
        self._person = person
        self._liked: dict[int, dict[date, bool]] = {}  # by the shape, which lives longer
        self._kinds: dict[str, Callable[[Any], Proof | None]] = {
            "nights": self._nights,
            "share_of_nights": self._share,
            "change": self._change,
            "count_change": self._count_change,
            "no_better": self._no_better,
            "lasting": self._lasting,
            "medicine_within": self._medicine,
            "side_change": self._side_change,
            "used_weeks": self._used,
            "met_before": self._met_before,
            "flag": self._flag,
            "all": self._all,
            "any": self._any,
            "none": self._none,
        }

    def proof(self, when: When) -> Proof | None:
        """Return what a condition rests on, or None when it is not met."""
        kind, value = when.told
        return self._kinds[kind](value) if kind else None

    def _like(self, nights: Iterable[Night], that: NightIs) -> list[Night]:
        """The nights that were like that; each is asked once, in however many windows it lies."""
        known = self._liked.setdefault(id(that), {})
        found = []
        for night in nights:
            liked = known.get(night.on)
            if liked is None:
                liked = known[night.on] = night_is(night, that)
            if liked:
                found.append(night)
        return found

    # --- joining ---

    def _all(self, parts: tuple[When, ...]) -> Proof | None:
        proofs = []
        for part in parts:
            proof = self.proof(part)
            if proof is None:
                return None
            proofs.append(proof)
        return _together(proofs)

    def _any(self, parts: tuple[When, ...]) -> Proof | None:
        proofs = [proof for part in parts if (proof := self.proof(part)) is not None]
        return _together(proofs) if proofs else None

    def _none(self, parts: tuple[When, ...]) -> Proof | None:
        return None if self._any(parts) else Proof()

    # --- what the profile says ---

    def _flag(self, flag: str) -> Proof | None:
        return Proof(codes=(f"flag:{flag}",)) if self._person.flags.get(flag) else None

    def _used(self, weeks: int) -> Proof | None:
        return Proof(codes=(f"used_weeks:{weeks}",)) if self._diary.used_nights >= weeks * WEEK else None

    # --- nights ---

    def _nights(self, shape: Nights) -> Proof | None:
        found: list[Night] = []
        for week in range(shape.weeks_running):
            hits = self._like(self._diary.window(shape.of, week * shape.of), shape.that)
            if len(hits) < shape.at_least:
                return None
            found += hits
        if shape.new_within is not None and not self._is_new(shape.that, shape.new_within):
            return None
        return _resting_on(found, _had(found, shape.that))

    def _is_new(self, that: NightIs, within: int) -> bool:
        first = next((night.on for night in self._diary.nights if night_is(night, that)), None)
        return first is not None and (self._diary.on - first).days < within

    def _share(self, shape: ShareOfNights) -> Proof | None:
        logged = _telling(self._diary.window(shape.of), shape.that)
        hits = self._like(logged, shape.that)
        if len(logged) < shape.need or len(hits) < shape.share * len(logged) - EPSILON:
            return None
        return _resting_on(hits, _had(hits, shape.that))

    # --- changes ---

    def _change(self, shape: Change) -> Proof | None:
        recent = [self._diary.window(shape.of, week * shape.of) for week in range(shape.weeks_running)]
        earlier = self._earlier(shape)
        old = middle_score(earlier, shape.need)
        if old is None:
            return None
        if not all(_moved(shape, old, window) for window in recent):
            return None
        nights = [night for window in (earlier, *recent) for night in window]
        return _resting_on(nights, (f"pain_{shape.way}",))

    def _earlier(self, shape: Change) -> list[Night]:
        span = shape.of * shape.weeks_running
        if shape.than == "before":
            return self._diary.window(shape.of, span)
        return self._diary.start(shape.of, self._diary.on - timedelta(days=span - 1))

    def _count_change(self, shape: CountChange) -> Proof | None:
        recent = [self._diary.window(shape.of, week * shape.of) for week in range(shape.weeks_running)]
        earlier = _telling(self._diary.window(shape.of, shape.of * shape.weeks_running), shape.that)
        if len(earlier) < shape.need:
            return None
        old = len(self._like(earlier, shape.that))
        if any(len(self._like(window, shape.that)) < old + shape.up for window in recent):
            return None
        hits = [night for window in (earlier, *recent) for night in self._like(window, shape.that)]
        return _resting_on(hits, ("more_nights", *_codes(shape.that)))

    def _no_better(self, shape: NoBetter) -> Proof | None:
        now = self._diary.window(shape.of)
        start = self._diary.start(shape.of, self._diary.on - timedelta(days=shape.of - 1))
        old, new = middle_score(start, shape.need), middle_score(now, shape.need)
        if old is None or new is None:
            return None
        gain = old - new
        if gain >= shape.under_points or (old and gain / old >= shape.under_share - EPSILON):
            return None
        if shape.cramps_under_share is not None:
            before, after = cramps_a_night(start), cramps_a_night(now)
            if before and (before - after) / before >= shape.cramps_under_share - EPSILON:
                return None
        return _resting_on([*start, *now], ("no_better",))

    def _lasting(self, shape: Lasting) -> Proof | None:
        hits = self._like(self._diary.window(shape.within), shape.that)
        if len(hits) < 2 or (hits[-1].on - hits[0].on).days < shape.nights:
            return None
        if (self._diary.on - hits[-1].on).days >= shape.fresh:
            return None
        return _resting_on(hits, _had(hits, shape.that))

    def _medicine(self, shape: MedicineWithin) -> Proof | None:
        hits = self._like(self._diary.nights, shape.that)
        if not hits or (self._diary.on - hits[-1].on).days >= shape.fresh:
            return None
        onset = hits[0]
        for medicine in self._person.medicines:
            if medicine.since and 0 <= (onset.on - medicine.since).days <= shape.days:
                return _resting_on([onset], (f"medicine:{medicine.name}", *_had(hits, shape.that)))
        return None

    def _side_change(self, shape: SideChange) -> Proof | None:
        tonight = self._diary.by_date.get(self._diary.on)
        if tonight is None or not tonight.has_symptoms or _side(tonight) != shape.now:
            return None
        earlier = [night for night in self._diary.nights if night.on < tonight.on and _side(night)]
        if shape.before == "never":
            named = any(night.side in (tonight.side, "both") for night in earlier)
            return None if named else _resting_on([tonight], (f"side:{tonight.side}",))
        since = tonight.on - timedelta(days=shape.of)
        window = [night for night in earlier if night.on >= since]
        if len(window) < shape.at_least or any(_side(night) != shape.before for night in window):
            return None
        first = next(night.on for night in earlier if _side(night) == shape.before)
        if (tonight.on - first).days < shape.for_nights:
            return None
        return _resting_on([*window, tonight], (f"side:{tonight.side}",))

    # --- other patterns ---

    def _met_before(self, rules: tuple[str, ...]) -> Proof | None:
        for ago in range(1, self._diary.used_nights):
            earlier = self._diary.until_night(self._diary.on - timedelta(days=ago))
            judge = _Judge(self._content, earlier, self._person)
            for rule in rules:
                if judge.proof(self._content.patterns[rule].when) is not None:
                    return Proof(codes=(f"pattern:{rule}",))
        return None


def _moved(shape: Change, old: float, window: list[Night]) -> bool:
    new = middle_score(window, shape.need)
    if new is None:
        return False
    sign = 1 if shape.way == "up" else -1
    gain = sign * (new - old)
    beyond = sum(
        night.pain is not None and sign * (night.pain - old) >= max(shape.points, EPSILON) for night in window
    )
    return (
        gain > 0
        and gain >= shape.points
        and (shape.share is None or gain >= shape.share * old - EPSILON)
        and beyond >= shape.nights_beyond
    )


def _telling(nights: Iterable[Night], that: NightIs) -> list[Night]:
    """The nights that tell what is counted: one without a score says nothing of trouble."""
    return [night for night in nights if that.symptoms is None or night.has_symptoms is not None]


def _resting_on(nights: Iterable[Night], codes: Iterable[str]) -> Proof:
    return Proof(frozenset(night.on for night in nights), tuple(codes))


def _together(proofs: Iterable[Proof]) -> Proof:
    found = list(proofs)
    nights = frozenset().union(*(proof.nights for proof in found))
    return Proof(nights, tuple(code for proof in found for code in proof.codes))
