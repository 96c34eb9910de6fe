"""Readings: what datum coordinates really are in, and as which they were read."""

from typing import NamedTuple

from numpy.typing import ArrayLike

from layers.datum import DATUMS, FROM_WGS84, TO_WGS84, Datum, Pair
from layers.messages import Spoken


class Reading(NamedTuple):
    """Coordinates of one datum that were read as those of another.

    Attributes
    ----------
    truth
        Datum of the file.
    read
        Datum that it was taken for.
    """

    truth: Datum
    read: Datum

    @property
    def right(self) -> bool:
        """Whether nothing is wrong with it."""
        return self.truth == self.read

    @property
    def reverse(self) -> "Reading":
        """The reading that leads back."""
        return Reading(self.read, self.truth)

    def mend(self, lon: ArrayLike, lat: ArrayLike) -> Pair:
        """Move coordinates to where they belong.

        Parameters
        ----------
        lon, lat
            Degrees as the layer has them, any shape.

        Returns
        -------
        Longitude and latitude in WGS-84, in degrees.

        Examples
        --------
        >>> lon, lat = Reading("gcj02", "wgs84").mend(120.159794, 30.271771)
        >>> f"{lon:.4f} {lat:.4f}"
        '120.1551 30.2741'
        """
        return TO_WGS84[self.truth](*FROM_WGS84[self.read](lon, lat))

    def drawn(self, lon: ArrayLike, lat: ArrayLike) -> Pair:
        """Move coordinates of the one datum, ``truth``, into the other, ``read``.

        Parameters
        ----------
        lon, lat
            Degrees, any shape.
        """
        return FROM_WGS84[self.read](*TO_WGS84[self.truth](lon, lat))

    def words(self) -> dict[str, Spoken]:
        """Names of both datums, as a reader writes them."""
        return {
            "truth": Spoken.of(f"datum.{self.truth}"),
            "read": Spoken.of(f"datum.{self.read}"),
        }


AS_IS = Reading("wgs84", "wgs84")
"""Coordinates that lie where they belong."""

READINGS: tuple[Reading, ...] = (
    AS_IS,
    *(Reading(truth, read) for truth in DATUMS for read in DATUMS if truth != read),
)
"""Every way in which coordinates may have been read, the right one first."""
