"""The tables of the run store. A change here is also the next revision in ``migrations``."""

import sqlalchemy as sa

metadata = sa.MetaData()


class Text(sa.TypeDecorator[str]):
    """Text without the character NUL, which Postgres cannot hold; U+FFFD stands in its place, as on web pages."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        return value and value.replace("\0", "\ufffd")


runs = sa.Table(
    "runs",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),  # the order of creation: clocks can tie or jump back
    sa.Column("id", sa.String(16), nullable=False, unique=True),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("spec", Text, nullable=False),
    sa.Column("state", sa.String(16), nullable=False, index=True),
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("started", sa.Float),
    sa.Column("finished", sa.Float),
    sa.Column("heartbeat", sa.Float),
    sa.Column("progress", Text, nullable=False, default="{}"),
    sa.Column("result", Text, nullable=False, default="{}"),
    sa.Column("error", Text, nullable=False, default=""),
    sa.Column("seed", sa.Integer, nullable=False),
    sa.Column("versions", Text, nullable=False, default="{}"),
    sa.Column("data_hash", sa.String(64), nullable=False, default=""),
    sa.Column("attempt", sa.Integer, nullable=False, default=0),
    sa.Column("name", Text, nullable=False, default=""),
    sa.Column("note", Text, nullable=False, default=""),
    sa.Column("stop_requested", sa.Boolean, nullable=False, default=False),
    sa.Column("deleted", sa.Float),  # when; the undo and the purge need it
    sa.Column("worker", Text, nullable=False, default=""),
    sa.Column("host", Text, nullable=False, default=""),
    sa.Column("process", Text, nullable=False, default=""),
    # How often in a row its process was lost without having got further.
    sa.Column("lost", sa.Integer, nullable=False, default=0, server_default="0"),
    sa.Column("owner", sa.String(64), nullable=False, default="", server_default="", index=True),
    # The comparison that began it; "" for most.
    sa.Column("parent", sa.String(16), nullable=False, default="", server_default="", index=True),
    # What the list says of it, as JSON: follows from the other columns, see ``listing``; "" until it is first listed.
    sa.Column("card", Text, nullable=False, default="", server_default=""),
    # Where it came from, as the JSON of a ``Provenance``; "" where it was simply asked for here.
    sa.Column("provenance", Text, nullable=False, default="", server_default=""),
    sqlite_autoincrement=True,  # a purged run's number is never given again
)

points = sa.Table(
    "points",
    metadata,
    sa.Column("run_id", sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("series", Text, nullable=False),
    sa.Column("x", sa.Float, nullable=False),
    sa.Column("loss", sa.Float),
    sa.Column("accuracy", sa.Float),
    sa.Column("elapsed_s", sa.Float, nullable=False),
    sqlite_with_rowid=False,  # the key is the order they are read in
)

cells = sa.Table(
    "cells",
    metadata,
    sa.Column("run_id", sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("target", sa.String(32), primary_key=True),
    sa.Column("source", sa.String(64), primary_key=True),
    sa.Column("cut", sa.String(64), primary_key=True),
    sa.Column("method", sa.String(32), primary_key=True),
    sa.Column("per_class", sa.Integer, primary_key=True),
    sa.Column("seed", sa.Integer, primary_key=True),
    sa.Column("score", sa.Float),
    sa.Column("train_score", sa.Float),
    sa.Column("n_test", sa.Integer, nullable=False),
    sa.Column("n_features", sa.Integer, nullable=False),
    sa.Column("fit_s", sa.Float, nullable=False),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("multiply_adds", sa.Float),
    sa.Column("error", sa.Text, nullable=False),
    sqlite_with_rowid=False,
)

rooms = sa.Table(
    "rooms",
    metadata,
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("code", sa.String(8), nullable=False, unique=True),
    sa.Column("key", sa.String(32), nullable=False),  # what the address in the QR code has and nobody types
    sa.Column("owner", sa.String(64), nullable=False),
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("closed", sa.Float),
    sa.Column("paused", sa.Boolean, nullable=False),
    sa.Column("names", sa.Boolean, nullable=False),  # whether the wall shows nicknames
    sa.Column("round", sa.Integer, nullable=False),  # counts what the phones were asked to do
    sa.Column("activity", Text, nullable=False),  # what they are asked now, as JSON
    sa.Column("rev", sa.Integer, nullable=False),  # counts the changes of everything in the room
)

room_members = sa.Table(
    "room_members",
    metadata,
    sa.Column("room_id", sa.ForeignKey("rooms.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("person", sa.String(64), nullable=False),
    sa.Column("name", Text, nullable=False),
    sa.Column("hidden", sa.Boolean, nullable=False),  # the name, by the host
    sa.Column("removed", sa.Float),
    sa.Column("seen", sa.Float, nullable=False),
    sa.UniqueConstraint("room_id", "person", name="uq_room_members_person"),
)

room_items = sa.Table(
    "room_items",
    metadata,
    sa.Column("room_id", sa.ForeignKey("rooms.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("member", sa.Integer, nullable=False),
    sa.Column("round", sa.Integer, nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("label", Text, nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Column("answers", Text, nullable=False),  # as JSON: what each network read
    sa.Column("removed", sa.Float),
    sa.Column("rev", sa.Integer, nullable=False),  # the room's, when this last changed
    sa.Index("ix_room_items_whose", "room_id", "round", "member", "kind"),
    sa.Index("ix_room_items_rev", "room_id", "rev"),
)

switches = sa.Table(
    "switches",
    metadata,
    sa.Column("name", sa.String(32), primary_key=True),
    sa.Column("value", Text, nullable=False),
)

tokens = sa.Table(
    "tokens",
    metadata,
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("sha256", sa.String(64), nullable=False, unique=True),  # of the token, which is kept nowhere
    sa.Column("person", sa.String(64), nullable=False, index=True),
    sa.Column("host", sa.Boolean, nullable=False),
    sa.Column("name", Text, nullable=False),
    sa.Column("made", sa.Float, nullable=False),
    sa.Column("used", sa.Float),
)
