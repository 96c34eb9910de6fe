"""A city in a schema of a PostGIS database: a table a layer, and one that tells of them.

Everything is written in one transaction, into new tables that take the old ones' names
at its end: whoever reads meanwhile, and whatever breaks off, sees a whole city.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from layers.database import Address, Session, read_table, session, write_table
from layers.errors import CityDamagedError, CityMissingError, InputError
from layers.messages import text

HEAD = "city"
"""Name of the table that tells of the others."""

_COLUMNS = {"format": "int4", "head": "jsonb", "layers": "jsonb"}
_FORMAT = 1

Contents = tuple[dict[str, Any], dict[str, dict[str, Any]], dict[str, gpd.GeoDataFrame]]


def read(address: Address, names: Sequence[str]) -> Contents:
    """Read a city out of a schema.

    Parameters
    ----------
    address
        Database and schema.
    names
        Layers there may be.

    Returns
    -------
    Its head (name, reference system), what is stated of each layer, and the layers as
    the tables hold them, for the caller to hold against their `checksum`.

    Raises
    ------
    CityMissingError
        The schema holds no city, or a layer's table is gone.
    CityDamagedError
        The table that tells of the layers was changed by hand.
    CityError
        The database refuses.
    """
    with session(address) as db:
        head, told = _stated(db, address, names)
        return head, told, {key: _layer(db, address, key) for key in told}


def stated(address: Address, names: Sequence[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read what a schema tells of a city, without its layers.

    Parameters
    ----------
    address, names
        As `read` takes them.

    Returns
    -------
    Its head and what is stated of each layer.

    Raises
    ------
    CityError
        As `read` raises it.
    """
    with session(address) as db:
        return _stated(db, address, names)


def _stated(
    db: Session, address: Address, names: Sequence[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    schema = address.schema
    if db.columns(schema, HEAD) != _COLUMNS:
        raise CityMissingError(text("error.database_no_city", address=str(address)))
    # A save moves this table out of the way first, so none comes between what follows.
    db.run("LOCK TABLE {place} IN ACCESS SHARE MODE", place=(schema, HEAD))
    rows = db.run("SELECT format, head, layers FROM {place}", place=(schema, HEAD))
    if len(rows) != 1 or rows[0][0] != _FORMAT or not set(rows[0][2]) <= set(names):
        table = f"{schema}.{HEAD}"
        raise CityDamagedError(
            text("error.database_table_changed", address=str(address), table=table)
        )
    _, head, told = rows[0]
    return head, told


def write(
    address: Address,
    head: Mapping[str, Any],
    stated: Mapping[str, Mapping[str, Any]],
    layers: Mapping[str, gpd.GeoDataFrame],
    *,
    names: Sequence[str],
) -> None:
    """Write a city into a schema, whole or not at all; a city there is replaced.

    Parameters
    ----------
    address
        Database and schema; the schema is db if it is not there.
    head, stated
        What `read` gives back.
    layers
        The layers in EPSG:4326.
    names
        Layers there may be: tables of these names belong to the city.

    Raises
    ------
    InputError
        A table of that name is there and belongs to no city, or something else in the
        database depends on a table to be replaced.
    CityError
        The database refuses; what was there is unchanged.
    """
    schema = address.schema
    with session(address) as db:
        if not db.run("SELECT 1 FROM pg_namespace WHERE nspname = %s", schema):
            db.run("CREATE SCHEMA {schema}", schema=schema)
        # One save at a time; the lock ends with the transaction.
        db.run("SELECT pg_advisory_xact_lock(hashtext(%s))::text", f"city:{schema}")
        there = set(db.tables(schema)) & {HEAD, *names}
        if there and db.columns(schema, HEAD) != _COLUMNS:
            found = ", ".join(sorted(there))
            raise InputError(text("error.database_in_the_way", address=str(address), found=found))
        for key, layer in layers.items():
            write_table(db, schema, _new(key), layer)
        db.run(
            "CREATE TABLE {place} (format integer, head jsonb, layers jsonb)",
            place=(schema, _new(HEAD)),
        )
        db.run(
            "INSERT INTO {place} VALUES (%s::integer, %s::jsonb, %s::jsonb)",
            _FORMAT,
            json.dumps(dict(head), ensure_ascii=False),
            json.dumps({key: dict(entry) for key, entry in stated.items()}, ensure_ascii=False),
            place=(schema, _new(HEAD)),
        )
        _swap(db, address, [HEAD, *names], there=there, fresh={HEAD, *layers})


def checksum(layer: gpd.GeoDataFrame) -> str:
    """SHA-256 of a layer's content, whatever its tables or files store it as.

    Column for column its name, which rows are missing, and the values: numbers as
    doubles or 64-bit integers, little-endian; words in UTF-8; geometry as WKB.

    Examples
    --------
    >>> layer = gpd.GeoDataFrame({"people": [3]}, geometry=[shapely.Point(120, 30)], crs=4326)
    >>> checksum(layer) == checksum(layer.astype({"people": "Int64"}))
    True
    """
    digest = hashlib.sha256()
    frame = pd.DataFrame(layer.drop(columns=layer.geometry.name)).assign(label=layer.index)
    columns: dict[str, Any] = {name: _content(frame[name]) for name in sorted(frame.columns)}
    columns["geometry"] = shapely.to_wkb(layer.geometry.to_numpy(), byte_order=1).tolist()
    for name, values in columns.items():
        digest.update(f"{name}:{len(layer)}:".encode())
        if isinstance(values, bytes):
            digest.update(values)
            continue
        sizes = np.array([-1 if value is None else len(value) for value in values], dtype="<i8")
        digest.update(sizes.tobytes())
        digest.update(b"".join(value for value in values if value is not None))
    return digest.hexdigest()


def _content(values: pd.Series) -> bytes | list[bytes | None]:
    kind = values.dtype.kind
    missing = values.isna()
    if kind in "biuf":
        stored = {"b": "u1", "f": "<f8"}.get(kind, "<i8")
        numbers = values.fillna(0).to_numpy(stored)
        return missing.to_numpy("u1").tobytes() + numbers.tobytes()
    return [
        None if gone else str(value).encode() for value, gone in zip(values, missing, strict=True)
    ]


def _layer(db: Session, address: Address, key: str) -> gpd.GeoDataFrame:
    if not db.columns(address.schema, key):
        raise CityMissingError(
            text("error.database_layer_missing", address=str(address), table=key)
        )
    frame = read_table(db, address.schema, key, order="row")
    if "label" not in frame:
        return frame
    labels = pd.Index(frame.pop("label").tolist())
    return frame.set_index(labels)


def _new(key: str) -> str:
    return f"{key}__new"


def _swap(
    db: Session, address: Address, every: Sequence[str], *, there: set[str], fresh: set[str]
) -> None:
    """Give the new tables the old ones' names. The first goes first: readers lock it."""
    schema = address.schema
    try:
        for key in every:
            if key in there:
                db.run("DROP TABLE {place}", place=(schema, key))
    except db.driver.errors.DependentObjectsStillExist as wrong:
        told = wrong.diag.message_detail or str(wrong)
        raise InputError(
            text("error.database_depended_on", address=str(address), found=" ".join(told.split()))
        ) from None
    for key in every:
        if key not in fresh:
            continue
        db.run("ALTER TABLE {old} RENAME TO {new}", old=(schema, _new(key)), new=key)
        for part in ("row", "geometry") if key != HEAD else ():
            db.run(
                "ALTER INDEX {old} RENAME TO {new}",
                old=(schema, f"{_new(key)}_{part}"),
                new=f"{key}_{part}",
            )
