"""Which area a place is: by its name, four numbers, or a file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import shapely

from layers.crs import GEOGRAPHIC, measuring_crs
from layers.errors import SourceError, UnknownNameError
from layers.messages import text
from layers.sources.files import Source
from layers.sources.modelled.townships import districts

_HANGZHOU = ("hangzhou", "杭州", "杭州市")
_ENDINGS = (" district", " county", " city")
_NUMBERS = 4


@dataclass(frozen=True, kw_only=True)
class Place:
    """A place to be downloaded.

    Attributes
    ----------
    key
        What its files are called.
    name, name_en
        What it is called.
    area
        Polygon in EPSG:4326.
    known
        Whether it is one of the program's own, whose units are those within it.
    """

    key: str
    name: str
    name_en: str
    area: Any
    known: bool

    def wide(self, margin: float) -> Any:
        """Area with so many metres around it."""
        if not margin:
            return self.area
        shape = gpd.GeoSeries([self.area], crs=GEOGRAPHIC)
        return shape.to_crs(measuring_crs(shape)).buffer(margin).to_crs(GEOGRAPHIC).iloc[0]


def find(place: str, area: str = "") -> Place:
    """Find a place.

    Parameters
    ----------
    place
        Hangzhou or one of its districts, in Chinese or English; any name with an area.
    area
        ``west,south,east,north`` in degrees, or a file of polygons; empty for a place
        that is known by its name.

    Raises
    ------
    UnknownNameError
        The place is not known and no area is given.
    SourceError
        The area is neither.

    Examples
    --------
    >>> find("hangzhou").name, find("西湖区").name_en
    ('杭州市', 'Xihu District')
    """
    key = "".join(letter if letter.isalnum() else "-" for letter in place.lower()).strip("-")
    if area:
        return Place(key=key or "area", name=place, name_en=place, area=_area(area), known=False)
    shapes = districts()
    if place.lower() in _HANGZHOU:
        whole = shapely.union_all(shapes.geometry.array)
        return Place(key="hangzhou", name="杭州市", name_en="Hangzhou", area=whole, known=True)
    names: dict[str, Any] = {}
    for row in shapes.itertuples():
        english = row.name_en.lower()
        short = next((english.removesuffix(end) for end in _ENDINGS if english.endswith(end)), "")
        names |= dict.fromkeys((row.name, row.name[:-1], english, short), row)
    found = names.get(place.lower())
    if found is None or not place:
        known = ", ".join(["hangzhou", *shapes["name"]])
        raise UnknownNameError(text("error.place_unknown", found=place, known=known))
    return Place(
        key=found.name_en.split()[0].lower(),
        name=found.name,
        name_en=found.name_en,
        area=found.geometry,
        known=True,
    )


def _area(words: str) -> Any:
    parts = words.split(",")
    if len(parts) == _NUMBERS and not Path(words).exists():
        try:
            west, south, east, north = map(float, parts)
        except ValueError as wrong:
            raise SourceError(text("error.area_wrong", found=words)) from wrong
        if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):  # noqa: PLR2004 - degrees
            raise SourceError(text("error.area_wrong", found=words))
        return shapely.box(west, south, east, north)
    shapes = Source.parse(words).read_features().to_crs(GEOGRAPHIC).geometry
    whole = shapely.union_all(shapely.make_valid(shapes[shapes.notna()].array))
    if whole.is_empty or not whole.area > 0:
        raise SourceError(text("error.area_file", path=words))
    return whole
