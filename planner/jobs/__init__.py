"""Jobs: work that lasts, done in processes beside the server."""

from planner.jobs.lanes import SITING
from planner.jobs.places import files_of
from planner.jobs.supervisor import Supervisor

__all__ = ["SITING", "Supervisor", "files_of"]
