"""A PostGIS database: its address, a connection to it, tables read and written.

The driver is psycopg, an optional part of the installation: it follows libpq's rules on
password files, services and encryption, as database offices set them up. Passwords are
never shown: an `Address` leaves them out of its words, and the driver's complaints are
passed on without them.
"""

import importlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from layers.crs import GEOGRAPHIC, known
from layers.errors import CityError, CrsError, PlannerError
from layers.messages import text

_SCHEMES = ("postgresql", "postgres")
_SPATIAL = ("geometry", "geography")
_WHOLE = ("int2", "int4", "int8")
_REAL = ("float4", "float8", "numeric")
_SHOWN = 12

_PLACE = re.compile(r"(?P<host>\[[^]]*\]|[^:]*)(:(?P<port>\d+))?")


@dataclass(frozen=True, repr=False)
class Address:
    """Where a database is, and which schema or table of it is meant.

    Attributes
    ----------
    settings
        What the driver connects with, the password among it.
    schema, table
        The schema (``public`` unless said) and the table, empty for none.

    Examples
    --------
    >>> Address.parse("postgresql://planner:secret@db.example/gis?schema=hangzhou")
    postgresql://planner@db.example/gis?schema=hangzhou
    """

    settings: Mapping[str, str] = field(default_factory=dict)
    schema: str = "public"
    table: str = ""

    @classmethod
    def parse(cls, words: str) -> Self:
        """Read ``postgresql://user[:password]@host[:port]/database[?schema=…&table=…]``.

        Other settings of libpq (``sslmode``, ``passfile``, …) may stand in the query.

        Raises
        ------
        CityError
            It is no such address. What was written is not repeated: a password with a
            character that should have been encoded may lie anywhere in it.
        """
        try:
            parts = urlsplit(words)
            asked = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
        except ValueError as wrong:
            raise CityError(text("error.database_address")) from wrong
        login, _, place = parts.netloc.rpartition("@")
        user, _, password = login.partition(":")
        located = _PLACE.fullmatch(place)
        misread = "@" in parts.path or "/" in parts.path[1:] or parts.fragment
        if parts.scheme not in _SCHEMES or misread or located is None:
            raise CityError(text("error.database_address"))
        query = dict(asked)
        schema, table = query.pop("schema", "") or "public", query.pop("table", "")
        given = {
            "user": unquote(user),
            "password": unquote(password),
            "host": unquote(located["host"]).strip("[]"),
            "port": located["port"] or "",
            "dbname": unquote(parts.path[1:]),
        }
        return cls(
            {**{key: value for key, value in given.items() if value}, **query}, schema, table
        )

    @property
    def name(self) -> str:
        """The table's name, else the schema's, else the database's."""
        own = "" if self.schema == "public" else self.schema
        return self.table or own or self.settings.get("dbname", "")

    def without_secrets(self, words: str) -> str:
        """Words with every password of the address blotted out."""
        for key, value in self.settings.items():
            if "password" in key and value:
                words = words.replace(value, "***")
        return words

    def __str__(self) -> str:
        shown = {key: quote(value, safe="") for key, value in self.settings.items()}
        user = f"{shown['user']}@" if "user" in shown else ""
        port = f":{shown['port']}" if "port" in shown else ""
        table = f"&table={quote(self.table)}" if self.table else ""
        place = f"{user}{shown.get('host', '')}{port}/{shown.get('dbname', '')}"
        return f"postgresql://{place}?schema={quote(self.schema)}{table}"

    __repr__ = __str__


def located(words: str | os.PathLike[str] | Address) -> Path | Address:
    """Tell a database's address from a path.

    Raises
    ------
    CityError
        It begins as an address and is none.

    Examples
    --------
    >>> located("postgresql://planner@localhost/gis?schema=hangzhou").schema
    'hangzhou'
    >>> located("cities/hangzhou").name
    'hangzhou'
    """
    if isinstance(words, Address):
        return words
    if isinstance(words, str) and words.startswith(tuple(f"{name}://" for name in _SCHEMES)):
        return Address.parse(words)
    return Path(words)


@dataclass(frozen=True)
class Session:
    """A connection within one transaction.

    Attributes
    ----------
    connection
        The driver's.
    driver
        The module psycopg.
    spatial
        Schema that PostGIS is installed in.
    """

    connection: Any
    driver: Any
    spatial: str

    def run(self, statement: str, *values: Any, **names: str | tuple[str, ...]) -> list[Any]:
        """Run a statement; ``{names}`` in it are quoted as identifiers.

        Returns
        -------
        The rows, none where the statement gives none.
        """
        composed = self.compose(statement, **names)
        with self.connection.cursor(binary=True) as cursor:
            cursor.execute(composed, values or None)
            return list(cursor.fetchall()) if cursor.description else []

    def compose(self, statement: str, **names: str | tuple[str, ...]) -> Any:
        """Put names into a statement as identifiers."""
        sql = importlib.import_module("psycopg.sql")
        quoted = {
            key: sql.Identifier(*((name,) if isinstance(name, str) else name))
            for key, name in names.items()
        }
        return sql.SQL(statement).format(**quoted)

    def tables(self, schema: str) -> list[str]:
        """Names of the tables and views of a schema that may be read."""
        found = self.run(
            "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = %s AND c.relkind IN ('r', 'v', 'm', 'f', 'p') ORDER BY 1",
            schema,
        )
        return [name for (name,) in found]

    def columns(self, schema: str, table: str) -> dict[str, str]:
        """Columns of a table in their order, each with its type's name."""
        return dict(
            self.run(
                "SELECT a.attname::text, t.typname::text FROM pg_attribute a"
                " JOIN pg_class c ON c.oid = a.attrelid"
                " JOIN pg_namespace n ON n.oid = c.relnamespace"
                " JOIN pg_type t ON t.oid = a.atttypid"
                " WHERE n.nspname = %s AND c.relname = %s AND a.attnum > 0"
                " AND NOT a.attisdropped ORDER BY a.attnum",
                schema,
                table,
            )
        )


@contextmanager
def session(address: Address, *, fault: type[PlannerError] = CityError) -> Iterator[Session]:
    """Connect for one transaction, done at the end of the block or not at all.

    Parameters
    ----------
    address
        The database.
    fault
        What is raised when the database refuses.

    Raises
    ------
    PlannerError
        Of the kind `fault`: no driver, no connection, no PostGIS, or the database
        refused a statement; the message tells which.
    """
    try:
        driver = importlib.import_module("psycopg")
    except ImportError as missing:
        raise fault(text("error.database_no_driver")) from missing

    def told(key: str, wrong: Exception) -> PlannerError:
        reason = " ".join(address.without_secrets(str(wrong)).split())
        return fault(text(key, address=str(address), reason=reason))

    try:
        opened = driver.connect(**{"connect_timeout": "15", **address.settings})
    except (driver.Error, ValueError) as wrong:
        # Without the driver's own traceback: it holds what was connected with.
        raise told("error.database_connect", wrong) from None
    try:
        with opened as connection:
            db = Session(connection, driver, "")
            home = db.run(
                "SELECT n.nspname::text FROM pg_extension e"
                " JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'postgis'"
            )
            if not home:
                raise fault(text("error.database_no_postgis", address=str(address)))
            yield Session(connection, driver, home[0][0])
    except driver.Error as wrong:
        raise told("error.database_refused", wrong) from None


def read_table(db: Session, schema: str, table: str, *, order: str = "") -> pd.DataFrame:
    """Read a table whole.

    Parameters
    ----------
    db
        The session.
    schema, table
        Which.
    order
        Column to order the rows by, which is left out of the result.

    Returns
    -------
    A column a column, a GeoDataFrame where one holds geometry (the first such becomes
    the geometry, others are left out). Whole numbers with gaps are ``Int64``; words and
    all other types are strings or None.

    Raises
    ------
    CrsError
        Rows lie in several reference systems, or in one the database does not know.
    """
    types = db.columns(schema, table)
    spatial: str | None = next((name for name, kind in types.items() if kind in _SPATIAL), None)
    wanted = [name for name, kind in types.items() if name == spatial or kind not in _SPATIAL]
    asked = ", ".join(f"{{c{n}}}{_cast(types[name])}" for n, name in enumerate(wanted))
    names: dict[str, Any] = {f"c{n}": name for n, name in enumerate(wanted)}
    ordered = " ORDER BY {order}" if order else ""
    if order:
        names["order"] = order
    rows = db.run(f"SELECT {asked} FROM {{place}}{ordered}", place=(schema, table), **names)  # noqa: S608 - names are quoted by the driver
    cells = list(zip(*rows, strict=True)) or [()] * len(wanted)
    columns = {
        name: _typed(values, types[name])
        for name, values in zip(wanted, cells, strict=True)
        if name not in {order, spatial}
    }
    frame = pd.DataFrame(columns, index=pd.RangeIndex(len(rows)))
    if spatial is None:
        return frame
    shapes = shapely.from_wkb(np.array(cells[wanted.index(spatial)], dtype=object))
    layer: pd.DataFrame = gpd.GeoDataFrame(frame, geometry=shapes, crs=_system(db, table, shapes))
    return layer


def write_table(db: Session, schema: str, table: str, layer: gpd.GeoDataFrame) -> None:
    """Make a table of a layer in EPSG:4326, its rows numbered in the column ``row``.

    The geometry has an index. Labels of rows that are not 0, 1, 2, … are kept in the
    column ``label``.
    """
    kinds = layer.geometry.geom_type.dropna().unique()
    kind = kinds[0] if len(kinds) == 1 else "Geometry"
    frame = pd.DataFrame(layer.drop(columns=layer.geometry.name))
    if not frame.index.equals(pd.RangeIndex(len(frame))):
        frame.insert(0, "label", frame.index)
    types = {name: _sql_type(frame[name]) for name in frame.columns}
    listed = "".join(f", {{c{n}}} {kind}" for n, kind in enumerate(types.values()))
    names: dict[str, Any] = {f"c{n}": name for n, name in enumerate(types)}
    place = (schema, table)
    db.run(
        f"CREATE TABLE {{place}} (row bigint CONSTRAINT {{key}} PRIMARY KEY{listed},"
        f" geometry {{spatial}}.geometry({kind}, {GEOGRAPHIC.to_epsg()}))",
        place=place,
        key=f"{table}_row",
        spatial=db.spatial,
        **names,
    )
    shapes = shapely.to_wkb(
        shapely.set_srid(layer.geometry.to_numpy(), GEOGRAPHIC.to_epsg()),
        hex=True,
        include_srid=True,
    )
    cells = [range(len(frame)), *(_cells(frame[name]) for name in types), shapes]
    asked = "".join(f", {{c{n}}}" for n in range(len(types)))
    copied = db.compose(f"COPY {{place}} (row{asked}, geometry) FROM STDIN", place=place, **names)
    with db.connection.cursor() as cursor, cursor.copy(copied) as copy:
        for row in zip(*cells, strict=True):
            copy.write_row(row)
    db.run(
        "CREATE INDEX {key} ON {place} USING gist (geometry)", key=f"{table}_geometry", place=place
    )


def absent(db: Session, schema: str, table: str) -> str:
    """Tell that a table is not there, and which are."""
    there = db.tables(schema)
    found = ", ".join(there[:_SHOWN]) + (", …" if len(there) > _SHOWN else "")
    return text("error.database_no_table", table=f"{schema}.{table}", found=found or "–")


def _cast(kind: str) -> str:
    if kind in _SPATIAL:
        return "::bytea"
    if kind == "numeric":
        return "::float8"
    return "" if kind in {*_WHOLE, *_REAL, "bool"} else "::text"


def _typed(values: Sequence[Any], kind: str) -> pd.Series:
    missing = any(value is None for value in values)
    if kind in _WHOLE:
        return pd.Series(values, dtype="Int64" if missing else "int64")
    if kind in _REAL:
        return pd.Series(values, dtype="float64")
    if kind == "bool":
        return pd.Series(values, dtype="boolean" if missing else "bool")
    return pd.Series(values, dtype="object")


def _system(db: Session, table: str, shapes: Any) -> Any:
    """Tell the reference system by the number that each geometry carries; None for none."""
    numbers = {int(number) for number in np.unique(shapely.get_srid(shapes[shapes != None]))}  # noqa: E711 - elementwise
    if numbers <= {0}:
        return None
    if len(numbers) > 1:
        found = ", ".join(map(str, sorted(numbers)))
        raise CrsError(text("error.database_many_crs", table=table, found=found))
    number = numbers.pop()
    stated = db.run(
        "SELECT auth_name::text, auth_srid FROM {place} WHERE srid = %s",
        number,
        place=(db.spatial, "spatial_ref_sys"),
    )
    authority, code = stated[0] if stated and all(stated[0]) else ("EPSG", number)
    return known(f"{authority}:{code}")


def _sql_type(values: pd.Series) -> str:
    kind = values.dtype.kind
    if kind == "b":
        return "boolean"
    if kind in "iu":
        return "bigint"
    return "double precision" if kind == "f" else "text"


def _cells(values: pd.Series) -> list[Any]:
    return values.astype("object").where(values.notna(), None).tolist()
