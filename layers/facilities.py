"""The facilities: places that give a service, with the years they are open."""

from typing import Any, Literal, get_args

import geopandas as gpd
import pandas as pd
import pandera.pandas as pa

from layers.findings import Finding
from layers.schema import (
    conformed,
    finite_not_negative,
    layer_findings,
    one_of,
    words,
    years,
)

Status = Literal["existing", "planned", "candidate"]
STATUSES: tuple[Status, ...] = get_args(Status)

SCHEMA = pa.DataFrameSchema(
    {
        "id": pa.Column(checks=words(), unique=True),
        "service": pa.Column(checks=words()),
        "name": pa.Column(checks=words()),
        "tier": pa.Column(checks=words()),
        "capacity": pa.Column("float64", finite_not_negative(), nullable=True),
        "opened": pa.Column("Int64", years(), nullable=True),
        "closed": pa.Column("Int64", years(), nullable=True),
        "status": pa.Column(checks=one_of(STATUSES)),
        "venue": pa.Column(checks=words()),
        "source": pa.Column(checks=words()),
    },
)
"""Columns: id, service, name, tier, capacity, years opened and closed, status, venue, source."""

_DEFAULTS: dict[str, Any] = {
    "name": "",
    "tier": "",
    "capacity": float("nan"),
    "opened": pd.NA,
    "closed": pd.NA,
    "status": "existing",
    "venue": "",
    "source": "",
}


def conform(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Make a facility layer with every column in its type, in EPSG:4326.

    Parameters
    ----------
    frame
        At least ``id``, ``service`` and point geometry.
    """
    return conformed(frame, SCHEMA, _DEFAULTS)


def check(facilities: gpd.GeoDataFrame) -> list[Finding]:
    """Find what stops the work: schema, geometry, repeated ids, impossible years."""
    found = layer_findings(
        "facilities",
        facilities,
        SCHEMA,
        kinds=("Point",),
        may_be_empty=True,
        label="id",
    )
    if any(finding.severity == "error" for finding in found):
        return found
    early = (facilities["closed"] < facilities["opened"]).fillna(value=False)
    if early.any():
        found.append(
            Finding(
                layer="facilities",
                code="years_impossible",
                severity="error",
                rows=tuple(facilities.loc[early, "id"]),
            )
        )
    return found


def review(facilities: gpd.GeoDataFrame, services: tuple[str, ...]) -> list[Finding]:
    """Find facilities of services that nobody knows.

    Parameters
    ----------
    facilities
        Valid facility layer.
    services
        Keys of the known services.
    """
    unknown = ~facilities["service"].isin(services)
    if not unknown.any():
        return []
    values = {
        "found": ", ".join(sorted(set(facilities.loc[unknown, "service"]))),
        "known": ", ".join(services),
    }
    rows = tuple(facilities.loc[unknown, "id"])
    return [
        Finding(
            layer="facilities", code="service_unknown", severity="error", rows=rows, values=values
        )
    ]


def open_in(facilities: gpd.GeoDataFrame, year: int | None = None) -> gpd.GeoDataFrame:
    """Select the facilities that give their service at the end of a year.

    Only existing ones count: neither planned ones nor candidates. One without a year of
    opening has been there always; one that closes in a year is gone at its end.

    Parameters
    ----------
    facilities
        Facility layer.
    year
        Calendar year; without one, those that have not closed.
    """
    standing = facilities["status"] == "existing"
    if year is None:
        return facilities[standing & facilities["closed"].isna()]
    begun = (facilities["opened"] <= year).fillna(value=True)
    gone = (facilities["closed"] <= year).fillna(value=False)
    return facilities[standing & begun & ~gone]
