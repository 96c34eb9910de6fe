"""Jobs: work that lasts, done in processes beside the server."""

from planner.jobs.places import files_of
from planner.jobs.supervisor import Supervisor

__all__ = ["Supervisor", "files_of"]
