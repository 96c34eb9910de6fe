"""Tables of the store, as the newest migration leaves them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect


class Moment(sa.types.TypeDecorator[datetime]):
    """A moment in UTC; databases without time zones keep it without one."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """To the database: UTC, without a zone."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """From the database: UTC."""
        return None if value is None else value.replace(tzinfo=UTC)


METADATA = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

# What a record is now: no more than points to its newest revision.
RECORDS = sa.Table(
    "records",
    METADATA,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("kind", sa.String(32), nullable=False, index=True),
    sa.Column("city", sa.Text, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("deleted", sa.Boolean, nullable=False),
    sa.Column("other_of", sa.String(32), sa.ForeignKey("records.id")),
)

# Only ever added to.
REVISIONS = sa.Table(
    "revisions",
    METADATA,
    sa.Column("record", sa.String(32), sa.ForeignKey("records.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("action", sa.String(16), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
)

# Who may enter. Nothing here goes into a backup: a lost copy of it would be a lost key.
USERS = sa.Table(
    "users",
    METADATA,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("role", sa.String(16), nullable=False),
    # Hash of the password; none for those who come in by OAuth alone.
    sa.Column("password", sa.Text),
    # Anew with each change of the password: a cookie that carries another is worth nothing.
    sa.Column("stamp", sa.String(32), nullable=False),
    sa.Column("since", Moment, nullable=False),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("locked_until", Moment),
)

# Work that is done beside the server.
JOBS = sa.Table(
    "jobs",
    METADATA,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("kind", sa.String(32), nullable=False),
    # Where the city lies, without secrets: whoever serves another leaves the job alone.
    sa.Column("city", sa.Text, nullable=False),
    sa.Column("asked", sa.Text, nullable=False),
    sa.Column("lang", sa.String(8), nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("state", sa.String(16), nullable=False, index=True),
    sa.Column("share", sa.Float),
    sa.Column("told", sa.Text, nullable=False),
    sa.Column("result", sa.Text, nullable=False),
    sa.Column("made", Moment, nullable=False),
    sa.Column("begun", Moment),
    sa.Column("ended", Moment),
    # When its runner was last known to be at work, and which runner that is.
    sa.Column("beat", Moment),
    sa.Column("runner", sa.Text, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("stop", sa.Boolean, nullable=False),
)
