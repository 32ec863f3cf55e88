"""Room for the moment a sending was first due: what is tried again must say that it is late."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Bring the tables to this revision."""
    op.add_column("sending", sa.Column("first_due_at", sa.DateTime(timezone=True), nullable=True))
