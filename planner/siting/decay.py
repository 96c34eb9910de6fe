"""Decay: how cover falls off with distance."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from layers.errors import InputError
from layers.messages import text
from planner.reach import SLACK
from planner.standards import unknown_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from planner.siting.instance import Floats

Shape = Literal["bands", "linear", "exponential", "gaussian"]
SHAPES: tuple[Shape, ...] = get_args(Shape)


@dataclass(frozen=True, kw_only=True)
class Decay:
    """Share of a person that counts as served, by distance in the standard's unit.

    Attributes
    ----------
    shape
        ``bands``: the share of the first band whose end is not passed. ``linear``: whole
        up to `full`, then in a straight line to nought at `none`. ``exponential`` and
        ``gaussian``: whole up to `full`, then exp(-t / s) or exp(-t² / 2s²) of the
        distance t beyond it, and nought beyond `none`, where it has fallen to 1 %.
    full, none
        Up to where all count, and from where on nobody does; of bands the first's end
        and the last's.
    bands
        Ends and shares, outwards; an end is inclusive.

    Raises
    ------
    InputError
        Distances that do not rise, or shares outside 0 to 1 that rise.

    Examples
    --------
    >>> Decay.linear(400, 800).share(np.array([300.0, 600, 800, 900]))
    array([1. , 0.5, 0. , 0. ])
    >>> Decay.of_bands([(500, 1.0), (1000, 0.4)]).share(np.array([500.0, 501, 1001]))
    array([1. , 0.4, 0. ])
    """

    shape: Shape
    full: float
    none: float
    bands: tuple[tuple[float, float], ...] = ()

    @classmethod
    def of_bands(cls, bands: Sequence[tuple[float, float]]) -> Self:
        """Make it of bands: their ends and shares, outwards."""
        whole = tuple((float(end), float(share)) for end, share in bands)
        if not whole:
            raise InputError(text("site.bands_none"))
        return cls(shape="bands", full=whole[0][0], none=whole[-1][0], bands=whole)

    @classmethod
    def linear(cls, full: float, none: float) -> Self:
        """Make it fall in a straight line between two distances."""
        return cls(shape="linear", full=float(full), none=float(none))

    def __post_init__(self) -> None:
        if self.shape not in SHAPES:
            raise unknown_name("decay", self.shape, SHAPES)
        ends = [end for end, _ in self.bands] or [self.full, self.none]
        shares = [share for _, share in self.bands]
        rises = all(a < b for a, b in pairwise(ends))
        if not (rises and ends[0] >= 0 and np.isfinite(ends[-1])):
            raise InputError(text("site.bands_order", found=", ".join(f"{e:g}" for e in ends)))
        falls = all(a >= b for a, b in pairwise(shares))
        if not (falls and all(0 <= share <= 1 for share in shares)):
            found = ", ".join(f"{share:g}" for share in shares)
            raise InputError(text("site.bands_share", found=found))

    def share(self, distance: Floats) -> Floats:
        """Tell the share that counts at each distance."""
        if self.shape == "bands":
            ends = np.array([end for end, _ in self.bands])
            shares = np.array([*(share for _, share in self.bands), 0.0])
            return shares[np.searchsorted(ends + SLACK, distance)]
        beyond = np.clip(distance - self.full, 0.0, None)
        width = self.none - self.full
        if self.shape == "linear":
            falling = 1.0 - beyond / width
        elif self.shape == "exponential":
            falling = np.exp(np.log(0.01) * beyond / width)
        else:
            falling = np.exp(np.log(0.01) * (beyond / width) ** 2)
        falling = np.where(beyond <= SLACK, 1.0, np.clip(falling, 0.0, 1.0))
        return np.where(distance <= self.none + SLACK, falling, 0.0)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "shape": self.shape,
            "full": self.full,
            "none": self.none,
            "bands": [list(band) for band in self.bands],
        }
