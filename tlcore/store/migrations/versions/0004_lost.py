"""How often in a row a run's process was lost; of those made before, never."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("runs", sa.Column("lost", sa.Integer, nullable=False, server_default="0"))
