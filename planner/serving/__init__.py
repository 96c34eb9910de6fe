"""Serving to others: who may enter, what a browser is told, how the server fares."""

from planner.serving.entry import Entry, OAuth
from planner.serving.identity import LOCAL, Identity

__all__ = ["LOCAL", "Entry", "Identity", "OAuth"]
