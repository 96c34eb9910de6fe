"""``planner user``: who may enter the desk, and in which role."""

from __future__ import annotations

import getpass
import sys
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table

from layers.errors import InputError
from layers.messages import text
from planner.cli.options import Commands, StoreTasks, run_task
from planner.cli.screen import plain, stdout, write
from planner.store.accounts import ROLES

if TYPE_CHECKING:
    import argparse

    from planner.store import Account, Store


def register(commands: Commands) -> None:
    """Add the command and its own commands to the parser."""
    add = StoreTasks(commands.add("user", run_task), "user").add
    adding = add("add", _add, "name")
    adding.add_argument("--role", choices=ROLES, required=True, help=text("cli.user.which"))
    adding.add_argument("--no-password", action="store_true", help=text("cli.user.no_password"))
    add("remove", _remove, "name")
    add("role", _role, "name").add_argument("role", choices=ROLES, help=text("cli.user.which"))
    add("password", _password, "name")
    add("unlock", _unlock, "name")
    add("list", _list)


def _add(store: Store, options: argparse.Namespace) -> None:
    password = None if options.no_password else _asked()
    made = store.accounts.add(options.name, options.role, password)
    _tell(made, "added", options)


def _remove(store: Store, options: argparse.Namespace) -> None:
    gone = store.accounts.get(options.name)
    store.accounts.remove(options.name)
    _tell(gone, "removed", options)


def _role(store: Store, options: argparse.Namespace) -> None:
    _tell(store.accounts.set_role(options.name, options.role), "changed", options)


def _password(store: Store, options: argparse.Namespace) -> None:
    store.accounts.get(options.name)
    _tell(store.accounts.set_password(options.name, _asked()), "renewed", options)


def _unlock(store: Store, options: argparse.Namespace) -> None:
    _tell(store.accounts.unlock(options.name), "unlocked", options)


def _list(store: Store, options: argparse.Namespace) -> None:
    found = store.accounts.every()
    if options.json:
        write({"users": [one.as_dict() for one in found]})
        return
    if not found:
        stdout().print(text("cli.user.nobody"))
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("name", "role", "since", "enters", "locked"):
        table.add_column(text(f"cli.user.column.{column}"), overflow="fold")
    for one in found:
        enters = text(
            "cli.user.column.by_password" if one.has_password else "cli.user.column.by_oauth"
        )
        until = f"{one.locked_until:%Y-%m-%d %H:%M}" if one.locked_until else ""
        since = f"{one.since:%Y-%m-%d %H:%M}"
        table.add_row(plain(one.name), text(f"role.{one.role}"), since, enters, until)
    stdout().print(table)


def _tell(account: Account, what: str, options: argparse.Namespace) -> None:
    if options.json:
        write({"user": account.as_dict()})
        return
    told = text(f"cli.user.{what}", name=account.name, role=text(f"role.{account.role}"))
    stdout().print(told, markup=False, highlight=False)


def _asked() -> str:
    """Ask for a password twice, or read it once from what is piped in."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass.getpass(text("cli.user.ask"))
    if getpass.getpass(text("cli.user.again")) != password:
        raise InputError(text("cli.user.differ"))
    return password
