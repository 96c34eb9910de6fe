"""Maps of what planning finds: Leaflet pages that ask nothing of another host."""

from planner.maps.assets import STATIC_DIRS, LocalMap
from planner.maps.coverage import SHOWS, Show, coverage_map

__all__ = ["SHOWS", "STATIC_DIRS", "LocalMap", "Show", "coverage_map"]
