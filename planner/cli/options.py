"""Options that several commands share, and the city that they name."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.progress import Progress

from layers import City, embedded
from layers.database import Address, located
from layers.errors import CityError
from layers.messages import LANGUAGES, text
from planner.cli.screen import DONE, stderr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layers.embedded import Size


class Commands:
    """The commands as the parser knows them.

    Parameters
    ----------
    parser
        The program's parser.
    """

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._parsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(
        self, name: str, run: Any, *, languages: Sequence[str] = LANGUAGES, **extra: Any
    ) -> argparse.ArgumentParser:
        """Add a command; its help stands in the catalogue.

        Parameters
        ----------
        name
            Name of the command.
        run
            Called with the options; gives the exit status.
        languages
            What its ``--lang`` may name.
        extra
            Passed on to the parser.
        """
        told = text(f"cli.{name}.help")
        made = self._parsers.add_parser(name, help=told, description=told, **extra)
        made.set_defaults(run=run)
        # After the command too, but without undoing what stands before it.
        made.add_argument(
            "--lang", choices=languages, default=argparse.SUPPRESS, help=text("cli.lang")
        )
        return made


class StoreTasks:
    """What a command does with a store, each task with a parser of its own.

    Parameters
    ----------
    parser
        The command's parser.
    name
        Name of the command; help stands in the catalogue under it.
    """

    def __init__(self, parser: argparse.ArgumentParser, name: str) -> None:
        told = text("cli.store.place")
        parser.add_argument("--store", type=place, metavar="PATH|URL", help=told)
        self._parsers = parser.add_subparsers(dest="asked", required=True, metavar="TASK")
        self._name = name

    def add(self, name: str, task: Any, *words: str) -> argparse.ArgumentParser:
        """Add a task.

        Parameters
        ----------
        name
            Name of the task.
        task
            What `run_task` calls.
        words
            Names of what must be given.
        """
        told = text(f"cli.{self._name}.{name}")
        made = self._parsers.add_parser(name, help=told, description=told)
        made.set_defaults(task=task)
        for word in words:
            made.add_argument(word, help=text(f"cli.{self._name}.{word}"))
        share(made, "json")
        return made


def run_task(options: argparse.Namespace) -> int:
    """Open the store and do the task that was asked for."""
    from planner.store import Store  # noqa: PLC0415 - other commands need no database

    with Store(options.store) as store:
        options.task(store, options)
    return DONE


def share(parser: argparse.ArgumentParser, *names: str) -> None:
    """Add options that mean the same in every command, by their names."""
    every: dict[str, dict[str, Any]] = {
        "city": {"type": place, "metavar": "PATH|URL", "help": text("cli.city")},
        "services": {"type": Path, "help": text("cli.services_file")},
        "plan": {"type": Path, "metavar": "FILE", "help": text("cli.plan")},
        "limit": {"type": float, "default": 300.0, "help": text("cli.limit")},
        "json": {"action": "store_true", "help": text("cli.json")},
    }
    for name in names:
        parser.add_argument(f"--{name}", **every[name])


def place(words: str) -> Path | Address:
    """Read where a city or a store lies: a path, or a database's address."""
    try:
        return located(words)
    except CityError as wrong:
        raise argparse.ArgumentTypeError(str(wrong)) from wrong


def open_city(path: Path | Address | None, size: Size = "city") -> City:
    """Open a city's folder or schema, or the embedded city when there is none."""
    if path:
        return City.open(path)
    words = text("cli.embedded.working")
    with Progress(console=stderr(), transient=True) as bar:
        task = bar.add_task(words, total=1.0, visible=False)
        return embedded(
            size, progress=lambda _, share: bar.update(task, completed=share, visible=True)
        )
