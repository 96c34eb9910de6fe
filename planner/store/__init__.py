"""The store: scenarios, saved views and entered values, with whoever changed them and when."""

from planner.store.accounts import ROLES, Account, Accounts, Role
from planner.store.jobs import Job, Jobs
from planner.store.record import Kind, Record, Revision
from planner.store.store import Store

__all__ = [
    "ROLES",
    "Account",
    "Accounts",
    "Job",
    "Jobs",
    "Kind",
    "Record",
    "Revision",
    "Role",
    "Store",
]
