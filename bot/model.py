"""The nouns of the house: frozen values, known to every layer, that know nothing of database or Telegram."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from content.schema import Level

ANSWER_QUESTIONS = (
    *("pain", "signs", "feeling", "side", "awake", "helped", "longest", "tired", "distress"),
    *("interest", "low"),
)


UNTIL_HEARD = date(9000, 1, 1)  # a pause without an end: it is over when the patient writes or taps


class Origin(enum.StrEnum):
    """How an entry came to be."""

    PROMPTED = "prompted"  # answered from the morning's message
    VOLUNTEERED = "volunteered"  # opened by the patient on the day itself
    LATE = "late"  # answered after the check-in had closed
    BACKFILLED = "backfilled"  # an earlier night, filled in by the patient


class State(enum.StrEnum):
    """Where a sending stands."""

    READY = "ready"
    CLAIMED = "claimed"
    SENDING = "sending"  # committed before the call: after a crash its fate is not known
    TOLD = "told"
    UNKNOWN = "unknown"
    DROPPED = "dropped"


class Kind(enum.StrEnum):
    """What a sending is; the words are rendered when it goes out."""

    PROMPT = "prompt"
    CHECKIN = "checkin"
    CARD = "card"  # a red flag's card
    QUESTION = "question"  # an exact question
    FOLLOW_UP = "follow_up"  # "what came of it?"
    RESUME = "resume"  # the end of a pause
    APPOINTMENT = "appointment"  # the evening before it, and the day after
    WORD = "word"  # a kind word about how the nights go

    @property
    def is_safety(self) -> bool:
        """Return whether it must be told at least once."""
        return self in (Kind.CARD, Kind.QUESTION, Kind.FOLLOW_UP)


@dataclass(frozen=True)
class Times:
    """A patient's own wall times."""

    prompt_at: time
    checkin_at: time
    quiet_from: time
    quiet_until: time


@dataclass(frozen=True)
class Patient:
    """The person whose nights we follow; moments are aware UTC, times are wall times in `zone`."""

    id: int
    chat_id: int
    language: str
    step: str  # where enrolment stands: a step's name, or "done"
    expecting: str  # what a typed reply would answer: "", or "topic:detail"
    country: str | None
    zone: str | None
    times: Times
    silent: bool
    consent_at: datetime | None
    consent_version: str
    paused_until: date | None
    stopped_at: datetime | None
    blocked_at: datetime | None
    created_at: datetime
    zone_country_asked: bool = False  # numbers of both countries are shown until answered
    checkin_every: int = 1  # days from one check-in to the next

    @property
    def tz(self) -> ZoneInfo:
        """Return the zone; UTC until one is known."""
        return ZoneInfo(self.zone or "UTC")

    def day_of(self, moment: datetime) -> date:
        """Return the date of a moment where the patient is."""
        return moment.astimezone(self.tz).date()

    @property
    def is_unheard(self) -> bool:
        """Return whether nothing is sent because nobody answered: the next word or tap ends that."""
        return self.paused_until == UNTIL_HEARD

    @property
    def is_enrolled(self) -> bool:
        """Return whether consent and a zone are there and prompts may come."""
        return self.consent_at is not None and self.zone is not None and self.step == "done"

    @property
    def is_active(self) -> bool:
        """Return whether anything but safety may be sent now."""
        return self.is_enrolled and self.stopped_at is None and self.blocked_at is None


@dataclass(frozen=True)
class ProfileAnswer:
    """One answered safety-profile question; an absent one means unknown."""

    flag: str
    yes: bool
    side: str | None = None  # left, right, both
    since: date | None = None
    until: date | None = None
    ask_again_on: date | None = None


@dataclass(frozen=True)
class CheckIn:
    """The answers for one night, as they came; None means not asked or not answered yet.

    `pain` 0-10 worst of the night; `signs` maps a warning option's code to "yes" or "unsure".
    """

    night: date
    pain: int | None = None
    feeling: tuple[str, ...] = ()
    side: str | None = None
    awake: str | None = None
    helped: tuple[str, ...] = ()
    longest: str | None = None
    signs: Mapping[str, str] = field(default_factory=dict, hash=False)
    tired: str | None = None
    distress: str | None = None
    done: frozenset[str] = frozenset()  # questions finished: answered or skipped
    skipped: frozenset[str] = frozenset()
    origin: Origin = Origin.VOLUNTEERED
    opened_at: datetime | None = None
    completed_at: datetime | None = None
    version: str = ""  # of the questions, so that rules can be audited
    message_id: int | None = None
    note: str = ""
    interest: str | None = None  # the two questions about mood
    low: str | None = None
    more: frozenset[str] = frozenset()  # questions asked this morning that are not asked every morning

    @property
    def is_logged(self) -> bool:
        """Return whether the night counts as known: its score was given."""
        return self.pain is not None


@dataclass(frozen=True)
class Correction:
    """One answer of a check-in that was changed later, as it was before and after."""

    night: date
    question: str
    old: str
    new: str
    at: datetime
    origin: Origin


@dataclass(frozen=True)
class Evening:
    """What was offered and done one evening."""

    night: date
    pieces: tuple[str, ...] = ()
    done: frozenset[str] = frozenset()  # parts done
    declined: bool = False  # "not tonight"
    message_id: int | None = None


@dataclass(frozen=True)
class Episode:
    """One cramp or bout, with its moment."""

    id: int
    night: date
    at: datetime
    side: str | None = None
    longest: str | None = None
    pain: int | None = None


@dataclass(frozen=True)
class Facts:
    """What is known of one person at one moment, as the rules see it.

    `signs` maps sign to "yes" or "unsure"; `flags` holds answered profile questions only.
    """

    signs: Mapping[str, str] = field(default_factory=dict, hash=False)
    flags: Mapping[str, bool] = field(default_factory=dict, hash=False)
    feeling: frozenset[str] = frozenset()
    helped: frozenset[str] = frozenset()
    pain: int | None = None
    side: str | None = None


@dataclass(frozen=True)
class Finding:
    """A red flag or pattern that was actually raised, with its evidence (codes, never words)."""

    rule: str
    level: Level
    topic: str
    side: str | None
    evidence: tuple[str, ...]
    names_leg: bool = False  # that side was named of these very signs, not told of the night besides


class Outcome(enum.StrEnum):
    """What came of an escalation."""

    READ = "read"
    GOING = "going"  # called, or on the way
    MISTAP = "mistap"
    SEEN = "seen"
    BOOKED = "booked"
    CANNOT = "cannot"
    NOT_YET = "not_yet"
    SAFE = "safe"  # safe, and has talked to someone
    WITH_SOMEONE = "with_someone"  # safe for now, and not alone
    KNOWN = "known"  # to their own doctor


@dataclass(frozen=True)
class Escalation:
    """A finding somebody must be told about, with a memory of what came of it."""

    id: int
    patient_id: int
    rule: str
    level: Level
    topic: str
    side: str | None
    about_other: bool
    night: date
    evidence: tuple[str, ...]
    content_version: str
    words: str  # the exact words told last
    raised_at: datetime
    told_at: datetime | None
    acknowledged_at: datetime | None
    closed_at: datetime | None
    outcome: str | None

    @property
    def subject(self) -> str:
        """Return the subject of the sendings about it."""
        return f"escalation:{self.id}"

    @property
    def is_open(self) -> bool:
        """Return whether the matter is not settled."""
        return self.closed_at is None


@dataclass(frozen=True)
class EscalationEvent:
    """One thing that happened to an escalation; never changed, never taken out."""

    id: int
    escalation_id: int
    what: str
    at: datetime
    detail: str


@dataclass(frozen=True)
class Asking:
    """An exact question put because a red flag is nearly sure; `rules` in order of level."""

    id: int
    patient_id: int
    night: date
    because: str  # the option or sign that led to it
    rules: tuple[str, ...]
    about_other: bool
    asked_at: datetime
    answered_at: datetime | None
    answer: str | None  # a rule id, "no", "unsure", "raised" (timed out)
    codes: tuple[str, ...] = ()  # the evidence that led to it, as far as it was said

    @property
    def subject(self) -> str:
        """Return the subject of the sendings about it."""
        return f"asking:{self.id}"


@dataclass(frozen=True)
class Sending:
    """One message the bot owes a patient; unique by (patient, kind, subject, step)."""

    id: int
    patient_id: int
    kind: Kind
    subject: str  # a night (ISO date), "escalation:7", "asking:3"
    step: int
    due_at: datetime
    useful_until: datetime | None
    state: State
    attempts: int
    lease_until: datetime | None = None
    reason: str = ""
    message_id: int | None = None
    first_due_at: datetime | None = None  # of one that was tried again, and so is due anew

    @property
    def was_due_at(self) -> datetime:
        """Return the moment it was planned for, however often it was tried since."""
        return self.first_due_at or self.due_at


@dataclass(frozen=True)
class Invite:
    """A link that lets people in; only the hash of its code is known."""

    id: int
    label: str
    uses: int  # how many people it may let in
    used: int
    expires_at: datetime | None
    revoked_at: datetime | None
    created_at: datetime


@dataclass(frozen=True)
class Receipt:
    """What an erasure took away: rows by table, and nothing about whom."""

    code: str
    rows: Mapping[str, int]
    at: datetime
