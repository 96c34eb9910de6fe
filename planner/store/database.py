"""The store's database: a file of SQLite or a PostgreSQL, brought to its newest form."""

from __future__ import annotations

import importlib
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from platformdirs import user_data_path

from layers.database import Address, located
from layers.errors import StoreError
from layers.messages import text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Seconds that a writer waits for another.
_PATIENCE_S = 30
# Any number, the same for all: who migrates a PostgreSQL holds it.
_MIGRATING = 7_316_255


def usual_place() -> str | Path:
    """Where the store lies unless told: ``PLANNER_STORE``, else a file in the user's folder."""
    told = os.environ.get("PLANNER_STORE")
    return told or user_data_path("coverage-planner") / "store.sqlite"


class Database:
    """A database with the store's tables.

    Parameters
    ----------
    place
        A file, or ``postgresql://user@host/database?schema=NAME``.

    Raises
    ------
    StoreError
        It cannot be opened or reached, or a newer version of the program wrote it.
    """

    def __init__(self, place: str | os.PathLike[str] | Address) -> None:
        self.place = located(place)
        self._engine = (
            _postgres(self.place) if isinstance(self.place, Address) else _sqlite(self.place)
        )
        try:
            self.migrate()
        except BaseException:
            self.close()
            raise

    @contextmanager
    def transaction(self, *, reading: bool = False) -> Iterator[sa.Connection]:
        """Connect for one transaction, done at the end of the block or not at all.

        Parameters
        ----------
        reading
            Nothing will be written, so that a file of SQLite need not be kept from others.

        Raises
        ------
        StoreError
            The database refuses; nothing has changed.
        """
        try:
            with self._engine.execution_options(reading=reading).begin() as connection:
                yield connection
        except sa.exc.DBAPIError as wrong:
            reason = " ".join(self._without_secrets(str(wrong.orig)).split())
            raise StoreError(text("store.refused", place=str(self.place), reason=reason)) from None

    def migrate(self, to: str = "head") -> None:
        """Bring the tables to a form: the newest, or that of an older version."""
        with self.transaction() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATING)))
            at, steps = self._form(connection), _steps()
            if at is not None and at not in {step.revision for step in steps.walk_revisions()}:
                raise StoreError(text("store.newer", place=str(self.place)))
            newest = steps.get_current_head()
            if at == (newest if to == "head" else to):
                return
            config = _config()
            config.attributes["connection"] = connection
            if at is not None and (to == "base" or to < at):
                command.downgrade(config, to)
            else:
                command.upgrade(config, to)

    @property
    def form(self) -> str:
        """Number of the newest step that the tables have been through."""
        with self.transaction(reading=True) as connection:
            return self._form(connection) or ""

    def close(self) -> None:
        """Give back every connection."""
        self._engine.dispose()

    def _form(self, connection: sa.Connection) -> str | None:
        return MigrationContext.configure(connection).get_current_revision()

    def _without_secrets(self, words: str) -> str:
        return self.place.without_secrets(words) if isinstance(self.place, Address) else words


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "planner.store:migrations")
    return config


def _steps() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _sqlite(path: Path) -> sa.Engine:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as wrong:
        reason = wrong.strerror or str(wrong)
        raise StoreError(text("store.refused", place=str(path), reason=reason)) from wrong
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(path)), connect_args={"timeout": _PATIENCE_S}
    )

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        # The driver's own transactions begin too late: two readers could not both write.
        connection.isolation_level = None
        # Whatever is acknowledged is on the disk, also after a power cut.
        for setting in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            connection.execute(f"PRAGMA {setting}")

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        reading = connection.get_execution_options().get("reading")
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


def _postgres(address: Address) -> sa.Engine:
    try:
        driver = importlib.import_module("psycopg")
    except ImportError as missing:
        raise StoreError(text("error.database_no_driver")) from missing

    def connect() -> Any:
        settings = {"connect_timeout": "15", **address.settings}
        connection = driver.connect(**settings)
        with connection.cursor() as cursor:
            schema = importlib.import_module("psycopg.sql").Identifier(address.schema)
            compose = importlib.import_module("psycopg.sql").SQL
            cursor.execute(compose("CREATE SCHEMA IF NOT EXISTS {}").format(schema))
            cursor.execute(compose("SET search_path TO {}").format(schema))
        connection.commit()
        return connection

    return sa.create_engine("postgresql+psycopg://", creator=connect, pool_pre_ping=True)
