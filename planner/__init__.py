"""What planning does with a city: networks, reach, coverage."""

from planner.changes import Close, CloseStreet, Move, Open, Resize
from planner.coverage import Coverage, coverage
from planner.live import LiveCoverage
from planner.network import Network
from planner.positions import Positions
from planner.reach import Reach
from planner.scenario import Scenario, compare
from planner.standards import Quota, Service, Services, Standard, load_services

__all__ = [
    "Close",
    "CloseStreet",
    "Coverage",
    "LiveCoverage",
    "Move",
    "Network",
    "Open",
    "Positions",
    "Quota",
    "Reach",
    "Resize",
    "Scenario",
    "Service",
    "Services",
    "Standard",
    "compare",
    "coverage",
    "load_services",
]
