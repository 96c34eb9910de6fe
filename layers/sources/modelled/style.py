"""What the streets are like, in figures chosen to meet those of real streets."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Style:
    """Figures that give the streets their statistics; chosen to meet those of real streets.

    Attributes
    ----------
    block, at_people, power
        Width of blocks in metres where so many people live on a km², and how fast blocks
        widen where fewer do.
    one, two, four
        Shares of blocks with one, two or four streets reaching in.
    thin_residential, thin_tertiary, thin_secondary, thin_country
        Shares of streets that are missing, by class in town, and in the country.
    dual_primary, dual_secondary
        People on a km² from which such roads have two carriageways.
    carriageways
        Metres between them.
    slips
        Share of corners where doubled roads cross that have a slip road for turning right.
    patchy
        How much the width of blocks differs from one quarter of a town to the next.
    stagger
        Share of crossings of minor streets whose arms do not quite meet.
    dead_end
        Least and greatest share of their way to the middle of a block that dead ends go.
    uneven
        How far a line of streets may lie from the middle between its neighbours.
    """

    block: float = 356.0
    at_people: float = 12_000.0
    power: float = 0.3
    one: float = 0.374
    two: float = 0.202
    four: float = 0.00641
    thin_residential: float = 0.186
    thin_tertiary: float = 0.448
    thin_secondary: float = 0.0315
    thin_country: float = 0.35
    dual_primary: float = 770.0
    dual_secondary: float = 5860.0
    carriageways: float = 20.0
    slips: float = 0.645
    patchy: float = 0.697
    stagger: float = 0.81
    dead_end: tuple[float, float] = (0.05, 0.28)
    uneven: float = 0.16
