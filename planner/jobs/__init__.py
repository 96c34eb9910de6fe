"""Jobs: work that lasts, done in processes beside the server."""

from planner.jobs.lanes import IMPORT, SITING
from planner.jobs.places import files_of
from planner.jobs.supervisor import Supervisor
from planner.jobs.uploads import ask_about

__all__ = ["IMPORT", "SITING", "Supervisor", "ask_about", "files_of"]
