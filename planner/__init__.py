"""What planning does with a city: networks, reach, coverage."""

from planner.coverage import Coverage, coverage
from planner.network import Network
from planner.positions import Positions
from planner.reach import Reach
from planner.standards import Quota, Service, Services, Standard, load_services

__all__ = [
    "Coverage",
    "Network",
    "Positions",
    "Quota",
    "Reach",
    "Service",
    "Services",
    "Standard",
    "coverage",
    "load_services",
]
