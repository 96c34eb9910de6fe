"""The command line: one module a command."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from itertools import zip_longest
from typing import Any

from layers.errors import CityMissingError, PlannerError, UnknownNameError
from layers.messages import LANGUAGES, speaking, text
from planner.cli.options import Commands
from planner.cli.screen import DONE, MISUSED, STOPPED, stderr

__all__ = ["main"]

_COMMANDS = (
    "fetch",
    "build",
    "copy",
    "check",
    "coverage",
    "site",
    "monitor",
    "record",
    "equity",
    "report",
    "serve",
    "store",
    "batch",
    "user",
    "job",
    "bench",
)
"""Modules of this folder, in the order in which help lists them."""
_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    The process's own command ends with it, whatever a solver that was stopped still does.

    Parameters
    ----------
    arguments
        Words of the command line; the process's own when None.

    Returns
    -------
    0 done, 1 findings or damaged input that stop the work, 2 wrong use.
    """
    if arguments is not None:
        return _run(arguments)
    try:
        status = _run(sys.argv[1:])
    except KeyboardInterrupt:
        leave(_INTERRUPTED)
        raise
    leave(status)
    return status


def leave(status: int) -> None:
    """End the process if a solver that was stopped would keep it waiting for half a minute."""
    solvers = sys.modules.get("planner.siting.program")
    if solvers is not None and solvers.left_running():
        # All is written: nothing is lost with what it still holds.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _run(arguments: Sequence[str]) -> int:
    with speaking(_language_of(arguments)):
        options = _parser(arguments).parse_args(arguments)
        try:
            status = options.run(options)
        except BrokenPipeError:
            # Whoever reads the figures has enough of them; nothing more may be written.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return DONE
        except PlannerError as wrong:
            stderr().print(str(wrong), style="red", markup=False, highlight=False)
            misused = isinstance(wrong, UnknownNameError | CityMissingError)
            return MISUSED if misused else STOPPED
        assert isinstance(status, int)
        return status


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="planner", description=text("cli.description"))
    parser.add_argument("--version", action="version", version=version("coverage-planner"))
    parser.add_argument("--lang", choices=LANGUAGES, help=text("cli.lang"))
    commands = Commands(parser)
    # The others are imported for help alone: each brings libraries of its own.
    words = (word for word in arguments if not word.startswith("-") and word not in LANGUAGES)
    asked = next(words, None)
    for name in (asked,) if asked in _COMMANDS else _COMMANDS:
        import_module(f"planner.cli.{name}").register(commands)
    return parser


def _language_of(arguments: Sequence[str]) -> Any:
    """Language asked for, which the parser's own words need before it can parse."""
    for word, following in zip_longest(arguments, arguments[1:], fillvalue=""):
        asked = following if word == "--lang" else word.removeprefix("--lang=")
        if word.startswith("--lang") and asked in LANGUAGES:
            return asked
    return None
