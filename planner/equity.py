"""Equity: how unequally a service is spread over districts, town and country, and people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from planner.settlement import SETTLEMENTS, settlement

if TYPE_CHECKING:
    from layers.population import Group
    from layers.units import Level
    from planner._search import Floats
    from planner.access import Access
    from planner.coverage import Coverage

_TOP, _BOTTOM = 0.1, 0.4


def lorenz(values: Floats, people: Floats) -> tuple[Floats, Floats]:
    """Lorenz curve: the share of all access that the people with least of it have.

    Parameters
    ----------
    values
        Access for each person at each home, at least nought.
    people
        At each home.

    Returns
    -------
    Cumulative shares of people, from those with least access, and of access; both from
    nought to one. Straight between their points. NaN where there is no access.

    Examples
    --------
    >>> people, access = lorenz(np.array([1.0, 3.0]), np.array([1.0, 1.0]))
    >>> people.tolist(), access.tolist()
    ([0.0, 0.5, 1.0], [0.0, 0.25, 1.0])
    """
    lives = people > 0
    order = np.argsort(values[lives], kind="stable")
    weight, value = people[lives][order], values[lives][order]
    total = float((weight * value).sum())
    share = np.concatenate([[0.0], np.cumsum(weight)]) / max(weight.sum(), np.finfo(float).tiny)
    held = np.concatenate([[0.0], np.cumsum(weight * value)])
    return share, held / total if total > 0 else np.full(len(held), np.nan)


def gini(values: Floats, people: Floats) -> float:
    """Gini coefficient of access: twice the area between the Lorenz curve and equality.

    The same as Σ_i Σ_j w_i w_j |x_i - x_j| / (2 W² μ), with people w, their sum W and the
    mean μ (Gini 1912; Lerman & Yitzhaki 1989 for weights). Nought where all have the same,
    towards one where few have all. NaN where nobody has any.

    Examples
    --------
    >>> gini(np.array([1.0, 3.0]), np.array([1.0, 1.0]))
    0.25
    """
    share, held = lorenz(values, people)
    return float(1 - ((held[1:] + held[:-1]) * np.diff(share)).sum())


def palma(values: Floats, people: Floats) -> float:
    """Palma ratio: what the tenth with most access has over what the 40 % with least have.

    Read off the Lorenz curve (Palma 2011, Development and Change 42(1), 87–153). With equal
    access 0.25. Inf where the 40 % have nothing, NaN where nobody has any.

    Examples
    --------
    >>> round(palma(np.ones(4), np.ones(4)), 9)
    0.25
    """
    share, held = lorenz(values, people)
    if np.isnan(held).any():
        return float("nan")
    top = 1 - float(np.interp(1 - _TOP, share, held))
    bottom = float(np.interp(_BOTTOM, share, held))
    return top / bottom if bottom > 0 else float("inf")


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Equity:
    """How unequally a service is spread.

    Attributes
    ----------
    coverage
        What it was computed of.
    access
        Supply for each person; see `planner.access`.
    group
        Group of people.
    level
        Level of the units compared.
    units
        Figures of the units, as `Coverage.by` gives them.
    settlements
        A row each for ``town`` and ``country``: ``settlement, people, served, rate``,
        ``access``; fewer where the city has no townships of a kind.
    """

    coverage: Coverage
    access: Access
    group: Group
    level: Level
    units: pd.DataFrame
    settlements: pd.DataFrame

    @property
    def gap(self) -> float:
        """Highest rate of a unit less the lowest, of those where anybody lives."""
        rates = self.units["rate"].dropna()
        return float(rates.max() - rates.min()) if len(rates) else float("nan")

    @property
    def extremes(self) -> tuple[pd.Series, pd.Series]:
        """Figures of the unit with the highest rate, and of that with the lowest."""
        lived_in = self.units[self.units["rate"].notna()]
        rates = lived_in["rate"].to_numpy(dtype=np.float64)
        return lived_in.iloc[int(rates.argmax())], lived_in.iloc[int(rates.argmin())]

    @property
    def settlement_gap(self) -> float:
        """Rate of town less that of country; NaN where one is missing."""
        rates = self.settlement_rates
        return rates.get("town", np.nan) - rates.get("country", np.nan)

    @property
    def settlement_rates(self) -> dict[str, float]:
        """Rates of town and country, those that the city has."""
        table = self.settlements
        rates = table["rate"].to_numpy(dtype=np.float64)
        return dict(zip(table["settlement"], rates.tolist(), strict=True))

    @property
    def gini(self) -> float:
        """Gini coefficient of access over people."""
        return gini(*self._held)

    @property
    def palma(self) -> float:
        """Palma ratio of access over people."""
        return palma(*self._held)

    def lorenz(self, points: int | None = None) -> pd.DataFrame:
        """Lorenz curve of access over people.

        Parameters
        ----------
        points
            Read it off at so many even steps of people; every home when None.

        Returns
        -------
        Columns ``people`` and ``access``, cumulative shares.
        """
        share, held = lorenz(*self._held)
        if points is not None:
            steps = np.linspace(0.0, 1.0, points + 1)
            share, held = steps, np.interp(steps, share, held)
        return pd.DataFrame({"people": share, "access": held})

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; None where there is no figure."""
        high, low = self.extremes if self.units["rate"].notna().any() else (None, None)
        return {
            "service": self.coverage.service.key,
            "year": self.coverage.year,
            "group": self.group,
            "level": self.level,
            "gap": _plain(self.gap),
            "highest": None if high is None else _unit(high),
            "lowest": None if low is None else _unit(low),
            "settlement_gap": _plain(self.settlement_gap),
            "settlements": [
                {"settlement": row.pop("settlement"), **{k: _plain(v) for k, v in row.items()}}
                for row in self.settlements.to_dict("records")
            ],
            "gini": _plain(self.gini),
            "palma": _plain(self.palma),
            "lorenz": [
                {key: _plain(value) for key, value in row.items()}
                for row in self.lorenz(20).to_dict("records")
            ],
            "access": self.access.as_dict(self.level),
        }

    def __repr__(self) -> str:
        return (
            f"<Equity of {self.coverage.service.key} over {len(self.units)} units: "
            f"gap {self.gap:.1%}, Gini {self.gini:.3f}>"
        )

    @property
    def _held(self) -> tuple[Floats, Floats]:
        inside = self.coverage.demand[self.coverage.levels].notna().any(axis=1).to_numpy()
        people = self.coverage.city.population[self.group].to_numpy(dtype=np.float64)
        return self.access.homes.to_numpy()[inside], people[inside]


def equity(access: Access, *, level: Level = "district") -> Equity:
    """Tell how unequally a service is spread.

    Parameters
    ----------
    access
        Access to the service; see `planner.access.access`.
    level
        Level of the units to compare.

    Raises
    ------
    UnknownNameError
        The city has no unit of that level.

    Examples
    --------
    >>> from layers import embedded
    >>> from planner import coverage
    >>> from planner.access import access
    >>> told = equity(access(coverage(embedded("small"), "fitness_circle", year=2023)))
    >>> bool(0 < told.gini < 1 and 0 < told.gap < 1)
    True
    """
    coverage = access.coverage
    units = coverage.by(level, access.group)
    return Equity(
        coverage=coverage,
        access=access,
        group=access.group,
        level=level,
        units=units[units["code"] != ""].reset_index(drop=True) if level != "city" else units,
        settlements=_settlements(access),
    )


def _settlements(access: Access) -> pd.DataFrame:
    columns = ("settlement", "people", "served", "rate", "access")
    coverage = access.coverage
    if "township" not in coverage.levels:
        return pd.DataFrame(columns=list(columns))
    table = coverage.by("township", access.group)
    table = table.join(access.by("township").set_index("code")["access"], on="code")
    kind = settlement(table["name"])
    rows = []
    for each in SETTLEMENTS:
        own = table[(kind == each).fillna(value=False)]
        people = float(own["people"].sum())
        if people > 0:
            served = float(own["served"].sum())
            mean = float((own["access"].fillna(0.0) * own["people"]).sum()) / people
            rows.append((each, people, served, served / people, mean))
    return pd.DataFrame(rows, columns=list(columns))


def _unit(row: pd.Series) -> dict[str, Any]:
    return {name: row[name] for name in ("code", "name", "name_en")} | {"rate": float(row["rate"])}


def _plain(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None
