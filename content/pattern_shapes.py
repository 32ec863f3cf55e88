"""The frozen shapes of the rules over many nights: few kinds of condition, joined by all, any and none."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from content.schema import Code, Codes, LevelWord, Lifetime, Review, Shape, Texts, frozen

Nightly = Annotated[int, Field(ge=1, le=366)]
Weeks = Annotated[int, Field(ge=1, le=52)]
Score = Annotated[int, Field(ge=0, le=10)]
Share = Annotated[float, Field(gt=0, le=1)]
Effect = Literal["raise", "ask", "say"]


class NightIs(Shape):
    """What one logged night was like: every field that is set holds; of a list, one of the codes.

    `pain_from` 0-10 worst of the night; `longest_over` minutes; `distress_from` 0-3 (none, mild, moderate,
    severe); `mood_from` 0-6 of the two mood questions (PHQ-2).
    """

    pain_from: Score | None = None
    symptoms: bool | None = None
    sleep_disturbed: bool | None = None
    feeling: Codes = ()
    helped: Codes = ()
    signs: Codes = ()
    side: Literal["one", "both"] | None = None
    tired: Code | None = None
    painkiller: bool | None = None
    self_care: bool | None = None
    distress_from: Annotated[int, Field(ge=1, le=3)] | None = None
    mood_from: Annotated[int, Field(ge=1, le=6)] | None = None
    longest_over: Annotated[int, Field(ge=1, le=600)] | None = None
    any: Annotated[tuple[NightIs, ...], BeforeValidator(frozen)] = ()

    @cached_property
    def told(self) -> tuple[tuple[str, Any], ...]:
        """Return the names and the values of the fields that are set."""
        values = ((name, getattr(self, name)) for name in NightIs.model_fields)
        return tuple((name, value) for name, value in values if value is not None and value != ())


class Nights(Shape):
    """On `at_least` of the last `of` nights it was so; `weeks_running`: in each of so many such windows.

    `new_within`: the first such night ever logged lies no further back than this.
    """

    at_least: Nightly
    of: Nightly
    that: NightIs
    weeks_running: Weeks = 1
    new_within: Nightly | None = None


class ShareOfNights(Shape):
    """It was so on this share of the logged nights among the last `of`, `need` of them logged at least."""

    share: Share
    of: Nightly
    need: Nightly
    that: NightIs


class Change(Shape):
    """The median of the worst pain moved by `points` (0-10), and by `share` of the old median where given.

    Compared with the window before or with the first logged nights; `nights_beyond` nights of the new window
    lie at least `points` beyond the old median; `weeks_running`: so in each of the last windows.
    """

    way: Literal["up", "down"]
    than: Literal["before", "start"] = "before"
    of: Nightly
    need: Nightly
    points: Annotated[float, Field(ge=0, le=10)] = 0
    share: Share | None = None
    nights_beyond: Annotated[int, Field(ge=0, le=31)] = 0
    weeks_running: Weeks = 1


class CountChange(Shape):
    """There are `up` more such nights than in the window before, in each of `weeks_running` windows."""

    up: Nightly
    of: Nightly
    need: Nightly
    that: NightIs
    weeks_running: Weeks = 1


class NoBetter(Shape):
    """Since the first nights the median is down by less than `under_points` and less than `under_share`.

    `cramps_under_share`: nor have the cramps a night come down by that share of what they were.
    """

    under_points: Annotated[float, Field(gt=0, le=10)]
    under_share: Share
    of: Nightly
    need: Nightly
    cramps_under_share: Share | None = None


class Lasting(Shape):
    """It was reported, and again `nights` nights later or more; the last report is within `fresh` nights."""

    that: NightIs
    nights: Nightly
    within: Nightly
    fresh: Nightly


class MedicineWithin(Shape):
    """The first such night came within `days` days after a medicine was begun, and none came before that.

    The last such night is at most `fresh` nights old.
    """

    that: NightIs
    days: Nightly
    fresh: Nightly


class SideChange(Shape):
    """Tonight it is one leg, or both, and before it was not.

    `before`: of the `of` nights before tonight at least `at_least` name a side, and all name this one, the
    first of them at least `for_nights` nights ago. `never`: no earlier night names tonight's leg.
    """

    now: Literal["one", "both"]
    before: Literal["one", "both", "never"]
    of: Nightly = 14
    at_least: Nightly = 1
    for_nights: Annotated[int, Field(ge=0, le=366)] = 0


class When(Shape):
    """One node of a pattern: exactly one of its fields is set.

    `used_weeks`: so many weeks since the first logged night. `flag`: the profile says yes. `met_before`: one
    of these patterns was met on an earlier night. `all`, `any`, `none`: over other nodes; `none` holds only
    what the profile says, because a night without an entry is unknown and never good.
    """

    nights: Nights | None = None
    share_of_nights: ShareOfNights | None = None
    change: Change | None = None
    count_change: CountChange | None = None
    no_better: NoBetter | None = None
    lasting: Lasting | None = None
    medicine_within: MedicineWithin | None = None
    side_change: SideChange | None = None
    used_weeks: Weeks | None = None
    met_before: Codes | None = None
    flag: Code | None = None
    all: Annotated[tuple[When, ...], BeforeValidator(frozen)] | None = None
    any: Annotated[tuple[When, ...], BeforeValidator(frozen)] | None = None
    none: Annotated[tuple[When, ...], BeforeValidator(frozen)] | None = None

    @cached_property
    def told(self) -> tuple[str, Any]:
        """Return the name and the value of the field that is set."""
        values = ((name, getattr(self, name)) for name in When.model_fields)
        return next(((name, value) for name, value in values if value is not None), ("", None))


class Pattern(Shape):
    """A reviewed rule over many nights: it raises its level, asks exact questions, or only says something."""

    level: LevelWord
    topic: Code
    effect: Effect = "raise"
    lifetime: Lifetime | None = None  # only of those that raise
    asks: Codes = ()  # red flags whose exact question is put
    sets_no_level: bool = False  # its question is asked once more, and no card comes of silence
    keeps_flag: Code | None = None  # a profile answer that is yes once this is met, until it is changed there
    quiet_days: Annotated[int, Field(ge=1, le=366)] | None = None  # a question or a kind word, not more often
    instead_of: Codes = ()  # patterns that are not said while this one is met
    withholds: Codes = ()
    stays: bool = False
    crisis_line: bool = False
    part_of: Code | None = None  # the row of the reviewed table that this is a part of
    when: When
    sources: Texts
    review: Review


class PatternWords(Shape):
    """The fixed words of one pattern: what was seen, what to do, why, what not to do."""

    label: str = Field(max_length=40)
    line: str
    action: str
    why: str
    do_not: str = ""


class Memory(Shape):
    """How long advice stays in force once it is no longer met, and what may lower or ring again.

    Cool-downs, follow-ups and the nights after which a leg sign counts as gone are in the lifecycles.
    """

    lasts_days: dict[Literal["soon", "routine"], Annotated[int, Field(ge=1, le=90)]]
    gone_areas: Codes  # areas of the list of warning signs that are about a leg
    rings_again: LevelWord  # from this level on, a settled matter rings at every new report
