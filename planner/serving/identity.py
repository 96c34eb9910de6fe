"""An identity: who sits at a desk, and what they may do now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from layers.errors import RoleError
from layers.messages import text
from planner.store.accounts import ROLES, Role

if TYPE_CHECKING:
    from planner.store.accounts import Accounts


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who sits at a desk.

    Attributes
    ----------
    name
        What they entered with; empty on a desk that everybody on this machine may use.
    accounts
        Where their role is looked up anew each time; None on such a desk.
    otherwise
        Role of one whom no account names (they came in by OAuth); None for none at all.

    Examples
    --------
    >>> LOCAL.role, LOCAL.may("administrator")
    ('administrator', True)
    """

    name: str = ""
    accounts: Accounts | None = None
    otherwise: Role | None = None

    @property
    def role(self) -> Role | None:
        """Role at this moment; None once the account is gone."""
        if self.accounts is None:
            return "administrator"
        account = self.accounts.find(self.name)
        return self.otherwise if account is None else account.role

    def may(self, role: Role) -> bool:
        """Whether they may do what wants a role."""
        own = self.role
        return own is not None and ROLES.index(own) >= ROLES.index(role)

    def require(self, role: Role) -> None:
        """Refuse what wants a role that they lack.

        Raises
        ------
        RoleError
            They lack it; the message says whom to ask.
        """
        own = self.role
        if own is None:
            raise RoleError(text("entry.gone", name=self.name))
        if ROLES.index(own) < ROLES.index(role):
            raise RoleError(
                text(
                    "entry.role", name=self.name, own=text(f"role.{own}"), role=text(f"role.{role}")
                )
            )


LOCAL = Identity()
"""Whoever uses this machine: a desk on loopback asks nobody who they are."""
