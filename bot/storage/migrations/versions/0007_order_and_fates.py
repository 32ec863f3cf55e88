"""Indexes for the order among what is due at one moment, and for fates that nobody has decided on."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision: str | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

UNDECIDED = "state = 'unknown' AND (finished_at IS NULL OR rank = 0)"


def upgrade() -> None:
    """Bring the tables to this revision."""
    op.drop_index("ix_sending_ready", "sending")
    op.create_index(
        "ix_sending_ready",
        "sending",
        ["rank", "due_at", "useful_until"],
        unique=False,
        sqlite_where=sa.text("state = 'ready'"),
        postgresql_where=sa.text("state = 'ready'"),
    )
    op.drop_index("ix_sending_unknown", "sending")
    op.create_index(
        "ix_sending_undecided",
        "sending",
        ["rank", "due_at"],
        unique=False,
        sqlite_where=sa.text(UNDECIDED),
        postgresql_where=sa.text(UNDECIDED),
    )
