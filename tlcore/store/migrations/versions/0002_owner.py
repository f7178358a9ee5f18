"""Whose a run is; of those made before, nobody's."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("runs", sa.Column("owner", sa.String(64), nullable=False, server_default=""))
    op.create_index("ix_runs_owner", "runs", ["owner"])
