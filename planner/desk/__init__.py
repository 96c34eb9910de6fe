"""The desk: choose a service, see who is served and who is not."""

from planner.desk.desk import Desk, page
from planner.desk.server import serve

__all__ = ["Desk", "page", "serve"]
