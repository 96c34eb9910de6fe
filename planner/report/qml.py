"""Styles of the GeoPackage's layers, as QGIS reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from xml.etree import ElementTree as ET

from planner.maps import colours
from planner.report.phrase import Phrase, phrase

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.report.model import Layer

_VERSION = "3.22"
_DOCTYPE = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
_KINDS = {"marker": 0, "line": 1, "fill": 2}
ACCENT = "#7b3294"
_DOT_MM = 0.09
"""Width of a dot for the square root of its people."""


class _Rule(NamedTuple):
    """What is drawn how: a filter, its words, and the properties of its symbol."""

    chosen: str
    label: Phrase
    properties: dict[str, str]
    size: str = ""


def qml(layer: Layer) -> str:
    """Style of a layer: colours, legend in both languages, names of columns.

    Parameters
    ----------
    layer
        The layer.

    Returns
    -------
    QML.
    """
    kind, rules = _STYLES[layer.style]()
    root = ET.Element("qgis", version=_VERSION, styleCategories="Symbology|Fields")
    drawn = ET.SubElement(
        root,
        "renderer-v2",
        type="RuleRenderer",
        symbollevels="0",
        enableorderby="0",
        forceraster="0",
    )
    listed = ET.SubElement(drawn, "rules", key="{rules}")
    symbols = ET.SubElement(drawn, "symbols")
    for number, rule in enumerate(rules):
        told = {"key": f"{{rule-{number}}}", "symbol": str(number), "label": str(rule.label)}
        if rule.chosen:
            told["filter"] = rule.chosen
        ET.SubElement(listed, "rule", told)
        _symbol(symbols, str(number), kind, rule)
    _name_columns(root, layer.aliases)
    ET.SubElement(root, "layerGeometryType").text = str(_KINDS[kind])
    return _DOCTYPE + ET.tostring(root, encoding="unicode")


def _rates() -> tuple[str, list[_Rule]]:
    breaks = [0.0, *colours.RATE_BREAKS, 1.0]
    rules = []
    for low, high, colour in zip(breaks[:-1], breaks[1:], colours.RATE_RAMP, strict=True):
        upper = "" if high == 1 else f' AND "rate" < {high:g}'
        label = f"{low:.0%} – {high:.0%}"
        rules.append(
            _Rule(f'"rate" >= {low:g}{upper}', Phrase(label, label), _fill(colour, "#5b5b5e"))
        )
    nobody = _Rule('"rate" IS NULL', phrase("style.nobody"), _fill(colours.NOBODY, "#5b5b5e"))
    return "fill", [*reversed(rules), nobody]


def _gap() -> tuple[str, list[_Rule]]:
    size = f'max(0.8, {_DOT_MM} * sqrt("people"))'
    return "marker", [
        _Rule(
            '"reason" IS NULL',
            phrase("style.unserved"),
            _marker(colours.UNSERVED, "#ffffff"),
            size,
        ),
        _Rule(
            '"reason" IS NOT NULL',
            phrase("style.lost"),
            _marker("#ffffff", colours.UNSERVED),
            size,
        ),
    ]


def _facilities() -> tuple[str, list[_Rule]]:
    ring, fill = colours.FACILITY_RING, colours.FACILITY
    return "marker", [
        _Rule('"reason" IS NULL', phrase("style.facility"), _marker(fill, ring)),
        _Rule('"reason" IS NOT NULL', phrase("style.lost"), _marker(ring, fill)),
    ]


def _stretches() -> tuple[str, list[_Rule]]:
    return "line", [
        _Rule('"served"', phrase("style.served"), _line(colours.SERVED)),
        _Rule('NOT "served"', phrase("style.unserved"), _line(colours.UNSERVED)),
    ]


def _sites() -> tuple[str, list[_Rule]]:
    return "marker", [_Rule("", phrase("map.sites"), _marker(ACCENT, "#ffffff", "diamond"))]


_STYLES: dict[str, Any] = {
    "rates": _rates,
    "gap": _gap,
    "facilities": _facilities,
    "stretches": _stretches,
    "sites": _sites,
}

_CLASSES = {"marker": "SimpleMarker", "line": "SimpleLine", "fill": "SimpleFill"}


def _symbol(parent: ET.Element, name: str, kind: str, rule: _Rule) -> None:
    symbol = ET.SubElement(
        parent, "symbol", name=name, type=kind, alpha="1", clip_to_extent="1", force_rhr="0"
    )
    told = {"enabled": "1", "pass": "0", "locked": "0"}
    drawn = ET.SubElement(symbol, "layer", {"class": _CLASSES[kind], **told})
    options = ET.SubElement(drawn, "Option", type="Map")
    for key, value in rule.properties.items():
        ET.SubElement(options, "Option", name=key, type="QString", value=value)
    if rule.size:
        defined = ET.SubElement(drawn, "data_defined_properties")
        whole = ET.SubElement(defined, "Option", type="Map")
        ET.SubElement(whole, "Option", name="name", type="QString", value="")
        properties = ET.SubElement(whole, "Option", name="properties", type="Map")
        size = ET.SubElement(properties, "Option", name="size", type="Map")
        ET.SubElement(size, "Option", name="active", type="bool", value="true")
        ET.SubElement(size, "Option", name="expression", type="QString", value=rule.size)
        ET.SubElement(size, "Option", name="type", type="int", value="3")
        ET.SubElement(whole, "Option", name="type", type="QString", value="collection")


def _name_columns(root: ET.Element, aliases: Mapping[str, Phrase]) -> None:
    named = ET.SubElement(root, "aliases")
    for number, (field, alias) in enumerate(aliases.items()):
        ET.SubElement(named, "alias", field=field, index=str(number), name=str(alias))


def _fill(colour: str, edge: str) -> dict[str, str]:
    return {
        "color": _rgba(colour),
        "outline_color": _rgba(edge),
        "outline_style": "solid",
        "outline_width": "0.2",
        "outline_width_unit": "MM",
        "style": "solid",
    }


def _line(colour: str) -> dict[str, str]:
    return {
        "line_color": _rgba(colour),
        "line_width": "0.3",
        "line_width_unit": "MM",
        "line_style": "solid",
        "capstyle": "round",
        "joinstyle": "round",
    }


def _marker(colour: str, edge: str, name: str = "circle") -> dict[str, str]:
    return {
        "name": name,
        "color": _rgba(colour),
        "outline_color": _rgba(edge),
        "outline_style": "solid",
        "outline_width": "0.2",
        "outline_width_unit": "MM",
        "size": "2",
        "size_unit": "MM",
    }


def _rgba(colour: str) -> str:
    """Write a colour as QGIS writes it.

    Examples
    --------
    >>> _rgba("#2166ac")
    '33,102,172,255'
    """
    parts = [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
    return ",".join(str(part) for part in (*parts, 255))
