"""Every table there is; what belongs to a patient goes with the patient."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from bot.model import Kind, Origin, State
from bot.storage.columns import Codes, CodeSet, Flat, Id, Number, Side, UtcDateTime, WallTime, Word
from content.schema import Level

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# An id is never given out twice: an old button must not mean somebody else's row.
COUNTED: dict[str, Any] = {"sqlite_autoincrement": True}
# Kept in the order of the key: the nights of one patient lie side by side.
CLUSTERED: dict[str, Any] = {"sqlite_with_rowid": False}


def _of_patient(**options: Any) -> Column[int]:
    return Column("patient_id", Id, ForeignKey("patient.id", ondelete="CASCADE"), nullable=False, **options)


patient = Table(
    "patient",
    metadata,
    Column("id", Id, primary_key=True),
    Column("chat_id", BigInteger, nullable=False, unique=True),
    Column("language", String(16), nullable=False),
    Column("step", String(64), nullable=False),
    Column("expecting", Text, nullable=False),
    Column("country", String(8)),
    Column("zone", String(64)),
    Column("prompt_at", WallTime, nullable=False),
    Column("checkin_at", WallTime, nullable=False),
    Column("quiet_from", WallTime, nullable=False),
    Column("quiet_until", WallTime, nullable=False),
    Column("silent", Boolean, nullable=False),
    Column("consent_at", UtcDateTime),
    Column("consent_version", String(64), nullable=False),
    Column("paused_until", Date),
    Column("stopped_at", UtcDateTime),
    Column("blocked_at", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    Column("zone_country_asked", Boolean, nullable=False),
    Column("checkin_every", Integer, nullable=False, server_default="1"),  # days
    **COUNTED,
)

consent = Table(
    "consent",
    metadata,
    Column("id", Id, primary_key=True),
    _of_patient(index=True),
    Column("version", String(64), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("withdrawn_at", UtcDateTime),
    **COUNTED,
)

profile_answer = Table(
    "profile_answer",
    metadata,
    _of_patient(primary_key=True),
    Column("flag", String(64), primary_key=True),
    Column("yes", Boolean, nullable=False),
    Column("side", String(16)),
    Column("since", Date),
    Column("until", Date),
    Column("ask_again_on", Date),
    Column("answered_at", UtcDateTime, nullable=False),
    **CLUSTERED,
)

checkin = Table(
    "checkin",
    metadata,
    _of_patient(primary_key=True),
    Column("night", Date, primary_key=True),
    Column("pain", Integer),
    Column("feeling", Codes, nullable=False),
    Column("side", String(16)),
    Column("awake", String(64)),
    Column("helped", Codes, nullable=False),
    Column("longest", String(64)),
    Column("signs", Flat, nullable=False),
    Column("tired", String(64)),
    Column("distress", String(64)),
    Column("done", CodeSet, nullable=False),
    Column("skipped", CodeSet, nullable=False),
    Column("origin", Word(Origin), nullable=False),
    Column("opened_at", UtcDateTime),
    Column("completed_at", UtcDateTime),
    Column("version", String(64), nullable=False),
    Column("message_id", BigInteger),
    Column("note", Text, nullable=False),
    Column("interest", String(64)),
    Column("low", String(64)),
    Column("more", CodeSet, nullable=False, server_default=""),
    **CLUSTERED,
)

correction = Table(
    "correction",
    metadata,
    Column("id", Id, primary_key=True),
    Column("patient_id", Id, nullable=False),
    Column("night", Date, nullable=False),
    Column("question", String(64), nullable=False),
    Column("old", Text, nullable=False),
    Column("new", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("origin", Word(Origin), nullable=False),
    ForeignKeyConstraint(
        ["patient_id", "night"], ["checkin.patient_id", "checkin.night"], ondelete="CASCADE"
    ),
    Index(None, "patient_id", "night"),
    **COUNTED,
)

evening = Table(
    "evening",
    metadata,
    _of_patient(primary_key=True),
    Column("night", Date, primary_key=True),
    Column("done", CodeSet, nullable=False),
    Column("declined", Boolean, nullable=False),
    Column("message_id", BigInteger),
    Column("changed_at", UtcDateTime, nullable=False),
    **CLUSTERED,
)

evening_piece = Table(
    "evening_piece",
    metadata,
    Column("patient_id", Id, primary_key=True),
    Column("night", Date, primary_key=True),
    Column("part", Integer, primary_key=True, autoincrement=False),
    Column("piece", String(64), nullable=False),
    ForeignKeyConstraint(
        ["patient_id", "night"], ["evening.patient_id", "evening.night"], ondelete="CASCADE"
    ),
    **CLUSTERED,
)

episode = Table(
    "episode",
    metadata,
    Column("id", Id, primary_key=True),
    _of_patient(),
    Column("night", Date, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("side", String(16)),
    Column("longest", String(64)),
    Column("pain", Integer),
    Column("origin", String(64), nullable=False),
    UniqueConstraint("patient_id", "origin"),
    Index(None, "patient_id", "night"),
    **COUNTED,
)

escalation = Table(
    "escalation",
    metadata,
    Column("id", Id, primary_key=True),
    _of_patient(),
    Column("rule", String(64), nullable=False),
    Column("level", Number(Level), nullable=False),
    Column("topic", String(64), nullable=False),
    Column("side", Side, nullable=False),
    Column("about_other", Boolean, nullable=False),
    Column("night", Date, nullable=False),
    Column("evidence", Codes, nullable=False),
    Column("content_version", String(64), nullable=False),
    Column("words", Text, nullable=False),
    Column("raised_at", UtcDateTime, nullable=False),
    Column("told_at", UtcDateTime),
    Column("acknowledged_at", UtcDateTime),
    Column("closed_at", UtcDateTime),
    Column("outcome", String(32)),
    Column("origin", String(128), nullable=False),
    UniqueConstraint("patient_id", "rule", "side", "origin"),
    Index(
        "ix_escalation_open",
        "patient_id",
        sqlite_where=text("closed_at IS NULL"),
        postgresql_where=text("closed_at IS NULL"),
    ),
    **COUNTED,
)

escalation_event = Table(
    "escalation_event",
    metadata,
    Column("id", Id, primary_key=True),
    Column("escalation_id", Id, ForeignKey("escalation.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("what", String(64), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("detail", Text, nullable=False),
    **COUNTED,
)

asking = Table(
    "asking",
    metadata,
    Column("id", Id, primary_key=True),
    _of_patient(),
    Column("night", Date, nullable=False),
    Column("because", String(64), nullable=False),
    Column("rules", Codes, nullable=False),
    Column("about_other", Boolean, nullable=False),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("answered_at", UtcDateTime),
    Column("answer", String(64)),
    Column("origin", String(128), nullable=False),
    Column("codes", Codes, nullable=False, server_default=""),
    UniqueConstraint("patient_id", "because", "origin"),
    Index(
        "ix_asking_open",
        "patient_id",
        sqlite_where=text("answered_at IS NULL"),
        postgresql_where=text("answered_at IS NULL"),
    ),
    **COUNTED,
)

sending = Table(
    "sending",
    metadata,
    Column("id", Id, primary_key=True),
    _of_patient(),
    Column("kind", Word(Kind), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("step", Integer, nullable=False),
    Column("rank", Integer, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("useful_until", UtcDateTime),
    Column("state", Word(State), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("owner", String(128)),
    Column("lease_until", UtcDateTime),
    Column("reason", Text, nullable=False),
    Column("message_id", BigInteger),
    Column("finished_at", UtcDateTime),
    Column("first_due_at", UtcDateTime),  # of one that was tried again, and so is due anew
    UniqueConstraint("patient_id", "kind", "subject", "step"),
    Index(
        "ix_sending_ready",
        "rank",
        "due_at",
        "useful_until",
        sqlite_where=text("state = 'ready'"),
        postgresql_where=text("state = 'ready'"),
    ),
    Index(
        "ix_sending_safety",
        "patient_id",
        "due_at",
        sqlite_where=text("rank = 0"),
        postgresql_where=text("rank = 0"),
    ),
    Index(
        "ix_sending_leased",
        "lease_until",
        sqlite_where=text("lease_until IS NOT NULL"),
        postgresql_where=text("lease_until IS NOT NULL"),
    ),
    Index(
        "ix_sending_undecided",
        "rank",
        "due_at",
        sqlite_where=text("state = 'unknown' AND (finished_at IS NULL OR rank = 0)"),
        postgresql_where=text("state = 'unknown' AND (finished_at IS NULL OR rank = 0)"),
    ),
    **COUNTED,
)

inbox = Table(
    "inbox",
    metadata,
    Column("update_id", BigInteger, primary_key=True, autoincrement=False),
    Column("chat_id", BigInteger, index=True),
    Column("payload", Text, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("done_at", UtcDateTime),
    Column("attempts", Integer, nullable=False),
    Column("failed_at", UtcDateTime),
    Column("owner", String(128)),  # the replica that deals with it
    Column("lease_until", UtcDateTime),
    Index(
        "ix_inbox_undone",
        "received_at",
        "update_id",
        sqlite_where=text("done_at IS NULL"),
        postgresql_where=text("done_at IS NULL"),
    ),
    **CLUSTERED,
)

invite = Table(
    "invite",
    metadata,
    Column("id", Id, primary_key=True),
    Column("code_hash", String(128), nullable=False, unique=True),
    Column("label", Text, nullable=False),
    Column("uses", Integer, nullable=False),
    Column("used", Integer, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    **COUNTED,
)

receipt = Table(
    "receipt",
    metadata,
    Column("code", String(64), primary_key=True),
    Column("rows", Flat, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    **CLUSTERED,
)

lease = Table(
    "lease",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("owner", String(128), nullable=False),
    Column("until", UtcDateTime, nullable=False),
    **CLUSTERED,
)

budget = Table(
    "budget",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("spent_until", UtcDateTime, nullable=False),  # the moment up to which turns are given away
    **CLUSTERED,
)

meta = Table(
    "meta",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("value", Text, nullable=False),
    **CLUSTERED,
)
