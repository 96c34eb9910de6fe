"""Serving to others: who may enter, what a browser is told, how the server fares."""

from planner.serving.entry import Entry
from planner.serving.identity import LOCAL, Identity
from planner.serving.provider import OAuth

__all__ = ["LOCAL", "Entry", "Identity", "OAuth"]
