"""The names that others rely on, no more and no less."""

import layers
import planner


def test_layers_hands_out():
    assert sorted(layers.__all__) == ["City", "Finding", "Provenance", "embedded"]
    assert all(hasattr(layers, name) for name in layers.__all__)


def test_planner_hands_out():
    assert sorted(planner.__all__) == [
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
    assert all(hasattr(planner, name) for name in planner.__all__)
