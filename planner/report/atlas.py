"""Maps of a report: units shaded by rate, people not served, facilities."""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from layers.messages import text
from planner import wording
from planner.maps import colours, shapes
from planner.report.canvas import INK, QUIET, WIDTH_CM, canvas, png, silence, wrapped
from planner.report.labels import place_labels

if TYPE_CHECKING:
    from datetime import datetime

    import geopandas as gpd
    from matplotlib.figure import Figure

    from layers import City
    from layers.messages import Language
    from layers.units import Level
    from planner.report.model import Map

_LEGEND_CM, _FOOT_LINE_CM, _RIM_CM = 3.3, 0.34, 0.15
_HEIGHTS_CM = (6.5, 10.8)
"""Least and greatest height of the map itself, so that two stand on a page."""
_MARGIN = 0.02
_ROW_CM = 0.46
_MOST_LABELS = 20
_MOST_DOTS = 1_200
_LARGEST_PT = 13.0
_SMALLEST_PT = 1.3
_FACILITY_COUNTS, _FACILITY_PT = (60, 250, 1000), (4.6, 3.4, 2.4, 1.5)
_LINES_KEPT = 1
"""Rank of the least main streets drawn."""
_ACCENT = "#7b3294"


class Atlas:
    """Maps of one city, drawn on what they share.

    Parameters
    ----------
    city
        The city.
    made
        When the report is made.
    """

    def __init__(self, city: City, *, made: datetime) -> None:
        self._city = city
        self._made = made
        self._shapes: dict[Level, Any] = {}

    def draw(self, content: Map, lang: Language) -> bytes:
        """Draw a map as PNG.

        Parameters
        ----------
        content
            What it shows.
        lang
            Language of its words.
        """
        foot = wrapped(self._source_words(lang), most=WIDTH_CM * 2.9).split("\n")
        west, south, east, north = self._extent
        wide = WIDTH_CM - _LEGEND_CM - 2 * _RIM_CM
        least, most = _HEIGHTS_CM
        high = min(max(wide * (north - south) / (east - west), least), most)
        below = len(foot) * _FOOT_LINE_CM + _RIM_CM
        height = high + below + 2 * _RIM_CM
        with canvas(height) as figure, silence():
            box = (
                _RIM_CM / WIDTH_CM,
                (below + _RIM_CM) / height,
                wide / WIDTH_CM,
                high / height,
            )
            drawing = _Drawing(self, content, lang, figure, box, wide / high)
            drawing.draw()
            figure.text(
                _RIM_CM / WIDTH_CM,
                below / height,
                "\n".join(foot),
                fontsize=6.2,
                color=QUIET,
                va="top",
                linespacing=1.35,
            )
            return png(figure)

    def areas(self, level: Level) -> tuple[list[str], Any]:
        """Codes and shapes of a level's units in metres, no finer than a page shows."""
        if level not in self._shapes:
            units = self._city.units[self._city.units["level"] == level].sort_values("code")
            own = np.asarray(units.geometry.to_crs(self._city.crs).array)
            drawn = shapely.coverage_simplify(own, self._pixel * 1.5)
            self._shapes[level] = (units["code"].tolist(), drawn)
        codes, drawn = self._shapes[level]
        return codes, drawn

    @cached_property
    def water(self) -> Any:
        """Water in metres."""
        layer = self._city.water
        if layer is None:
            return np.empty(0, dtype=object)
        wet = np.asarray(layer.geometry.to_crs(self._city.crs).array)
        wet = shapely.simplify(wet, self._pixel)
        return wet[~shapely.is_empty(wet)]

    @cached_property
    def streets(self) -> Any:
        """Main streets in metres, as arrays of coordinates."""
        order = shapes.rank(self._city.streets["highway"])
        kept = _LINES_KEPT if (order <= _LINES_KEPT).any() else shapes.MINOR
        lines = self._city.streets.geometry[order <= kept].to_crs(self._city.crs)
        joined = shapely.get_parts(shapely.line_merge(shapely.multilinestrings(lines.array)))
        plain = shapely.simplify(joined, self._pixel)
        return [shapely.get_coordinates(line) for line in plain]

    @property
    def crs(self) -> Any:
        """What the maps are drawn in."""
        return self._city.crs

    @cached_property
    def extent(self) -> tuple[float, float, float, float]:
        """West, south, east, north of what is shown, in metres."""
        return self._extent

    @cached_property
    def _extent(self) -> tuple[float, float, float, float]:
        places = self._city.units.geometry.to_crs(self._city.crs).total_bounds
        west, south, east, north = (float(edge) for edge in places)
        rim = _MARGIN * max(east - west, north - south, 1.0)
        return west - rim, south - rim, east + rim, north + rim

    @cached_property
    def _pixel(self) -> float:
        """Metres that a dot of the printer shows."""
        west, _, east, _ = self._extent
        return (east - west) / ((WIDTH_CM - _LEGEND_CM) / 2.54 * 200)

    def _source_words(self, lang: Language) -> str:
        layers: dict[str, list[str]] = {}
        for key, told in self._city.origins().items():
            date = f" ({told['date']})" if told["date"] else ""
            source = told["source"]
            if source == "not stated":
                source = text("report.note.not_stated", lang)
            layers.setdefault(source + date, []).append(text(f"layer.{key}", lang))
        mark = text("report.mark.list", lang)
        found = "; ".join(f"{mark.join(names)} {source}" for source, names in layers.items())
        return text(
            "report.map.source",
            lang,
            found=found,
            crs=f"{self._city.crs.to_string()} {self._city.crs.name}",
            made=f"{self._made:%Y-%m-%d}",
        )


class _Drawing:
    """One map on a figure: the map itself and its legend."""

    def __init__(  # a drawing has these parts
        self,
        atlas: Atlas,
        content: Map,
        lang: Language,
        figure: Figure,
        box: tuple[float, float, float, float],
        aspect: float,
    ) -> None:
        self._atlas, self._content, self._lang = atlas, content, lang
        self._result = content.result
        self._axes = figure.add_axes(box)
        left, bottom, wide, high = box
        start = left + wide + _RIM_CM / WIDTH_CM
        self._legend = figure.add_axes((start, bottom, 1 - start, high))
        self._high_cm = high * figure.get_size_inches()[1] * 2.54
        self._aspect = aspect
        self._row = 0.0

    def draw(self) -> None:
        """Draw it all."""
        self._frame()
        if self._content.show == "rates":
            self._rates()
        else:
            self._base()
            self._gap()
        self._facilities()
        if self._content.sites is not None:
            self._sites(self._content.sites)
        self._scale()

    def _frame(self) -> None:
        west, south, east, north = self._atlas.extent
        # Widened one way or the other to fill its place, so that a metre is a metre.
        wide, high = east - west, north - south
        if wide / high < self._aspect:
            rim = (high * self._aspect - wide) / 2
            west, east = west - rim, east + rim
        else:
            rim = (wide / self._aspect - high) / 2
            south, north = south - rim, north + rim
        for axes in (self._axes, self._legend):
            axes.set_xticks([])
            axes.set_yticks([])
        self._axes.set_xlim(west, east)
        self._axes.set_ylim(south, north)
        self._axes.set_facecolor("#f3f3f1")
        for spine in self._axes.spines.values():
            spine.set_color("#b5b5b2")
        self._legend.set_xlim(0, _LEGEND_CM)
        self._legend.set_ylim(self._high_cm, 0)
        self._legend.axis("off")
        self._north()
        labels = self._result.city.labels()
        for label in labels:
            self._badge(text(f"label.{label}", self._lang))

    def _rates(self) -> None:
        table = self._result.by(self._content.level).set_index("code")
        codes, areas = self._atlas.areas(self._content.level)
        rates = [float(table["rate"].get(code, np.nan)) for code in codes]
        fills = [colours.rate_colour(rate) for rate in rates]
        few = len(codes) <= _MOST_LABELS
        self._areas(areas, fills, edge="#5b5b5e", width=0.6 if few else 0.3)
        self._wet()
        outlined = self._outlines()
        self._heading(text("report.map.rate", self._lang))
        breaks = [0, *colours.RATE_BREAKS, 1]
        ramp = zip(colours.RATE_RAMP, breaks[:-1], breaks[1:], strict=True)
        for colour, low, high in reversed(list(ramp)):
            self._patch(colour, f"{low:.0%} – {high:.0%}")
        if any(rate != rate for rate in rates):  # noqa: PLR0124 - NaN where nobody lives
            self._patch(colours.NOBODY, text("report.map.nobody", self._lang))
        if few:
            name = "name_en" if self._lang == "en" else "name"
            told = [
                f"{table[name].get(code, code)}\n{wording.rate(rate)}"
                for code, rate in zip(codes, rates, strict=True)
            ]
            place_labels(self._axes, areas, told)
        if outlined:
            level = text("level.district", self._lang)
            self._line("#333333", text("report.map.border", self._lang, level=level))
        self._water_entry()

    def _base(self) -> None:
        from matplotlib.collections import LineCollection  # noqa: PLC0415 - slow to import

        codes, areas = self._atlas.areas(self._content.level)
        self._areas(areas, ["#ffffff"] * len(codes), edge=colours.BORDER, width=0.5)
        self._wet()
        lines = self._atlas.streets
        self._axes.add_collection(
            LineCollection(lines, colors=colours.BASE, linewidths=0.45), autolim=False
        )

    def _gap(self) -> None:
        found = self._result.gap()
        self._heading(text("report.map.gap", self._lang))
        if len(found):
            joined, side = shapes.gather(found[["people", "geometry"]], most=_MOST_DOTS)
            people = joined["people"].to_numpy()
            largest = float(people.max())
            place = shapely.get_coordinates(joined.geometry.to_crs(self._atlas.crs).array)
            order = np.argsort(-people)
            x, y = place[order].T
            self._axes.scatter(
                x,
                y,
                s=_size(people[order], largest) ** 2,
                color=colours.UNSERVED,
                alpha=0.72,
                edgecolors="white",
                linewidths=0.25,
            )
            for number in _samples(largest):
                words = text("report.map.gap_dot", self._lang, people=wording.people(number))
                size = float(_size(number, largest))
                self._dot(colours.UNSERVED, "white", size, words, alpha=0.72)
            if side:
                self._remark(text("report.map.gap_joined", self._lang, side=side))
        else:
            self._remark(text("map.gap_none", self._lang))
        self._line(colours.BASE, text("report.map.streets", self._lang))
        level = text(f"level.{self._content.level}", self._lang)
        self._line(colours.BORDER, text("report.map.border", self._lang, level=level))
        self._water_entry()

    def _facilities(self) -> None:
        sites = self._result.facilities
        size = _FACILITY_PT[bisect_right(_FACILITY_COUNTS, len(sites))]
        placed = sites["reason"].isna().to_numpy()
        for on_street, ring, fill, key in (
            (True, colours.FACILITY_RING, colours.FACILITY, "facilities"),
            (False, colours.FACILITY, colours.FACILITY_RING, "facilities_lost"),
        ):
            some = sites[placed == on_street]
            if some.empty and not on_street:
                continue
            self._points(some, size, fill, ring)
            count = f"{len(some):,}"
            self._dot(
                fill, ring, max(size, 3.2), text(f"report.map.{key}", self._lang, count=count)
            )

    def _sites(self, sites: gpd.GeoDataFrame) -> None:
        size = _FACILITY_PT[bisect_right(_FACILITY_COUNTS, len(sites))] + 1.2
        self._points(sites, size, _ACCENT, "white", marker="D")
        self._dot(_ACCENT, "white", size, text("report.map.sites", self._lang), marker="D")

    def _points(
        self, some: gpd.GeoDataFrame, size: float, fill: str, ring: str, marker: str = "o"
    ) -> None:
        if some.empty:
            return
        place = shapely.get_coordinates(some.geometry.to_crs(self._atlas.crs).array)
        x, y = place.T
        self._axes.scatter(
            x,
            y,
            s=size**2,
            color=fill,
            edgecolors=ring,
            linewidths=min(0.5, size / 6),
            marker=marker,
            zorder=5,
        )

    def _areas(self, areas: Any, fills: list[str], *, edge: str, width: float) -> None:
        from matplotlib.collections import PathCollection  # noqa: PLC0415 - slow to import

        self._axes.add_collection(
            PathCollection(
                [_path(area) for area in areas],
                facecolors=fills,
                edgecolors=edge,
                linewidths=width,
            ),
            autolim=False,
        )

    def _wet(self) -> None:
        wet = self._atlas.water
        if len(wet):
            self._areas(wet, [colours.WATER] * len(wet), edge="none", width=0)

    def _outlines(self) -> bool:
        """Borders of the districts over finer units, where there are such."""
        level = self._content.level
        have = self._result.levels
        if level in {"city", "district"} or "district" not in have:
            return False
        codes, areas = self._atlas.areas("district")
        self._areas(areas, ["none"] * len(codes), edge="#333333", width=0.8)
        return True

    def _scale(self) -> None:
        west, east = self._axes.get_xlim()
        south, north = self._axes.get_ylim()
        metres = 10.0 ** np.floor(np.log10((east - west) / 4))
        metres *= max(more for more in (1, 2, 5) if metres * more <= (east - west) / 4)
        kilometre = 1000
        key, length = (
            ("kilometres", metres / kilometre) if metres >= kilometre else ("metres", metres)
        )
        x, y = west + (east - west) * 0.025, south + (north - south) * 0.03
        tick = (north - south) * 0.012
        for width, colour in ((2.6, "white"), (1.0, INK)):
            self._axes.plot(
                [x, x, x + metres, x + metres],
                [y + tick, y, y, y + tick],
                color=colour,
                linewidth=width,
                solid_capstyle="butt",
                zorder=8,
            )
        words = text(f"report.map.{key}", self._lang, length=length)
        self._axes.text(
            x + metres / 2,
            y + tick * 1.3,
            words,
            ha="center",
            va="bottom",
            fontsize=7,
            zorder=8,
            bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.8},
        )

    def _north(self) -> None:
        x, top, high = 0.45, 0.15, 0.75
        shape = [(x, top), (x + 0.22, top + high), (x, top + high * 0.78), (x - 0.22, top + high)]
        self._legend.fill(*zip(*shape, strict=True), color=INK)
        told = text("report.map.north", self._lang)
        self._legend.text(x, top + high + 0.08, told, ha="center", va="top", fontsize=7.5)
        self._row = top + high + 0.65

    def _badge(self, words: str) -> None:
        self._legend.text(
            0.16,
            self._row + 0.1,
            words,
            va="center",
            fontsize=7.5,
            color="#5f4700",
            bbox={"facecolor": "#fff3cd", "edgecolor": "#e0c56a", "boxstyle": "round,pad=0.3"},
        )
        self._row += 0.6

    def _heading(self, words: str) -> None:
        self._legend.text(0.1, self._row + 0.05, words, va="center", fontsize=8)
        self._row += _ROW_CM

    def _remark(self, words: str) -> None:
        for line in wrapped(words, most=11.0).split("\n"):
            self._legend.text(0.1, self._row, line, va="center", fontsize=6.4, color=QUIET)
            self._row += 0.34
        self._row += 0.05

    def _words(self, words: str) -> None:
        lines = wrapped(words, most=9.2).split("\n")
        self._legend.text(
            0.8, self._row, "\n".join(lines), va="center", fontsize=7, linespacing=1.15
        )
        self._row += _ROW_CM + 0.3 * (len(lines) - 1)

    def _patch(self, colour: str, words: str) -> None:
        from matplotlib.patches import Rectangle  # noqa: PLC0415 - slow to import

        box = Rectangle(
            (0.1, self._row - 0.14), 0.5, 0.28, facecolor=colour, edgecolor="#77777a", linewidth=0.5
        )
        self._legend.add_patch(box)
        self._words(words)

    def _line(self, colour: str, words: str) -> None:
        self._legend.plot([0.1, 0.6], [self._row, self._row], color=colour, linewidth=1.2)
        self._words(words)

    def _dot(
        self, fill: str, ring: str, size: float, words: str, *, alpha: float = 1, marker: str = "o"
    ) -> None:
        self._legend.scatter(
            [0.35],
            [self._row],
            s=size**2,
            color=fill,
            edgecolors=ring,
            linewidths=0.5,
            alpha=alpha,
            marker=marker,
        )
        self._words(words)

    def _water_entry(self) -> None:
        if len(self._atlas.water):
            self._patch(colours.WATER, text("report.map.water", self._lang))


def _path(area: Any) -> Any:
    """Turn a polygon or several, with holes, into a path."""
    from matplotlib.path import Path  # noqa: PLC0415 - slow to import

    rings = shapely.get_rings(shapely.get_parts(shapely.orient_polygons(area)))
    codes: list[Any] = []
    places: list[Any] = []
    for ring in rings:
        xy = shapely.get_coordinates(ring)
        places.append(xy)
        code = np.full(len(xy), Path.LINETO, dtype=np.uint8)
        code[0], code[-1] = Path.MOVETO, Path.CLOSEPOLY
        codes.append(code)
    if not places:
        return Path(np.zeros((0, 2)))
    return Path(np.concatenate(places), np.concatenate(codes))


def _size(people: Any, largest: float) -> Any:
    """Width of a dot in points, so that its area is as its people."""
    return np.maximum(_LARGEST_PT * np.sqrt(people / largest), _SMALLEST_PT)


def _samples(largest: float) -> list[float]:
    """Two round numbers of people to show the size of dots by."""
    most = max(largest * 0.6, 1)
    top = 10 ** np.floor(np.log10(most))
    nice = max(step * top for step in (1, 2, 5) if step * top <= most)
    return [float(nice), float(max(nice / 10, 1))] if nice > 1 else [1.0]
