"""Findings: one thing wrong with a layer, which rows, how bad, what to do."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from layers.errors import LayerError
from layers.messages import Language, text

if TYPE_CHECKING:
    import geopandas as gpd

Severity = Literal["error", "warning", "info"]
_ORDER: dict[Severity, int] = {"error": 0, "warning": 1, "info": 2}
_ROWS_SHOWN = 8


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing wrong with a layer.

    Attributes
    ----------
    layer
        Which layer: ``streets``, ``units``, ``population``, ``facilities``, ``water``.
    code
        What is wrong, a key below ``finding`` in the catalogue.
    severity
        ``error`` stops the work; ``warning`` bends a figure; ``info`` is worth knowing.
    rows
        Labels of the rows, as the layer's index or identifiers have them.
    values
        What the words are filled in with.
    places
        Where it is, in EPSG:4326, if that is not simply where its rows are.
    """

    layer: str
    code: str
    severity: Severity
    rows: tuple[Hashable, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    places: "gpd.GeoSeries | None" = field(default=None, compare=False, repr=False)

    @property
    def message(self) -> str:
        """What is wrong, in the language in force."""
        return self.words("message")

    @property
    def remedy(self) -> str:
        """What to do about it, in the language in force."""
        return self.words("remedy")

    def words(self, part: Literal["message", "remedy"], lang: Language | None = None) -> str:
        """Message or remedy in a language."""
        return text(f"finding.{self.code}.{part}", lang, **self.values)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; with ``bounds`` (west, south, east, north) if it has places."""
        told: dict[str, Any] = {
            "layer": self.layer,
            "code": self.code,
            "severity": self.severity,
            "rows": [row if isinstance(row, int | str) else str(row) for row in self.rows],
            "message": self.message,
            "remedy": self.remedy,
        }
        if self.places is not None:
            told["bounds"] = [round(float(edge), 6) for edge in self.places.total_bounds]
        return told

    def __str__(self) -> str:
        head = f"{text(f'layer.{self.layer}')} · {text(f'severity.{self.severity}')}: "
        return f"{head}{self.message}{_some(self.rows)} {self.remedy}"


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Errors first, then warnings, then what is only worth knowing."""
    return sorted(findings, key=lambda finding: _ORDER[finding.severity])


def refuse_errors(findings: Sequence[Finding]) -> None:
    """Raise if any finding stops the work.

    Raises
    ------
    LayerError
        With every finding that is an error.
    """
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors:
        raise LayerError(errors)


def _some(rows: Sequence[Hashable]) -> str:
    if not rows:
        return ""
    shown = ", ".join(str(row) for row in rows[:_ROWS_SHOWN])
    more = ", …" if len(rows) > _ROWS_SHOWN else ""
    return f" [{text('finding.rows', count=len(rows), rows=shown + more)}]"
