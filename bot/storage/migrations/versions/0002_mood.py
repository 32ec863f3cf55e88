"""Room for the two questions about mood, and for which questions a morning asked beyond the daily ones."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Bring the tables to this revision."""
    op.add_column("checkin", sa.Column("interest", sa.String(length=64), nullable=True))
    op.add_column("checkin", sa.Column("low", sa.String(length=64), nullable=True))
    op.add_column("checkin", sa.Column("more", sa.Text(), server_default="", nullable=False))
