"""The names that others rely on, no more and no less."""

import layers
import planner


def test_layers_hands_out():
    assert sorted(layers.__all__) == ["City", "Finding", "Provenance", "embedded"]
    assert all(hasattr(layers, name) for name in layers.__all__)


def test_planner_hands_out():
    assert sorted(planner.__all__) == [
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
    assert all(hasattr(planner, name) for name in planner.__all__)
