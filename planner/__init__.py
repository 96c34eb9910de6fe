"""What planning does with a city: networks, reach, coverage, siting, plans by year."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from planner.coverage import Coverage, coverage
from planner.network import Network
from planner.positions import Positions
from planner.reach import Reach
from planner.standards import Quota, Service, Services, Standard, load_services

if TYPE_CHECKING:
    from planner.changes import Close, CloseStreet, Move, Open, Resize
    from planner.indicators import Indicator, Monitoring, monitor
    from planner.live import LiveCoverage
    from planner.plan import Plan, load_plan
    from planner.scenario import Scenario, compare
    from planner.siting.decay import Decay
    from planner.siting.phases import Year
    from planner.siting.places import Junctions, Listed, Points, Upgrades
    from planner.siting.problem import Apart, Problem
    from planner.siting.site import site
    from planner.siting.siting import Siting

# What a command may do without is imported when it is first asked for: a table of rates
# should not wait for the solvers.
_LATER = {
    "planner.changes": (
        "Close",
        "CloseStreet",
        "Move",
        "Open",
        "Resize",
    ),
    "planner.indicators": (
        "Indicator",
        "Monitoring",
        "monitor",
    ),
    "planner.live": ("LiveCoverage",),
    "planner.plan": (
        "Plan",
        "load_plan",
    ),
    "planner.scenario": (
        "Scenario",
        "compare",
    ),
    "planner.siting.decay": ("Decay",),
    "planner.siting.phases": ("Year",),
    "planner.siting.places": (
        "Junctions",
        "Listed",
        "Points",
        "Upgrades",
    ),
    "planner.siting.problem": (
        "Apart",
        "Problem",
    ),
    "planner.siting.site": ("site",),
    "planner.siting.siting": ("Siting",),
}
_HOME = {name: module for module, names in _LATER.items() for name in names}

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


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'planner' has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(_HOME[name]), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
