"""Smooth random surfaces, the same for the same seed."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Smooth:
    """A random surface that changes over about one wavelength; values around ±1."""

    origin: tuple[float, float]
    wavelength: float
    spline: Floats

    @classmethod
    def over(
        cls,
        bounds: tuple[float, float, float, float],
        wavelength: float,
        rng: np.random.Generator,
    ) -> "Smooth":
        """Draw a surface.

        Parameters
        ----------
        bounds
            West, south, east, north in metres.
        wavelength
            Distance over which it changes, in metres.
        rng
            Where the random numbers come from.

        Returns
        -------
        Smooth
            The surface; outside the bounds it goes on as at their edge.
        """
        west, south, east, north = bounds
        margin = 2
        columns = int((east - west) / wavelength) + 2 * margin + 2
        rows = int((north - south) / wavelength) + 2 * margin + 2
        spline = ndimage.spline_filter(rng.normal(size=(rows, columns)), order=3)
        corner = (west - margin * wavelength, south - margin * wavelength)
        return cls(corner, wavelength, np.asarray(spline, dtype=np.float64))

    def __call__(self, x: Floats, y: Floats) -> Floats:
        """Return the surface's values at points."""
        place = np.stack(
            [(y - self.origin[1]) / self.wavelength, (x - self.origin[0]) / self.wavelength]
        )
        values = ndimage.map_coordinates(
            self.spline, place, order=3, mode="nearest", prefilter=False
        )
        return np.asarray(values, dtype=np.float64)


@dataclass(frozen=True)
class Warp:
    """A bending of the plane that never folds it, so that what was planar stays planar."""

    waves: tuple[tuple[float, Smooth, Smooth], ...]

    @classmethod
    def over(
        cls,
        bounds: tuple[float, float, float, float],
        waves: tuple[tuple[float, float], ...],
        rng: np.random.Generator,
    ) -> "Warp":
        """Draw a bending.

        Parameters
        ----------
        bounds
            West, south, east, north in metres.
        waves
            Pairs of wavelength and amplitude in metres; the sum of amplitude over
            wavelength must stay well below a quarter, or the plane would fold.
        rng
            Where the random numbers come from.

        Returns
        -------
        Warp
            The bending.
        """
        return cls(
            tuple(
                (amplitude, Smooth.over(bounds, length, rng), Smooth.over(bounds, length, rng))
                for length, amplitude in waves
            )
        )

    def __call__(self, points: Floats) -> Floats:
        """Return where points go; rows of x and y."""
        x, y = points[:, 0], points[:, 1]
        moved = points.copy()
        for amplitude, east, north in self.waves:
            moved[:, 0] += amplitude * east(x, y)
            moved[:, 1] += amplitude * north(x, y)
        return moved
