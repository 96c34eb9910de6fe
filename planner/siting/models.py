"""Models of siting by their short names in the field, and what goes with each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from planner.standards import unknown_name

Model = Literal[
    "lscp",
    "lscpb",
    "mclp",
    "fair",
    "clscp",
    "cmclp",
    "p-median",
    "p-centre",
    "cp-median",
]


@dataclass(frozen=True, kw_only=True)
class Traits:
    """What a model asks for and bears.

    Attributes
    ----------
    aliases
        Other names it goes by.
    covers
        Whether it counts who is within the standard, rather than how far everyone goes.
    spends
        Whether it needs a number or a budget: without, everything would be opened.
    shares
        Whether a share of the people to be served may be asked for.
    decays
        Whether cover may fall off with distance.
    holds
        Whether capacities count.
    """

    aliases: tuple[str, ...]
    covers: bool = True
    spends: bool = True
    shares: bool = False
    decays: bool = False
    holds: bool = False


MODELS: dict[Model, Traits] = {
    "mclp": Traits(
        aliases=("maximal-cover", "maximal-covering", "max-cover", "phases"), decays=True
    ),
    "lscp": Traits(
        aliases=("set-cover", "location-set-cover"), spends=False, shares=True, decays=True
    ),
    "lscpb": Traits(aliases=("lscp-b", "backup", "backup-cover"), spends=False),
    "fair": Traits(aliases=("fair-cover", "maximin-cover"), decays=True),
    "cmclp": Traits(aliases=("capacitated-mclp", "capacitated-cover"), decays=True, holds=True),
    "clscp": Traits(
        aliases=("capacitated-lscp", "capacitated-set-cover"),
        spends=False,
        shares=True,
        holds=True,
    ),
    "p-median": Traits(aliases=("median", "pmp"), covers=False),
    "p-centre": Traits(aliases=("p-center", "centre", "center"), covers=False),
    "cp-median": Traits(
        aliases=("cpmp", "capacitated-p-median", "capacitated-median"),
        covers=False,
        holds=True,
    ),
}
"""Every model, the usual first."""


def named(words: str) -> Model:
    """Find a model by its name or one of its aliases; case, spaces and underscores aside.

    Raises
    ------
    UnknownNameError
        There is none.

    Examples
    --------
    >>> named("MCLP"), named("p_center"), named("pmedian")
    ('mclp', 'p-centre', 'p-median')
    """
    plain = _plain(words)
    for model, traits in MODELS.items():
        if plain in {_plain(name) for name in (model, *traits.aliases)}:
            return model
    raise unknown_name("model", words, MODELS)


def _plain(words: str) -> str:
    return words.lower().translate(str.maketrans("", "", "-_ "))
