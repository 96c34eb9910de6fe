"""Cities of a reader's own: which there are, and opening one at the desk."""

from __future__ import annotations

import tomllib
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from layers import City
from layers.errors import CityMissingError, StoreError
from layers.messages import text
from planner.desk.study import Study
from planner.own import is_key, own_folder

if TYPE_CHECKING:
    from pathlib import Path

    from layers.messages import Language

_MOST_OPEN = 3


@dataclass(frozen=True, kw_only=True)
class Own:
    """A city of a reader's own.

    Attributes
    ----------
    key
        Name of its folder, and what the address calls it.
    name, name_en
        What it is called.
    facilities
        Where its facilities come from.
    """

    key: str
    name: str
    name_en: str
    facilities: str

    def title(self, lang: Language) -> str:
        """Name in a language."""
        return self.name_en if lang == "en" else self.name


class Cities:
    """Cities that one reader may open, and those that are open.

    Parameters
    ----------
    home
        The city that the server was started with.
    user
        Who is logged in; empty for whoever sits at this machine.
    """

    def __init__(self, home: Study, user: str = "") -> None:
        self.home, self.folder = home, own_folder(user)

    def all(self) -> list[Own]:
        """Every city of the reader's own, by name; what is no city is passed over."""
        if not self.folder.is_dir():
            return []
        found = []
        for folder in self.folder.iterdir():
            if not is_key(folder.name):
                continue
            try:
                told = tomllib.loads((folder / "city.toml").read_text(encoding="utf-8"))
                made = Own(
                    key=folder.name,
                    name=str(told["name"]),
                    name_en=str(told["name_en"]),
                    facilities=str(told["layers"]["facilities"]["source"]),
                )
            except (OSError, ValueError, KeyError, TypeError):
                continue
            found.append(made)
        return sorted(found, key=lambda one: (one.name, one.key))

    def study(self, key: str) -> Study | None:
        """Find what sessions share of a city that is open already; None if it is not."""
        if not key:
            return self.home
        with _lock:
            held = _opened.get(self.home, OrderedDict())
            if self._path(key) in held:
                held.move_to_end(self._path(key))
            return held.get(self._path(key))

    def open(self, key: str) -> Study:
        """Open a city of the reader's own; it takes its time.

        Raises
        ------
        CityError
            It is not there, or damaged.
        """
        if not is_key(key):
            raise CityMissingError(text("error.city_missing", path=key))
        known = self.study(key)
        if known is not None:
            return known
        home, store = self.home, None
        with suppress(StoreError):
            store = home.store
        made = Study(
            City.open(self._path(key)),
            services=home.services,
            plan=home.plan,
            basemaps=home.basemaps,
            store=store,
        )
        # The server answers for the tiles of the first one alone.
        made.tiles = home.tiles
        with _lock:
            held = _opened.setdefault(home, OrderedDict())
            held[self._path(key)] = made
            while len(held) > _MOST_OPEN:
                held.popitem(last=False)
        return made

    def _path(self, key: str) -> Path:
        return self.folder / key


# Sessions that look at a city hold it themselves, so that it may go from here.
_opened: WeakKeyDictionary[Study, OrderedDict[Path, Study]] = WeakKeyDictionary()
_lock = Lock()
