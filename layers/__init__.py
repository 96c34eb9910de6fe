"""What a city is made of: its layers, their checks, their sources."""

from layers.city import City, Provenance
from layers.embedded import embedded
from layers.findings import Finding

__all__ = ["City", "Finding", "Provenance", "embedded"]
