"""Accounts: who may enter, in which role, and who has guessed too often."""

from __future__ import annotations

import secrets
import unicodedata
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal, get_args

import sqlalchemy as sa

from layers.errors import InputError, LoginLockedError, LoginRefusedError
from layers.messages import text
from planner.standards import unknown_name
from planner.store import passwords
from planner.store.tables import USERS

if TYPE_CHECKING:
    from planner.store.database import Database

Role = Literal["viewer", "planner", "administrator"]
ROLES: tuple[Role, ...] = get_args(Role)
"""From the one who may do least to the one who may do all."""

ATTEMPTS = 5
"""Wrong passwords under one name after which the name is locked."""
LOCKED = timedelta(minutes=15)
"""For how long."""
_STRANGERS = 10_000
_LONGEST = 64


@dataclass(frozen=True, kw_only=True)
class Account:
    """One who may enter.

    Attributes
    ----------
    name
        What they enter with.
    role
        ``viewer``, ``planner`` or ``administrator``.
    stamp
        Changes with the password; a cookie that carries another is worth nothing.
    since
        When the account was made (UTC).
    has_password
        Whether a password lets them in; without it OAuth alone does.
    locked_until
        Until when no attempt is heard, None where it is not locked.
    """

    name: str
    role: Role
    stamp: str
    since: datetime
    has_password: bool
    locked_until: datetime | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; the stamp is left out."""
        until = self.locked_until
        return {
            "name": self.name,
            "role": self.role,
            "since": self.since.isoformat(),
            "has_password": self.has_password,
            "locked_until": until.isoformat() if until else None,
        }


class Accounts:
    """Accounts of a store.

    Parameters
    ----------
    database
        The store's database.

    Examples
    --------
    >>> import tempfile
    >>> from planner.store import Store
    >>> with tempfile.TemporaryDirectory() as folder, Store(f"{folder}/store.sqlite") as store:
    ...     made = store.accounts.add("wang", "planner", "a lengthy secret")
    ...     store.accounts.check("wang", "a lengthy secret").role
    'planner'
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        # Names that nobody has are locked too, or the answer would tell which ones somebody has.
        self._strangers: OrderedDict[str, tuple[int, datetime | None]] = OrderedDict()
        self._alone = Lock()

    def add(self, name: str, role: Role, password: str | None = None) -> Account:
        """Let somebody in from now on.

        Parameters
        ----------
        name
            What they enter with.
        role
            What they may do.
        password
            Their password; without one they enter by OAuth alone.

        Raises
        ------
        InputError
            The name is none or taken, or the password is weak.
        UnknownNameError
            There is no such role.
        """
        name = plain_name(name)
        _known(role)
        if password is not None:
            passwords.refuse_weak(password, name=name)
        row = {
            "name": name,
            "role": role,
            "password": None if password is None else passwords.hashed(password),
            "stamp": secrets.token_hex(16),
            "since": datetime.now(UTC),
            "failures": 0,
            "locked_until": None,
        }
        with self._database.transaction() as connection:
            if _row(connection, name) is not None:
                raise InputError(text("entry.taken", name=name))
            connection.execute(sa.insert(USERS).values(**row))
        return self.get(name)

    def remove(self, name: str) -> None:
        """Let somebody in no more; what they kept stays.

        Raises
        ------
        UnknownNameError
            There is no such account.
        """
        with self._database.transaction() as connection:
            if _row(connection, name, to_change=True) is None:
                raise unknown_name("user", name, _names(connection))
            connection.execute(sa.delete(USERS).where(USERS.c.name == name))

    def set_role(self, name: str, role: Role) -> Account:
        """Give an account another role, in force at once.

        Raises
        ------
        UnknownNameError
            There is no such account or role.
        """
        _known(role)
        return self._change(name, {"role": role})

    def set_password(self, name: str, password: str) -> Account:
        """Give an account another password; whoever is in under the old one has to enter anew.

        Raises
        ------
        UnknownNameError
            There is no such account.
        InputError
            The password is weak.
        """
        passwords.refuse_weak(password, name=name)
        fresh = {"password": passwords.hashed(password), "stamp": secrets.token_hex(16)}
        return self._change(name, {**fresh, "failures": 0, "locked_until": None})

    def unlock(self, name: str) -> Account:
        """Hear attempts under a name again.

        Raises
        ------
        UnknownNameError
            There is no such account.
        """
        return self._change(name, {"failures": 0, "locked_until": None})

    def get(self, name: str) -> Account:
        """Look an account up.

        Raises
        ------
        UnknownNameError
            There is no such account.
        """
        with self._database.transaction(reading=True) as connection:
            row = _row(connection, name)
            if row is None:
                raise unknown_name("user", name, _names(connection))
        return _account(row)

    def find(self, name: str) -> Account | None:
        """Look an account up; None where there is none."""
        with self._database.transaction(reading=True) as connection:
            row = _row(connection, name)
        return None if row is None else _account(row)

    def every(self) -> list[Account]:
        """List all accounts by their names."""
        with self._database.transaction(reading=True) as connection:
            rows = connection.execute(sa.select(USERS).order_by(USERS.c.name)).mappings().all()
        return [_account(row) for row in rows]

    def check(self, name: str, password: str) -> Account:
        """Let somebody in who knows the password.

        An attempt counts before it is looked at, so that many at once do not count as one;
        the right password makes the count nought.

        Raises
        ------
        LoginRefusedError
            Nobody of that name has this password.
        LoginLockedError
            There were too many attempts under this name.
        """
        name = unicodedata.normalize("NFKC", name).strip()
        now = datetime.now(UTC)
        row = self._counted(name, now)
        if not passwords.matches(password, None if row is None else row["password"]) or row is None:
            raise LoginRefusedError(text("entry.refused"))
        return self.unlock(name)

    def failures(self, name: str) -> int:
        """How many attempts under a name have failed since the last that did not."""
        with self._database.transaction(reading=True) as connection:
            row = _row(connection, unicodedata.normalize("NFKC", name).strip())
        if row is not None:
            return int(row["failures"])
        with self._alone:
            return self._strangers.get(name, (0, None))[0]

    def _counted(self, name: str, now: datetime) -> sa.RowMapping | None:
        """Count an attempt, if it is heard at all; gives what is known of the name."""
        with self._database.transaction() as connection:
            row = _row(connection, name, to_change=True)
            if row is not None:
                failures, until = _next_attempt(row["failures"], row["locked_until"], now)
                changes = {"failures": failures, "locked_until": until}
                connection.execute(sa.update(USERS).where(USERS.c.name == name).values(**changes))
                return row
        with self._alone:
            failures, until = self._strangers.pop(name, (0, None))
            # As it was, should the attempt not be heard.
            self._strangers[name] = failures, until
            self._strangers[name] = _next_attempt(failures, until, now)
            while len(self._strangers) > _STRANGERS:
                self._strangers.popitem(last=False)
        return None

    def _change(self, name: str, changes: dict[str, Any]) -> Account:
        which = USERS.c.name == name
        with self._database.transaction() as connection:
            if _row(connection, name, to_change=True) is None:
                raise unknown_name("user", name, _names(connection))
            connection.execute(sa.update(USERS).where(which).values(**changes))
            row = _row(connection, name)
        assert row is not None
        return _account(row)


def _next_attempt(
    failures: int, locked_until: datetime | None, now: datetime
) -> tuple[int, datetime | None]:
    """Count one more attempt, unless the name is locked."""
    if locked_until is not None and now < locked_until:
        left = (locked_until - now).total_seconds()
        minutes = int(left // 60) + 1
        raise LoginLockedError(text("entry.locked", minutes=minutes), seconds=left)
    # After a lock the count begins anew.
    failures = 1 if locked_until is not None else failures + 1
    return failures, now + LOCKED if failures >= ATTEMPTS else None


def plain_name(name: str) -> str:
    """Write a name in the one form that accounts have.

    Raises
    ------
    InputError
        It is none.

    Examples
    --------
    >>> plain_name(" ｗａｎｇ ")
    'wang'
    """
    made = unicodedata.normalize("NFKC", name).strip()
    printable = all(unicodedata.category(letter)[0] not in "CZ" for letter in made)
    if not made or len(made) > _LONGEST or not printable:
        raise InputError(text("entry.no_name", longest=_LONGEST))
    return made


def _known(role: str) -> None:
    if role not in ROLES:
        raise unknown_name("role", role, ROLES)


def _names(connection: sa.Connection) -> list[str]:
    return list(connection.execute(sa.select(USERS.c.name).order_by(USERS.c.name)).scalars())


def _row(connection: sa.Connection, name: str, *, to_change: bool = False) -> sa.RowMapping | None:
    asked = sa.select(USERS).where(USERS.c.name == name)
    if to_change:
        asked = asked.with_for_update()
    return connection.execute(asked).mappings().one_or_none()


def _account(row: sa.RowMapping) -> Account:
    until = row["locked_until"]
    return Account(
        name=row["name"],
        role=row["role"],
        stamp=row["stamp"],
        since=row["since"],
        has_password=row["password"] is not None,
        locked_until=until if until is not None and until > datetime.now(UTC) else None,
    )
