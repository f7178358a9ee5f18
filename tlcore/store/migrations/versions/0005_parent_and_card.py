"""Which comparison began a run; and what the list of runs says of each, made when a run is first listed."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("runs", sa.Column("parent", sa.String(16), nullable=False, server_default=""))
    op.add_column("runs", sa.Column("card", sa.Text, nullable=False, server_default=""))
    op.create_index("ix_runs_parent", "runs", ["parent"])
    runs = sa.table("runs", sa.column("id"), sa.column("kind"), sa.column("result"), sa.column("parent"))
    connection = op.get_bind()
    comparisons = connection.execute(sa.select(runs.c.id, runs.c.result).where(runs.c.kind == "comparison"))
    for run_id, result in comparisons.all():
        ways = [way["run"] for way in json.loads(result).get("ways", ())]
        connection.execute(runs.update().where(runs.c.id.in_(ways)).values(parent=run_id))
