"""A report as data: built once out of results, so that all formats show the same figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    import geopandas as gpd

    from layers import City
    from layers.units import Level
    from planner.coverage import Coverage
    from planner.report.phrase import Phrase
    from planner.report.values import Kind, Value

ReportKind = Literal["coverage", "siting", "annual", "mid-term", "final"]
KINDS: tuple[ReportKind, ...] = get_args(ReportKind)


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of a table.

    Attributes
    ----------
    key
        Its name for machines.
    head
        Its heading.
    kind
        What its values are.
    share
        How wide it is beside the others.
    """

    key: str
    head: Phrase
    kind: Kind
    share: float = 1.0

    @property
    def is_text(self) -> bool:
        """Whether it holds words rather than figures."""
        return self.kind in {"words", "code"}


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table: columns, and rows of as many values.

    Attributes
    ----------
    key
        Its name for machines, one of its own in the report.
    caption
        Its caption, the standard of its figures included.
    columns, rows
        What it holds.
    totals
        Numbers of rows that sum up others, or that a reader is to see first.
    notes
        What must be known to read it.
    """

    key: str
    caption: Phrase
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    totals: frozenset[int] = frozenset()
    notes: tuple[Phrase, ...] = ()

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(f"table {self.key}: a row and the columns differ in number")

    def picked(
        self,
        key: str,
        caption: Phrase,
        *,
        columns: Iterable[str],
        rows: Iterable[int],
        totals: Iterable[int] = (),
        notes: tuple[Phrase, ...] = (),
    ) -> Table:
        """Make another table of some columns and rows: the same values, not new ones.

        Parameters
        ----------
        key, caption, notes
            Of the other table.
        columns
            Keys of the columns, in order.
        rows
            Numbers of the rows, in order.
        totals
            Numbers, in this table, of the rows that sum up others.
        """
        at = {column.key: number for number, column in enumerate(self.columns)}
        places, numbers = [at[name] for name in columns if name in at], list(rows)
        return Table(
            key=key,
            caption=caption,
            columns=tuple(self.columns[place] for place in places),
            rows=tuple(tuple(self.rows[row][place] for place in places) for row in numbers),
            totals=frozenset(numbers.index(row) for row in totals),
            notes=notes,
        )

    def values(self, column: str) -> list[Value]:
        """Values of a column."""
        place = [one.key for one in self.columns].index(column)
        return [row[place] for row in self.rows]


@dataclass(frozen=True, kw_only=True)
class Paragraph:
    """A paragraph of text.

    Attributes
    ----------
    words
        What it says.
    role
        ``body``, or ``point`` for one of a list, or ``warning`` for what must not be missed.
    """

    words: Phrase
    role: Literal["body", "point", "warning"] = "body"


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of a chart.

    Attributes
    ----------
    label
        What it is.
    x, y
        Its points.
    style
        ``seen`` for figures, ``target`` for what the plan sets, ``expected`` for a prediction,
        ``other`` for a further group; of lines that are of one kind ``first`` to ``fifth``.
    low, high
        The band around it, or nothing.
    """

    label: Phrase
    x: tuple[float, ...]
    y: tuple[float, ...]
    style: str = "seen"
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Lines over an axis.

    Attributes
    ----------
    x_label, y_label
        What the axes tell.
    x_kind, y_kind
        What their values are.
    lines
        The lines.
    upright
        Place on the x axis that is marked with a line, and its words; None for none.
    steps
        Whether figures jump at each point rather than slope from one to the next.
    """

    x_label: Phrase
    y_label: Phrase
    x_kind: Kind
    y_kind: Kind
    lines: tuple[Line, ...]
    upright: tuple[float, Phrase] | None = None
    steps: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Map:
    """A map of a coverage.

    Attributes
    ----------
    result
        The coverage.
    level
        Level of the units shaded or outlined.
    show
        ``rates``: units shaded; ``gap``: people who are not served as dots.
    sites
        Further places with an ``label`` column, drawn in the accent, or None.
    """

    result: Coverage
    level: Level
    show: Literal["rates", "gap"] = "rates"
    sites: gpd.GeoDataFrame | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Picture:
    """A figure or map with its caption.

    Attributes
    ----------
    key
        Its name for machines, one of its own in the report.
    caption
        Its caption.
    content
        What it shows.
    """

    key: str
    caption: Phrase
    content: Chart | Map


@dataclass(frozen=True, kw_only=True, eq=False)
class Explorer:
    """A map to move about in, where a format has such; others leave it out.

    Attributes
    ----------
    key
        Its name for machines.
    caption
        Its caption.
    result
        The coverage that it shows.
    """

    key: str
    caption: Phrase
    result: Coverage


Block = Paragraph | Table | Picture | Explorer


@dataclass(frozen=True, kw_only=True, eq=False)
class Section:
    """A section with what it holds and the sections within it.

    Attributes
    ----------
    title
        Its heading, without a number.
    blocks
        Paragraphs, tables and pictures, in order.
    sections
        Sections within it, one deep.
    annex
        Whether it stands behind the report proper.
    """

    title: Phrase
    blocks: tuple[Block, ...] = ()
    sections: tuple[Section, ...] = ()
    annex: bool = False


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A sheet of the spreadsheet.

    Attributes
    ----------
    key
        Its name for machines.
    title
        Its name.
    lines
        What stands above its tables.
    tables
        Its tables; figures stand here whole, of which documents show a part.
    """

    key: str
    title: Phrase
    lines: tuple[Phrase, ...]
    tables: tuple[Table, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Layer:
    """A layer of the GeoPackage.

    Attributes
    ----------
    name
        Its name for machines.
    title
        Its name for readers.
    frame
        Geometry in EPSG:4326 with plain columns.
    aliases
        What each column is, for readers.
    style
        ``rates``, ``gap``, ``facilities``, ``stretches`` or ``sites``.
    """

    name: str
    title: Phrase
    frame: gpd.GeoDataFrame
    aliases: dict[str, Phrase]
    style: Literal["rates", "gap", "facilities", "stretches", "sites"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Report:
    """A report.

    Attributes
    ----------
    kind
        What it is for.
    title
        Its title.
    subtitle
        Lines below the title.
    city
        The city it speaks of.
    year
        The year it speaks of, or None.
    made
        When it was made.
    version
        Of the program.
    labels
        What must be written on everything made of the city: that data are modelled.
    sections, sheets, layers
        What documents, the spreadsheet and the GeoPackage hold.
    """

    kind: ReportKind
    title: Phrase
    subtitle: tuple[Phrase, ...]
    city: City
    year: int | None
    made: datetime
    version: str
    labels: tuple[Phrase, ...]
    sections: tuple[Section, ...]
    sheets: tuple[Sheet, ...]
    layers: tuple[Layer, ...]

    def blocks(self) -> Iterator[Block]:
        """Everything its sections hold, in reading order."""
        for section in self.sections:
            yield from section.blocks
            for inner in section.sections:
                yield from inner.blocks

    @property
    def name(self) -> str:
        """Its name as a file: kind and year."""
        return self.kind if self.year is None else f"{self.kind}-{self.year}"

    def __repr__(self) -> str:
        blocks = list(self.blocks())
        counts: dict[Any, int] = {
            kind: sum(isinstance(block, kind) for block in blocks) for kind in (Table, Picture)
        }
        return (
            f"<Report {self.name} of {self.city.name}: {len(self.sections)} sections, "
            f"{counts[Table]} tables, {counts[Picture]} pictures, {len(self.sheets)} sheets, "
            f"{len(self.layers)} layers>"
        )
