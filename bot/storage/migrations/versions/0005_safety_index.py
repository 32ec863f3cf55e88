"""What is owed to one patient for safety, found without reading all that was ever sent to them."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Bring the tables to this revision."""
    op.create_index(
        "ix_sending_safety",
        "sending",
        ["patient_id", "due_at"],
        unique=False,
        sqlite_where=sa.text("rank = 0"),
        postgresql_where=sa.text("rank = 0"),
    )
