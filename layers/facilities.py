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
        "entrance_of": pa.Column(checks=words(), nullable=True, required=False),
    },
)
"""Columns: id, service, name, tier, capacity, years opened and closed, status, venue, source.

A facility with several entrances has a row of its own, whose point is one of them, and a
row for each further one, with an id of its own and the facility's in ``entrance_of``,
which may be missing as a whole.
"""

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
    return found + _stray_entrances(facilities)


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


def owners(facilities: gpd.GeoDataFrame) -> pd.Series:
    """Id of the facility that each row is, or is an entrance of."""
    if "entrance_of" not in facilities:
        return pd.Series(facilities["id"])
    further = facilities["entrance_of"]
    return pd.Series(facilities["id"].where(further.isna(), further), name="id")


def open_in(
    facilities: gpd.GeoDataFrame, year: int | None = None, *, entrances: bool = False
) -> gpd.GeoDataFrame:
    """Select the facilities that give their service at the end of a year.

    Only existing ones count: neither planned ones nor candidates. One without a year of
    opening has been there always; one that closes in a year is gone at its end.

    Parameters
    ----------
    facilities
        Facility layer.
    year
        Calendar year; without one, those that have not closed.
    entrances
        Also select the further entrances that are open then, of facilities that are.
    """
    chosen = facilities[_standing(facilities, year)]
    if "entrance_of" not in facilities:
        return chosen
    first = chosen["entrance_of"].isna()
    if not entrances:
        return chosen[first]
    return chosen[first | chosen["entrance_of"].isin(chosen.loc[first, "id"])]


def _standing(facilities: gpd.GeoDataFrame, year: int | None) -> pd.Series:
    standing = facilities["status"] == "existing"
    if year is None:
        return pd.Series(standing & facilities["closed"].isna())
    begun = (facilities["opened"] <= year).fillna(value=True)
    gone = (facilities["closed"] <= year).fillna(value=False)
    return pd.Series(standing & begun & ~gone)


def _stray_entrances(facilities: gpd.GeoDataFrame) -> list[Finding]:
    """Entrances of nothing, of an entrance, or of a facility of another service."""
    if "entrance_of" not in facilities:
        return []
    first = facilities[facilities["entrance_of"].isna()].set_index("id")["service"]
    further = facilities[facilities["entrance_of"].notna()]
    wrong = further["entrance_of"].map(first) != further["service"]
    if not wrong.any():
        return []
    return [
        Finding(
            layer="facilities",
            code="entrance_astray",
            severity="error",
            rows=tuple(further.loc[wrong, "id"]),
        )
    ]
