"""Who was left at the offer of the health questions has told all that is needed, and is written to."""

from collections.abc import Sequence

from alembic import op

revision = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Bring the rows to this revision; upkeep plans what comes next."""
    op.execute("UPDATE patient SET step = 'done', expecting = '' WHERE step = 'profile'")
