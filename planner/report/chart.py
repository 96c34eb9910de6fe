"""Charts of a report: lines over distance or over years."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planner.maps.colours import SERVED, UNSERVED
from planner.report.canvas import INK, QUIET, canvas, png, silence
from planner.report.values import shown

if TYPE_CHECKING:
    from layers.messages import Language
    from planner.report.model import Chart

_HEIGHT_CM = 7.0
_ACCENT = "#7b3294"

_STYLES: dict[str, dict[str, Any]] = {
    "seen": {"color": SERVED, "linewidth": 1.8},
    "other": {"color": UNSERVED, "linewidth": 1.5, "linestyle": (0, (5, 2))},
    "target": {"color": INK, "linewidth": 1.1, "linestyle": (0, (1, 1.5))},
    "expected": {"color": _ACCENT, "linewidth": 1.5, "linestyle": (0, (3, 2))},
    "first": {"color": "#2166ac", "linewidth": 1.6, "linestyle": "-"},
    "second": {"color": "#d6604d", "linewidth": 1.6, "linestyle": (0, (6, 2))},
    "third": {"color": "#1a1a1a", "linewidth": 1.5, "linestyle": (0, (1, 1.2))},
    "fourth": {"color": "#7b3294", "linewidth": 1.6, "linestyle": (0, (6, 1.5, 1, 1.5))},
    "fifth": {"color": "#8a8a2a", "linewidth": 1.6, "linestyle": (0, (3, 1.2))},
}
"""Told apart by dashes as well as by hue, for print without colour."""


def draw_chart(chart: Chart, lang: Language) -> bytes:
    """Draw a chart as PNG.

    Parameters
    ----------
    chart
        The chart.
    lang
        Language of its words.
    """
    with canvas(_HEIGHT_CM) as figure, silence():
        axes = figure.add_axes((0.095, 0.165, 0.885, 0.8))
        for line in chart.lines:
            style = _STYLES[line.style]
            marked = {"marker": "o", "markersize": 3.5} if chart.x_kind == "year" else {}
            stepped = chart.steps and line.style != "expected"
            told: dict[str, Any] = {**style, **marked}
            told["drawstyle"] = "steps-post" if stepped else "default"
            axes.plot(line.x, line.y, label=line.label.said(lang), **told)
            if line.low:
                axes.fill_between(line.x, line.low, line.high, color=style["color"], alpha=0.15)
        if chart.upright is not None:
            place, words = chart.upright
            axes.axvline(place, color=QUIET, linewidth=0.8, linestyle=(0, (4, 2)))
            axes.annotate(
                words.said(lang),
                (place, 0.03),
                xycoords=("data", "axes fraction"),
                xytext=(4, 0),
                textcoords="offset points",
                color=QUIET,
            )
        axes.set_xlabel(chart.x_label.said(lang))
        axes.set_ylabel(chart.y_label.said(lang))
        _tick(axes, chart, lang)
        axes.grid(color="#e3e3e0", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        if len(chart.lines) > 1 or chart.lines[0].style != "seen":
            axes.legend(frameon=True, edgecolor="none", loc="best")
        return png(figure)


def _tick(axes: Any, chart: Chart, lang: Language) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator  # noqa: PLC0415 - slow to import

    whole = chart.x_kind in {"year", "count"}
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=whole))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: shown(x, _plain(chart.x_kind), lang)))
    if chart.y_kind == "rate":
        axes.set_ylim(0, 1.02)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:.0%}"))
    else:
        axes.yaxis.set_major_locator(MaxNLocator(6, integer=chart.y_kind == "count"))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: shown(y, "number", lang)))
    if chart.x_kind == "rate":
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:.0%}"))
    if chart.x_kind != "year":
        axes.set_xlim(left=0, right=max(max(line.x) for line in chart.lines))


def _plain(kind: Any) -> Any:
    return "number" if kind == "minutes" else kind
