"""Everything this program refuses, as one tree.

::

    PlannerError
    ├── InputError (ValueError)          what was handed in is wrong
    │   ├── CrsError                     coordinates without a reference system
    │   ├── SourceError                  a file that cannot become a layer
    │   ├── LayerError                   a layer with findings that stop the work
    │   ├── StandardError                services.toml says something unknown
    │   ├── PlanError                    a plan that contradicts itself
    │   └── UnknownNameError (KeyError)  no service, level, group or mode of that name
    ├── CityError                        a city's folder
    │   ├── CityMissingError (FileNotFoundError)
    │   └── CityDamagedError
    ├── StoreError                       where scenarios, views and values are kept
    │   ├── RecordMissingError (KeyError)
    │   └── RevisionConflictError        somebody else saved in between; both are kept
    └── EntryError (PermissionError)     who may not come in, or may not do this
        ├── LoginRefusedError            no such name with this password
        ├── LoginLockedError             too many attempts
        ├── ProviderError                a provider of identities lets nobody in
        │   ├── ProviderRefusedError     it does not want to
        │   ├── ProviderLostError        it cannot be reached, or talks nonsense
        │   └── ProviderDoubtedError     what it says does not hold
        └── RoleError                    the role does not reach so far
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layers.findings import Finding


class PlannerError(Exception):
    """Anything the program refuses; catch this to catch them all."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class InputError(PlannerError, ValueError):
    """What was handed in is wrong; the message names the rows and the remedy."""


class CrsError(InputError):
    """Coordinates whose reference system is not known."""


class SourceError(InputError):
    """A file that cannot be read, or cannot become the layer it was given for."""


class LayerError(InputError):
    """A layer with findings that stop the work.

    Parameters
    ----------
    findings
        What is wrong, errors first.
    """

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("\n".join(str(finding) for finding in findings))
        self.findings = tuple(findings)


class StandardError(InputError):
    """A table of services that says something the program does not know."""


class PlanError(InputError):
    """A plan that cannot be read or contradicts itself; the message names the lines."""


class UnknownNameError(InputError, KeyError):
    """No service, level, group or mode has that name."""


class CityError(PlannerError):
    """A city's folder that cannot be used."""


class CityMissingError(CityError, FileNotFoundError):
    """The folder, or a file in it, is not there."""


class CityDamagedError(CityError):
    """A file of the folder is truncated or was changed by hand."""


class StoreError(PlannerError):
    """A store of scenarios, views and values that cannot be used."""


class RecordMissingError(StoreError, KeyError):
    """The store has no such record, or it is deleted."""


class RevisionConflictError(StoreError):
    """Somebody else has saved a record in between; both versions are kept.

    Parameters
    ----------
    message
        Who saved what, and where one's own version is now.
    theirs
        The record as the other left it.
    own
        The new record that holds one's own version; None where nothing was to be kept.
    """

    def __init__(self, message: str, *, theirs: Any, own: Any) -> None:
        super().__init__(message)
        self.theirs = theirs
        self.own = own


class EntryError(PlannerError, PermissionError):
    """Somebody may not come in, or may not do what was asked."""


class LoginRefusedError(EntryError):
    """Nobody of that name has this password; which of the two is wrong is not told."""


class LoginLockedError(EntryError):
    """Too many attempts under one name.

    Parameters
    ----------
    message
        What to do.
    seconds
        How long until the next attempt is heard.
    """

    def __init__(self, message: str, *, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds


class ProviderError(EntryError):
    """A provider of identities lets nobody in.

    The message names neither codes nor tokens, nor anything else that it said.
    """


class ProviderRefusedError(ProviderError):
    """It knows whoever asks not, or does not let them in here."""


class ProviderLostError(ProviderError):
    """It cannot be reached, or what it answers is none."""


class ProviderDoubtedError(ProviderError):
    """What it says of somebody was not said by it, not said to us, or not said now."""


class RoleError(EntryError):
    """The role of whoever asks does not reach as far as what was asked."""
