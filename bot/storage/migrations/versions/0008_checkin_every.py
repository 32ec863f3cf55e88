"""Room for how many days lie between two check-ins; everybody goes on with one each morning."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision: str | None = "0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Bring the tables to this revision."""
    op.add_column("patient", sa.Column("checkin_every", sa.Integer(), server_default="1", nullable=False))
