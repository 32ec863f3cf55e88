"""The frozen shapes that every content file must fit."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from datetime import date, time
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Code = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=40)]


def frozen(value: object) -> object:
    """Lists in TOML become tuples, so that a loaded file cannot change."""
    return tuple(value) if isinstance(value, list) else value


def _listed(value: object) -> object:
    """Expressions are written in one text, separated by commas."""
    if not isinstance(value, str):
        return value
    return tuple(" ".join(part.split()) for part in value.split(",") if part.strip())


Codes = Annotated[tuple[Code, ...], BeforeValidator(frozen)]
Texts = Annotated[tuple[str, ...], BeforeValidator(frozen)]
Expressions = Annotated[tuple[str, ...], BeforeValidator(_listed)]


class Shape(BaseModel):
    """Anything read from a content file: frozen, and nothing unknown is let in."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Level(enum.IntEnum):
    """How soon a person should be seen (clinical levels, lowest to highest)."""

    NONE = 0
    ROUTINE = 1
    SOON = 2
    URGENT = 3
    EMERGENCY = 4

    @property
    def code(self) -> str:
        """Return the level's word as rule files and cases spell it."""
        return self.name.lower()


def level_named(word: object) -> object:
    """Turn a level's word into the level; anything else is left for the validator to refuse."""
    if isinstance(word, str) and word.upper() in Level.__members__:
        return Level[word.upper()]
    return word


LevelWord = Annotated[Level, BeforeValidator(level_named)]


class Review(Shape):
    """Who vouches for a piece of content, and until when."""

    reviewer: str = ""  # empty: not yet reviewed by a clinician
    reviewed_on: date | None = None
    best_before: date

    @property
    def is_reviewed(self) -> bool:
        """Return whether a named clinician has signed this."""
        return bool(self.reviewer and self.reviewed_on)


class Source(Shape):
    """Where a fact was taken from; tiers A (at the authority), B (mirrored), C (secondary), J (ours)."""

    title: str
    tier: Literal["A", "B", "C", "J", "GK"]
    url: str = ""


# --- signs and red flags ---------------------------------------------------------------------------


class Sign(Shape):
    """One answer, or one thing read in free text, that counts towards a red flag."""

    group: Code
    implies: Codes = ()  # signs that are true whenever this one is
    asks: Codes = ()  # rows whose exact question is put when it is heard and raises none of them by itself
    sided: bool = False  # it belongs to one leg
    pain_from: int | None = Field(
        default=None, ge=0, le=10
    )  # heard in the words of a score below this, it was not said


class Condition(Shape):
    """One node of a rule: exactly one of its fields is set.

    `sign`, `flag`, `feeling`, `helped` are true when the code is present; `all`, `any`, `none` join nodes.
    """

    sign: Code | None = None
    flag: Code | None = None
    feeling: Code | None = None
    helped: Code | None = None
    pain_from: int | None = Field(default=None, ge=0, le=10)
    all: Annotated[tuple[Condition, ...], BeforeValidator(frozen)] | None = None
    any: Annotated[tuple[Condition, ...], BeforeValidator(frozen)] | None = None
    none: Annotated[tuple[Condition, ...], BeforeValidator(frozen)] | None = None


Lifetime = Literal["emergency", "despair", "urgent", "soon", "routine"]


class RedFlag(Shape):
    """A reviewed sign or combination that must not be left to self-care."""

    level: LevelWord
    topic: Code  # rows of one topic share one card at a time
    area: Code = "other"  # where it stands in the list of all warning signs
    lifetime: Lifetime
    when: Condition
    withholds: Codes = ()  # techniques (gates.toml) that are wrong while this is open
    stays: bool = False  # a vanished sign does not lower it
    crisis_line: bool = False  # its card also names somebody to talk to at any hour
    asks_first: dict[Code, Code] = Field(
        default_factory=dict
    )  # flag -> row whose question comes before the card
    mistap_days: int = Field(default=1, ge=1, le=7)  # days on which the exact question must be answered no
    sources: Texts
    review: Review


class OtherWords(Shape):
    """The same words where the reader speaks for somebody else."""

    line: str
    question: str
    action: str
    why: str
    do_not: str = ""


class RedFlagWords(Shape):
    """The fixed words of one red flag: action first, reason second, what not to do last."""

    label: str = Field(max_length=40)  # on a button
    line: str  # one plain sentence, as in /urgent
    question: str  # the exact question
    action: str
    why: str
    do_not: str = ""
    other: OtherWords | None = None  # about somebody else, where the words above would not do

    @property
    def about_other(self) -> RedFlagWords:
        """Return the words about somebody else, which for most rows are the same."""
        return self.model_copy(update=dict(self.other)) if self.other else self


class Lifecycle(Shape):
    """How one class of escalation is repeated, followed up and ended; minutes and days from content."""

    repeat_minutes: Annotated[tuple[int, ...], BeforeValidator(frozen)] = ()  # until acknowledged
    repeat_waking_minutes: Annotated[tuple[int, ...], BeforeValidator(frozen)] = ()
    repeat_mornings: int = 0  # mornings on which an unacknowledged card comes again
    follow_up_days: Annotated[tuple[int, ...], BeforeValidator(frozen)] = ()  # mornings after raising
    weekly_times: int = 0  # further weekly follow-ups after the last of follow_up_days
    follow_up_after_minutes: int = 0  # a morning nearer than this to the raising does not count
    quiet_days: int = 0  # days before the same topic is told again
    gone_nights: int = 0  # logged nights without the sign that lower it
    question_timeout_minutes: int | None = (
        None  # an unanswered exact question becomes the card; None: next morning
    )
    ends_on: Codes = ()


# --- tips --------------------------------------------------------------------------------------------


class Gate(Shape):
    """When one technique (raising, heat, stretching, ...) is withheld, and what stands in for it."""

    flags: Codes = ()  # profile flags that forbid it
    reported: Codes = ()  # profile flags that forbid it when yes; never answered, they say nothing
    signs: Codes = ()  # signs of recent nights that forbid it
    helped: Codes = ()  # "what helped" answers that forbid it (hanging the leg down)
    unknown: Literal["allow", "withhold"] = "allow"  # when a forbidding flag was never answered
    always: bool = False
    replace_with: Code | None = None  # a tip, which must pass its own gates


Part = Literal["drink", "stretch", "wind_down"]


class Tip(Shape):
    """One piece of self-care; `number` is its place in the reviewed table."""

    number: int = Field(ge=1)
    topics: Codes
    techniques: Codes = ()
    evidence: Literal["moderate", "low_to_moderate", "low", "weak", "insufficient", "harm", "not_applicable"]
    sources: Texts
    review: Review


class TipWords(Shape):
    """The words of one tip."""

    title: str
    how: str
    why: str = ""
    caution: str = ""


class Piece(Shape):
    """One evening variant of one part of the prompt; it obeys the gates of its tip and its own."""

    part: Part
    tip: Code
    techniques: Codes = ()


class Cause(Shape):
    """One cause card."""

    order: int
    sources: Texts
    review: Review


class CauseWords(Shape):
    """The words of one cause card; it never says that the reader has it."""

    title: str
    feels: str
    clues: str
    helps: str
    harms: str
    see_someone: str
    search: Texts = ()  # other words people type for it


class Step(Shape):
    """One timed step of the guided routine."""

    figure: Code | None = None
    seconds: int = Field(ge=5, le=120)
    techniques: Codes = ()
    seated: bool = False


# --- profile, check-in, times ------------------------------------------------------------------------


class ProfileFlag(Shape):
    """One optional safety-profile question."""

    order: int
    sided: bool = False
    ask_again_days: int | None = None  # for what passes: pregnancy, a cast, an operation
    asked: bool = True  # False: set by other answers only


class ProfileWords(Shape):
    """One profile question in plain words."""

    question: str
    label: str = Field(max_length=40)


class Option(Shape):
    """One answer that a question accepts."""

    code: Code
    signs: Codes = ()  # signs the answer stands for
    rows: Codes = ()  # red flags it may be; the exact question narrows it down
    maybe: Codes = ()  # signs counted as not sure while the exact question has no answer
    alone: bool = False  # choosing it clears the others (none of these, nothing)
    wide: bool = False  # a row of its own on the keyboard
    points: int = Field(default=0, ge=0, le=10)  # towards a score of several questions


class Question(Shape):
    """One check-in question, and what must have been answered before it is asked."""

    code: Code
    many: bool = False
    most: int | None = None  # at most so many choices
    only_if_trouble: bool = True
    only_if_feeling: Code | None = None
    only_if_answered: Code | None = None
    every_nights: int | None = Field(default=None, ge=7)  # None: every morning
    first_after_nights: int = Field(default=0, ge=0)  # of those that are not asked every morning
    scores: Code | None = None  # the score that its points add to
    columns: int = Field(default=2, ge=1, le=8)
    options: Annotated[tuple[Option, ...], BeforeValidator(frozen)]


class CheckInShape(Shape):
    """The morning check-in: its questions in order and the numbers that steer it."""

    version: str
    signs_first_from_pain: int = Field(ge=1, le=10)
    backfill_days: int = Field(ge=1, le=31)
    questions: Annotated[tuple[Question, ...], BeforeValidator(frozen)]


class QuestionWords(Shape):
    """One question in plain words, with the words of its options by code."""

    ask: str
    short: str  # its name in a summary
    note: str = ""  # why it is asked, below the question
    options: dict[str, str]


class Timing(Shape):
    """Every time, window and lateness the bot keeps; minutes, and wall times of the patient."""

    prompt_at: time
    checkin_at: time
    quiet_from: time
    quiet_until: time
    sounds_before: time
    prompt_useful_minutes: int
    checkin_closes_before_prompt_minutes: int
    late_after_minutes: int
    snooze_minutes: Annotated[tuple[int, ...], BeforeValidator(frozen)]
    prompt_choices: Annotated[tuple[time, ...], BeforeValidator(frozen)]
    checkin_choices: Annotated[tuple[time, ...], BeforeValidator(frozen)]
    no_repeat_nights: int
    pause_choices_days: Annotated[tuple[int, ...], BeforeValidator(frozen)]
    checkin_every_choices_days: Annotated[tuple[int, ...], BeforeValidator(frozen)]
    sign_nights: int  # nights for which a sign keeps gating tips
    unanswered_nights_before_asking: int
    cramp_lasts_minutes: int  # a cramp that has let go by then has not lasted long
    just_told_minutes: int  # a card told within this needs no "what came of it?" on top
    profile_asked_again_days: int  # a health question asked again, and left unanswered, comes after these


# --- numbers and places ------------------------------------------------------------------------------


class Line(Shape):
    """One phone number, spelled as it is dialled, with how sure we are and when it was last checked."""

    number: str = Field(pattern=r"^[0-9*#+ ]+$")
    certainty: Literal["H", "M", "L"]
    note: str = ""  # a key of messages ("note_mobile_only"), never free words
    name: str = ""  # the line's own name


class Country(Shape):
    """The numbers of one country; `checked_on` None means no person has confirmed them yet."""

    emergency: Annotated[tuple[Line, ...], BeforeValidator(frozen)] = Field(min_length=1)
    health: Annotated[tuple[Line, ...], BeforeValidator(frozen)] = ()
    crisis: Annotated[tuple[Line, ...], BeforeValidator(frozen)] = ()
    checked_on: date | None = None


class Numbers(Shape):
    """Emergency, health-line and crisis numbers by ISO country."""

    stale_after_days: int
    hide_after_days: int
    fallback: str
    fallback_further: str
    countries: dict[str, Country]


class Place(Shape):
    """One choice of zone within a country of several."""

    zone: str
    label: str
    aliases: Texts = ()


# --- typed times and dates -----------------------------------------------------------------------------


class ClockVocabulary(Shape):
    """The words of one language for times of day and dates; names of months and weekdays come from Babel."""

    locale: str  # whose names of months and weekdays are understood
    numbers: dict[str, int]
    half_past: Texts = ()  # half past nine: 9:30
    half_before: Texts = ()  # languages in which "half ten" means 9:30
    quarter: Texts = ()
    past: Texts = ()
    to: Texts = ()
    am: Texts = ()
    pm: Texts = ()
    at_night: Texts = ()  # one to five are then early, six to eleven late
    noon: Texts = ()
    midnight: Texts = ()
    hour_marks: Texts = ()  # o'clock
    minute_marks: Texts = ()  # after a time with minutes only: 2130 hrs
    fillers: Texts = ()  # words that change nothing: at, about, please
    days_ahead: dict[str, int] = {}  # tomorrow: 1
    day_units: dict[str, int] = {}  # week: 7
    month_units: Texts = ()
    next_words: Texts = ()  # next week, a week
    date_fillers: Texts = ()  # until, the, of
    ordinal_endings: Texts = ()
    weekdays: dict[str, int] = {}  # spellings beyond Babel's; Monday is 0
    months: dict[str, int] = {}  # the same; January is 1


# --- reading plain words -----------------------------------------------------------------------------


class SignPhrases(Shape):
    """How people say one sign; `sure` raises it, `near` only leads to the exact question."""

    sure: Texts = ()
    near: Texts = ()
    lasting: bool = False  # it still counts when the person has had it for long
    instead_of: Codes = ()  # signs that the same words would wrongly stand for as well
    usual: bool = False  # lifelong and unchanged it is nothing ("my feet are always cold")
    passing: bool = False  # it counts even when it has passed ("fainted, fine now")
    literal: bool = False  # it is meant even where a figure of speech is part of it ("fell asleep driving")
    threat: bool = False  # it is meant even under a condition or in a question ("if this goes on I will ...")


class Context(Shape):
    """The words around a sign that say whether it is there, now, and the writer's own."""

    negation: Texts  # forward, until the phrase ends
    negation_wide: Texts  # forward, over the subject of what follows ("I do not think that my ...")
    negation_after: Texts  # backward ("... has been ruled out")
    passed: Texts  # backward: it was there and has gone ("... wore off")
    not_negation: Texts  # looks like a negation and is none ("not sure", "not only")
    barriers: Texts  # words that no phrase reaches across
    stops: Texts  # words that end every scope
    subjects: Texts  # words that begin a clause of their own
    joins: Texts  # before a subject: the clause goes on ("in my", "or my")
    verbs: Texts  # a comma part with one of these is a clause of its own
    past: Texts
    past_ahead: Texts  # what follows is past, what went before is not ("used to")
    settled: Texts  # over and done with, whenever it was ("fine now")
    recent: Texts  # days ago: leads to the exact question
    chronic: Texts
    present: Texts
    others: Texts  # someone else: "my husband", "she", "a friend"
    selves: Texts
    asking: Texts  # begins a question, as the first word of its clause
    asking_words: Texts  # what follows it, unless there is a question mark
    about: Texts  # wants to know something, wherever it stands
    supposing: Texts  # begins a supposition
    hypothetical: Texts  # the same, and never the writer's own present state ("if I ever get")
    not_supposing: Texts  # looks like a supposition and is none ("not sure if this matters")
    animals: Texts  # an animal that something is said of
    stories: Texts  # somebody in a film, a book or the news
    excuses: Texts  # a harmless cause beside it ("from laughing"): leads to the exact question
    telling: Texts  # a question that takes the sign for granted ("why is my")
    seen: Texts
    figures: Texts  # figures of speech and things that only look like signs
    cries: Texts
    calls: Texts  # of these, the ones that call for an ambulance
    foreign: Texts  # universal words of other languages
    chat: Texts
    topic: Texts


ReplyCode = Literal["booked", "seen", "going", "known", "not_yet", "cannot"]
# Codes of no button: nobody can see them before a day; what somebody made of it.
SaidCode = ReplyCode | Literal["later", "verdict"]


class Replies(Shape):
    """How people answer in words what came of a warning; each code is that of the button it stands for."""

    said: dict[SaidCode, Texts] = Field(default_factory=dict)  # wherever it stands
    alone: dict[SaidCode, Texts] = Field(default_factory=dict)  # where nothing but *beside* stands with it
    beside: str = ""  # the words that may
    ahead: Texts = ()  # not done yet, or only wished for: asked by button
    ahead_alone: Texts = ()  # the same, where nothing but *beside* stands with it
    hedges: Texts = ()  # just before an answer: it may be none ("would have", "once I")
    elsewhere: Texts = ()  # something else may be meant ("dentist", "ring me back"): asked by button
    void: Texts = ()  # looks like an answer and is none ("get through the night")
    quoting: Texts = ()  # what follows an answer and this is what somebody advised ("they said")
    day_after: Texts = ()  # the word before the day of an appointment ("booked for Tuesday")
    about: Texts = ()  # what an answer is about begins here,
    matter: Texts = ()  # and may be this, or a leg; anything else is asked about


CourtesyCode = Literal["night", "bye", "thanks", "hello", "ok"]


class Courtesies(Shape):
    """Thanks, greetings and the like, where a message says nothing else; of two the first listed counts."""

    said: dict[CourtesyCode, Texts] = Field(default_factory=dict)
    symbols: dict[CourtesyCode, str] = Field(default_factory=dict)  # pictures that say the same
    beside: str = ""  # the words that may stand with them


class Examples(Shape):
    """What people write in one language, one message a line: what can wait, and by row what cannot."""

    calm: str = ""
    rows: dict[Code, str] = Field(default_factory=dict)

    def by_row(self) -> Iterator[tuple[str, list[str]]]:
        """Yield each row (an empty name for what can wait) with its messages."""
        for row, said in (("", self.calm), *self.rows.items()):
            yield row, [line for line in said.splitlines() if line.strip()]

    def __hash__(self) -> int:
        """Hash by identity, so that what is learned from examples can be kept."""
        return id(self)


class Scale(Shape):
    """What adds up to the natural logarithm of the odds that a message is grave, or an emergency."""

    start: float  # before anything is known of it
    whole: float  # for each natural logarithm of the odds by the words of the whole message
    gravest_part: float  # the same by the part of a long message that leans furthest
    urgent_row: float  # for each natural logarithm by which the likeliest urgent row makes the words likelier
    emergency_row: float  # the same of the likeliest emergency row
    urgent: float  # where the phrases found something urgent
    emergency: float  # where the phrases found an emergency
    denied: float  # where they heard a sign denied


class Weighing(Shape):
    """What phrases and examples together make of a message, in natural logarithms of odds.

    *grave* odds are of urgent or emergency against what can wait, *emergency* odds of that against all else.
    """

    emergency_from: float  # emergency odds: it is one
    urgent_from: float  # grave odds: it is one
    doubts_below: float  # grave odds: no emergency is taken as said; one that the phrases found is asked
    no_emergency_below: float  # emergency odds: one that the phrases found is asked about, and urgent at most
    asks_from: float  # grave odds: where no phrase found anything, the warning signs are asked all the same
    asks_from_lively: float  # grave odds: the same where a cramp or a figure of speech explains lively words
    asks_part_from: float  # and only where the gravest part of the words leans so far by itself,
    asks_row_from: float  # or the likeliest grave row makes them so much likelier
    silent_below: float  # grave odds: what the phrases nearly found is not even asked
    few_words: int  # so short a message holds too little to ask, doubt or be silent by it
    raises_from_words: int  # a message must have so many to be raised by what it is like
    raises_lively_from_words: int  # and so many where they found a cramp or a figure of speech, and no sign
    near: float  # rows so close in likelihood to the likeliest are asked about too
    grave: Scale
    emergency: Scale
    sources: Texts
    review: Review


class SignMeanings(Shape):
    """What one sign may be put together from; `sure` raises it, `ask` leads to its exact question."""

    sure: Texts = ()
    ask: Texts = ()


class Worries(Shape):
    """What leads to the list of the warning signs where nothing else was made of it."""

    meanings: Texts = ()


class Meanings(Shape):
    """Concepts, each with its many expressions, and the rules that join them into signs, in any order."""

    concepts: dict[str, Expressions] = {}
    signs: dict[str, SignMeanings] = {}
    worries: Worries = Worries()


class Phrases(Shape):
    """The vocabulary of one language for reading free text.

    A phrase is words with `a/b`, `a_b/c`, `<class>`, `word?`, `~` (small words between), `~3` (up to three
    words between) and `x + y` (either order).
    """

    spelling: dict[str, str]
    common: str  # ordinary words, never taken for a misspelt sign
    filler: str  # the small words that `~` may skip
    limbs: Texts  # what "it" may stand for, and what a clause is about that names nothing
    things: Texts  # what else "it" may stand for
    classes: dict[str, Texts]
    signs: dict[str, SignPhrases]
    flags: dict[str, Texts]
    answers: dict[str, dict[str, Texts]]
    context: Context
    replies: Replies = Replies()
    courtesies: Courtesies = Courtesies()
    meanings: Meanings = Meanings()

    def __hash__(self) -> int:
        """Hash by identity, so that what is compiled from a vocabulary can be cached."""
        return id(self)
