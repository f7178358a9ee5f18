"""Where a run came from: an archive of another lab, or a run here that it trains again."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("runs", sa.Column("provenance", sa.Text, nullable=False, server_default=""))
