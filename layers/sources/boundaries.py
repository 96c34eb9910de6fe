"""Units out of a file of areas."""

import geopandas as gpd
import pandas as pd

from layers import units
from layers.errors import SourceError
from layers.findings import refuse_errors
from layers.messages import text
from layers.resources import data_path
from layers.sources.columns import usual
from layers.sources.files import Source
from layers.units import LEVELS


def read(source: Source) -> gpd.GeoDataFrame:
    """Read the units of one level, or of all if the file says each one's level.

    Parameters
    ----------
    source
        File of areas; options ``level`` (of all; without it the file's column of that
        name, else ``district``), ``code``, ``name``, ``name_en``, ``parent`` (names of
        columns), ``layer``, ``crs``, ``datum``, ``encoding``.

    Returns
    -------
    Unit layer, not yet checked.

    Raises
    ------
    SourceError
        The file cannot be read, or lacks a code or a name.
    """
    source.allow("level", "code", "name", "name_en", "parent", "layer", "crs", "datum", "encoding")
    frame = source.in_wgs84(source.read_features())
    level = source.options.get("level", "district")
    if level not in LEVELS:
        raise SourceError(text("error.level_unknown", found=level, known=", ".join(LEVELS)))
    own = "level" in frame and "level" not in source.options
    made = gpd.GeoDataFrame(
        {
            "code": frame[source.column(frame, "code", usual("unit", "code"))],
            "name": frame[source.column(frame, "name", usual("unit", "name"))],
            "level": frame["level"] if own else level,
        },
        geometry=frame.geometry,
        crs=frame.crs,
    )
    for column in ("name_en", "parent"):
        if column in source.options or column in frame:
            made[column] = frame[source.column(frame, column, (column,))]
    return units.conform(made)


def join_levels(
    layers: list[gpd.GeoDataFrame], *, city_name: str, city_name_en: str
) -> gpd.GeoDataFrame:
    """One unit layer of several levels, each unit under its parent by code.

    Codes of GB/T 2260 nest: 330102001 lies in 330102, that in 3301. Where the districts
    share their city and no unit stands for it, it is added as their union.

    Raises
    ------
    LayerError
        A layer has findings that stop the work.
    """
    for layer in layers:
        # A parent may come with another layer.
        refuse_errors([one for one in units.check(layer) if one.code != "parent_unknown"])
    joined = pd.concat(layers, ignore_index=True)
    prefixes = set(joined.loc[joined["level"] == "district", "code"].str[:4])
    if "city" not in set(joined["level"]) and len(prefixes) == 1:
        districts = joined[joined["level"] == "district"]
        whole = gpd.GeoDataFrame(
            {
                "code": [f"{prefixes.pop()}00"],
                "name": [city_name],
                "name_en": [city_name_en],
                "level": ["city"],
                "parent": [None],
            },
            geometry=[districts.union_all()],
            crs=joined.crs,
        )
        joined = pd.concat([whole, joined], ignore_index=True)
    known = pd.read_csv(data_path("hangzhou", "districts.csv"), dtype="str", comment="#")
    english = dict(zip(known["code"], known["name_en"], strict=True))
    same = joined["name_en"] == joined["name"]
    joined.loc[same, "name_en"] = joined["code"].map(english).fillna(joined["name"])[same]
    codes = set(joined["code"])
    for row in joined.index[joined["parent"].isna()]:
        code = joined.at[row, "code"]  # noqa: PD008 - one value
        above = (f"{code[:4]}00", code[:6]) if len(code) == 6 else (code[:6], code[:9])  # noqa: PLR2004 - GB/T 2260
        joined.at[row, "parent"] = next((c for c in above if c in codes and c != code), None)  # noqa: PD008
    return units.conform(joined)
