"""The shapes of the lines that `triage` reads: messages, diaries, and what a clinician expects of them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field

from bot.rules.windows import DISTRESS
from content.schema import Level, level_named

LevelWord = Annotated[Level, BeforeValidator(level_named)]


def _listed(value: object) -> object:
    """One code alone is a list of one; nothing is an empty list."""
    if value is None or value is False:
        return []
    if isinstance(value, dict):
        return [code for code, told in value.items() if told]
    listed = [value] if isinstance(value, str) else value
    return [code for code in listed if code != "none"] if isinstance(listed, list) else listed


def _flags(value: object) -> object:
    return [] if value is None else value


def _side(value: object) -> object:
    return None if value in ("", "none") else value


def _graded(value: object) -> object:
    return DISTRESS.index(value) if isinstance(value, str) and value in DISTRESS else value


def _signs(value: object) -> object:
    """Signs come as codes, all of them sure, or with their certainty."""
    if isinstance(value, int | dict):
        return value
    listed = _listed(value)
    return dict.fromkeys(listed, "yes") if isinstance(listed, list) else listed


Listed = Annotated[list[str], BeforeValidator(_listed)]
Subjects = Annotated[list[str] | Literal[True], BeforeValidator(_listed)]


class CaseShape(BaseModel):
    """Anything read from a case: frozen; fields that we do not know are somebody else's and left alone."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class MedicineCase(CaseShape):
    """One medicine; `since_day` in the days of the case, before the first of them if need be."""

    name: str
    since_day: int | None = None


class ProfileCase(CaseShape):
    """What is known of the person; a flag that is not named was not answered."""

    age: Annotated[int, Field(ge=0, le=130)] | None = None
    sex: str | None = None
    flags: Annotated[list[str] | dict[str, bool], BeforeValidator(_flags)] = Field(default_factory=list)
    medicines: Annotated[list[str | MedicineCase], BeforeValidator(_listed)] = Field(default_factory=list)


class DayCase(CaseShape):
    """One entry; `pain` 0-10, `cramps` and `woke` counts, the rest minutes, codes, or topics and rules."""

    day: int
    answered: bool = True
    pain: Annotated[int, Field(ge=0, le=10)] | None = None
    cramps: Annotated[int, Field(ge=0)] | None = None
    woke: Annotated[int, Field(ge=0)] | None = None
    awake: str | None = None
    minutes_awake: Annotated[float, Field(ge=0)] | None = None
    feeling: Listed = Field(default_factory=list)
    side: Annotated[Literal["left", "right", "both", "unsure"] | None, BeforeValidator(_side)] = None
    helped: Listed = Field(default_factory=list)
    longest: str | None = None
    longest_minutes: Annotated[float, Field(ge=0)] | None = None
    signs: Annotated[dict[str, Literal["yes", "unsure"]], BeforeValidator(_signs)] = Field(
        default_factory=dict
    )
    note: str | None = None
    tired: Literal["none", "not", "bit", "lot"] | None = None
    did: Listed = Field(default_factory=list)
    painkiller: bool | None = None
    distress: Annotated[int, BeforeValidator(_graded), Field(ge=0, le=3)] | None = None
    mood: Annotated[int, Field(ge=0, le=6)] | None = Field(
        default=None, validation_alias=AliasChoices("mood", "phq2", "phq")
    )
    seen: Subjects = Field(default_factory=list)
    booked: Subjects = Field(default_factory=list)
    known: Subjects = Field(default_factory=list)
    safe: Subjects = Field(default_factory=list)
    edit: bool = False


class DayExpected(CaseShape):
    """What is expected of one day of a diary."""

    day: int
    level: LevelWord | None = None
    acceptable: list[LevelWord] = Field(default_factory=list)
    raised: list[str] = Field(default_factory=list)
    told: bool | None = None


class Expected(CaseShape):
    """What a clinician expects: the level, of some days, and rules that must be among those raised."""

    level: LevelWord
    by_day: list[DayExpected] = Field(default_factory=list)
    raised: list[str] = Field(default_factory=list)


def _expected(value: object) -> object:
    return {"level": value} if isinstance(value, str) else value


class Case(CaseShape):
    """What message and diary cases share."""

    id: str
    profile: ProfileCase = Field(default_factory=ProfileCase)
    expected: Annotated[Expected, BeforeValidator(_expected)] | None = None
    acceptable: list[LevelWord] = Field(default_factory=list)
    asks: list[str] | bool = (
        False  # exact questions that must be put where the level is not yet certain; true: any
    )
    why: str = ""


class MessageCase(Case):
    """One message."""

    text: str
    reply: str | None = None  # what it says came of a warning: a code, "other:" before it, "doubt" or "none"


class DiaryCase(Case):
    """The entries of one diary, in the order in which they were made within a day."""

    days: Annotated[list[DayCase], Field(min_length=1)]
