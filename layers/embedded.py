"""The modelled Hangzhou that the program carries, built on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import platformdirs

from layers.city import City, Provenance
from layers.errors import PlannerError
from layers.messages import text

if TYPE_CHECKING:
    from pathlib import Path

    from layers.sources.modelled import Progress

Size = Literal["small", "city", "full"]
"""Sizes of the model; its own package, which is slow to import, has the same."""


def embedded(
    size: Size = "city",
    *,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> City:
    """Open the modelled Hangzhou, building it on first use.

    Facts (districts, townships' names, census figures) are real; streets, the place of
    people within districts, townships' shapes and facilities are modelled, and every
    layer says so.

    Parameters
    ----------
    size
        ``small`` for tests, ``city`` for work, ``full`` for scale.
    cache
        Folder to keep it in; the user's cache folder when None.
    progress
        Called with what is being done and the share done, while it is built.

    Examples
    --------
    >>> embedded("small").modelled
    True
    """
    from layers.sources import modelled  # noqa: PLC0415 - the model is needed but once

    folder = (cache or default_cache()) / f"hangzhou-{size}-{modelled.MODEL_VERSION}"
    try:
        return City.open(folder)
    except PlannerError:
        # Not there yet, or damaged: it can always be made anew.
        return _build(size, progress).save(folder)


def default_cache() -> Path:
    """Find the user's cache folder; ``XDG_CACHE_HOME`` and the like decide."""
    return platformdirs.user_cache_path("coverage-planner", appauthor=False)


def _build(size: Size, progress: Progress | None) -> City:
    from layers.sources import modelled  # noqa: PLC0415 - see above

    made = modelled.build_layers(size, progress=progress)
    notes = (f"{text('source.facts', 'zh')} / {text('source.facts', 'en')}",)
    layers = ("streets", "units", "population", "facilities", "water")
    return City.of(
        name="杭州（模拟）",
        name_en="Hangzhou (modelled)",
        crs=4549,
        provenance={
            key: Provenance(
                source=f"Hangzhou model {modelled.MODEL_VERSION} ({size})",
                licence="MIT",
                date="2020",
                modelled=True,
                notes=notes,
            )
            for key in layers
        },
        **{key: getattr(made, key) for key in layers},
    )
