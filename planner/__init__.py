"""What planning does with a city: networks, reach, coverage, siting, plans by year."""

from planner.changes import Close, CloseStreet, Move, Open, Resize
from planner.coverage import Coverage, coverage
from planner.indicators import Indicator, Monitoring, monitor
from planner.live import LiveCoverage
from planner.network import Network
from planner.plan import Plan, load_plan
from planner.positions import Positions
from planner.reach import Reach
from planner.scenario import Scenario, compare
from planner.siting.decay import Decay
from planner.siting.phases import Year
from planner.siting.places import Junctions, Listed, Points, Upgrades
from planner.siting.problem import Apart, Problem
from planner.siting.site import site
from planner.siting.siting import Siting
from planner.standards import Quota, Service, Services, Standard, load_services

__all__ = [
    "Apart",
    "Close",
    "CloseStreet",
    "Coverage",
    "Decay",
    "Indicator",
    "Junctions",
    "Listed",
    "LiveCoverage",
    "Monitoring",
    "Move",
    "Network",
    "Open",
    "Plan",
    "Points",
    "Positions",
    "Problem",
    "Quota",
    "Reach",
    "Resize",
    "Scenario",
    "Service",
    "Services",
    "Siting",
    "Standard",
    "Upgrades",
    "Year",
    "compare",
    "coverage",
    "load_plan",
    "load_services",
    "monitor",
    "site",
]
