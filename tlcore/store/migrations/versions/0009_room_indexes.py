"""What a phone and the wall ask of a room is found without reading all that was ever sent to it."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_index("ix_room_items_whose", "room_items", ["room_id", "round", "member", "kind"])
    op.create_index("ix_room_items_rev", "room_items", ["room_id", "rev"])
