"""A diary as the patterns see it: nights by date, windows that end on the judged night, medians."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from statistics import median

from bot.model import CheckIn, Evening
from bot.rules.triage import YES

ONE_LEG = ("left", "right")
UNDISTURBED = "no"
CRAMP = "cramp"
DISTRESS = ("none", "mild", "moderate", "severe")  # answers as the numbers 0-3
MEDICINE = "medicine"  # that helped: a painkiller, as far as anybody knows


@dataclass(frozen=True)
class Night:
    """One night as it was told; None and empty mean not told; a night not told at all is not in the diary.

    `pain` 0-10 worst of the night; `cramps` and `woke` counts; `minutes_awake` and `longest_minutes`;
    `signs` maps sign to "yes" or "unsure"; `distress` 0-3; `mood` 0-6 (PHQ-2); `did` parts of the evening.
    """

    on: date
    pain: int | None = None
    cramps: int | None = None
    woke: int | None = None
    awake: str | None = None
    minutes_awake: float | None = None
    feeling: frozenset[str] = frozenset()
    side: str | None = None
    helped: frozenset[str] = frozenset()
    longest_minutes: float | None = None
    signs: Mapping[str, str] = field(default_factory=dict)
    tired: str | None = None
    did: frozenset[str] = frozenset()
    painkiller: bool | None = None
    distress: int | None = None
    mood: int | None = None

    @property
    def has_symptoms(self) -> bool | None:
        """Return whether the legs gave trouble (a score above 0, a cramp, a feeling); None when not told."""
        if self.pain or self.cramps or self.feeling:
            return True
        return None if self.pain is None and self.cramps is None else False

    @property
    def sleep_disturbed(self) -> bool:
        """Return whether the legs kept the person awake: any answer but "no"."""
        return bool(self.woke or self.minutes_awake or (self.awake and self.awake != UNDISTURBED))

    @property
    def cramp_count(self) -> int:
        """Return how many cramps were told; a night that felt like cramp has one at least."""
        return max(self.cramps or 0, int(CRAMP in self.feeling))

    def has_sign(self, signs: Iterable[str]) -> bool:
        """Return whether one of these signs was surely reported."""
        return any(self.signs.get(sign) == YES for sign in signs)


@dataclass(frozen=True)
class Diary:
    """The logged nights up to the judged one, oldest first; later nights are not seen."""

    nights: tuple[Night, ...]
    on: date

    @classmethod
    def until(cls, nights: Sequence[Night], on: date) -> Diary:
        """Take the nights up to one date; of several entries for a night the last counts."""
        known = {night.on: night for night in nights if night.on <= on}
        return cls(tuple(known[day] for day in sorted(known)), on)

    @cached_property
    def by_date(self) -> Mapping[date, Night]:
        """Return the nights by date."""
        return {night.on: night for night in self.nights}

    @cached_property
    def _windows(self) -> dict[tuple[int, int], list[Night]]:
        return {}

    @cached_property
    def used_nights(self) -> int:
        """Return the number of nights from the first logged one to the judged one, both counted."""
        return (self.on - self.nights[0].on).days + 1 if self.nights else 0

    def window(self, of: int, back: int = 0) -> list[Night]:
        """Return the logged nights among `of` nights that end `back` nights before the judged one."""
        if (of, back) not in self._windows:
            last = self.on - timedelta(days=back)
            first = bisect_left(self.nights, last - timedelta(days=of - 1), key=_day)
            self._windows[of, back] = [*self.nights[first : bisect_right(self.nights, last, key=_day)]]
        return self._windows[of, back]

    def start(self, of: int, before: date) -> list[Night]:
        """Return the first `of` nights with a score, as far as they lie before a date."""
        scored = [night for night in self.nights if night.pain is not None][:of]
        return [night for night in scored if night.on < before]

    def until_night(self, on: date) -> Diary:
        """Return the same diary as it was known on an earlier night."""
        return Diary(tuple(night for night in self.nights if night.on <= on), on)


def _day(night: Night) -> date:
    return night.on


def night_of(
    checkin: CheckIn,
    signs: Mapping[str, str],
    evening: Evening | None = None,
    cramps: int | None = None,
    mood: int | None = None,
) -> Night:
    """Return a check-in as a night, with the signs its answers stand for and what was done that evening.

    Of a night corrected to "no trouble", what was answered about the trouble no longer counts.
    """
    trouble = checkin.pain != 0
    return Night(
        on=checkin.night,
        pain=checkin.pain,
        cramps=cramps,
        awake=checkin.awake if trouble else None,
        feeling=frozenset(checkin.feeling) if trouble else frozenset(),
        side=checkin.side if trouble else None,
        helped=frozenset(checkin.helped),
        signs=dict(signs),
        tired=checkin.tired,
        did=evening.done if evening else frozenset(),
        painkiller=MEDICINE in checkin.helped or None,
        distress=DISTRESS.index(checkin.distress) if checkin.distress in DISTRESS else None,
        mood=mood,
    )


def middle_score(nights: Iterable[Night], need: int) -> float | None:
    """Return the median of the worst pain (0-10); None when fewer than `need` nights have a score."""
    scores = [night.pain for night in nights if night.pain is not None]
    return float(median(scores)) if scores and len(scores) >= need else None


def cramps_a_night(nights: Sequence[Night]) -> float:
    """Return the mean number of cramps of logged nights."""
    return sum(night.cramp_count for night in nights) / len(nights) if nights else 0.0
