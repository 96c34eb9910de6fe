"""The store: scenarios, saved views and entered values, with whoever changed them and when."""

from planner.store.record import Kind, Record, Revision
from planner.store.store import Store

__all__ = ["Kind", "Record", "Revision", "Store"]
