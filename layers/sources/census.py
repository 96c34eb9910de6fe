"""People of the 2020 census in the 13 districts of 2021, by sex and age.

The census was taken in the districts of 2020; the city was divided anew in
2021. The functions here carry the figures over, and read the table that the
script ``scripts/build_census.py`` writes with them.

Two things always hold. Groups are sums of *atoms*, disjoint cells of sex and
age, so they nest wherever the atoms are divided among places: no place has
more women over 60 than people over 60. And every division is by
`apportion`, so nothing is lost or made by rounding.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from layers.resources import data_path

SEXES: Final = ("male", "female")
BANDS: Final = (
    "0",
    "1-4",
    *(f"{age}-{age + 4}" for age in range(5, 85, 5)),
    "85+",
)
"""The age bands of the census, in years: one, four, and then five wide."""

ATOMS: Final = (
    "men_0_3",
    "men_4_59",
    "men_60_plus",
    "women_0_3",
    "women_4_14",
    "women_15_44",
    "women_45_49",
    "women_50_59",
    "women_60_plus",
)
"""Disjoint cells of sex and age whose sums are the groups."""

_WOMEN: Final = tuple(atom for atom in ATOMS if atom.startswith("women"))
_PARTS: Final[Mapping[str, tuple[str, ...]]] = {
    "residents": ATOMS,
    "women": _WOMEN,
    "women_15_49": ("women_15_44", "women_45_49"),
    "women_45_59": ("women_45_49", "women_50_59"),
    "age_60_plus": ("men_60_plus", "women_60_plus"),
    "women_60_plus": ("women_60_plus",),
    "children_0_3": ("men_0_3", "women_0_3"),
}

# 2021: 下城 went to 拱墅; 江干 to 上城 but for 下沙 and 白杨, which became 钱塘
# together with 大江东 of 萧山; 余杭 was divided into 余杭 and 临平.
_WHOLE: Final[Mapping[str, tuple[str, ...]]] = {
    "330102": ("330102",),
    "330105": ("330103", "330105"),
    "330106": ("330106",),
    "330108": ("330108",),
    "330111": ("330111",),
    "330112": ("330112",),
    "330122": ("330122",),
    "330127": ("330127",),
    "330182": ("330182",),
}
_FITTING: Final = 200
_FITTED: Final = 1e-9
_SCENIC_AREA: Final = "西湖风景名胜区"


def apportion(weights: npt.ArrayLike, total: int) -> npt.NDArray[np.int64]:
    """Divide a whole number in proportion to weights, by largest remainder.

    Parameters
    ----------
    weights
        Weights, none negative; all nought only if `total` is nought.
    total
        The number to divide.

    Returns
    -------
    NDArray
        Whole numbers that add up to `total`, each within one of its exact
        share; of equal remainders the earlier is served first.

    Raises
    ------
    ValueError
        When a weight or the total is negative, or nothing has weight.
    """
    shares = np.asarray(weights, dtype=np.float64)
    if total < 0 or (shares < 0).any():
        message = "weights and total must not be negative"
        raise ValueError(message)
    if total == 0:
        return np.zeros(shares.shape, dtype=np.int64)
    mass = float(shares.sum())
    if not mass > 0:
        message = f"nothing has weight to carry {total}"
        raise ValueError(message)
    exact = shares * (total / mass)
    whole = np.floor(exact).astype(np.int64)
    short = total - int(whole.sum())
    # Rounding of the division may leave the floors one too many.
    step = 1 if short >= 0 else -1
    remainder = (exact - whole) * step
    remainder[(shares == 0) | ((step < 0) & (whole == 0))] = -np.inf
    whole[np.argsort(-remainder, kind="stable")[: abs(short)]] += step
    return whole


def split(cells: "pd.Series[int]", total: int) -> "tuple[pd.Series[int], pd.Series[int]]":
    """Divide a district's cells into a part of known total and the rest.

    Parameters
    ----------
    cells
        People of the district by cell.
    total
        People of the part.

    Returns
    -------
    part
        The cells in proportion, adding up to `total`.
    rest
        What is left: ``cells - part``.

    Raises
    ------
    ValueError
        When the part is larger than the district.
    """
    if total > int(cells.sum()):
        message = f"a part of {total} is larger than its district of {int(cells.sum())}"
        raise ValueError(message)
    part = pd.Series(apportion(cells.to_numpy(), total), index=cells.index)
    return part, cells - part


def carry(old: pd.DataFrame, totals: Mapping[str, int]) -> pd.DataFrame:
    """Carry the census from the districts of 2020 to those of 2021.

    Parameters
    ----------
    old
        People by cell; the index holds the codes of the districts of 2020.
    totals
        People of each district of 2021 by its code, as the bulletin gives
        them.

    Returns
    -------
    DataFrame
        People by cell in the districts of 2021. A divided district keeps its
        mix of sexes and ages in both parts: the bulletin gives only totals.

    Raises
    ------
    ValueError
        When the result does not meet the totals.
    """

    def whole(*codes: str) -> "pd.Series[int]":
        return old.loc[list(codes)].sum()

    new = {code: whole(*parts) for code, parts in _WHOLE.items()}
    # What 上城 has beyond its own people of old came from 江干; the rest of that is 下沙.
    jianggan, xiasha = split(whole("330104"), totals["330102"] - int(new["330102"].sum()))
    new["330102"] = new["330102"] + jianggan
    new["330109"], dajiangdong = split(whole("330109"), totals["330109"])
    new["330110"], new["330113"] = split(whole("330110"), totals["330110"])
    new["330114"] = xiasha + dajiangdong
    result = pd.DataFrame(new).T.sort_index().astype("int64")
    found = result.sum(axis=1)
    wrong = [code for code, total in totals.items() if int(found[code]) != total]
    if wrong:
        message = f"the parts do not meet the bulletin in {', '.join(wrong)}"
        raise ValueError(message)
    return result


def bulletin(table: pd.DataFrame, codes: Mapping[str, str]) -> dict[str, int]:
    """Return the bulletin's totals by code, the scenic area within 西湖.

    Parameters
    ----------
    table
        Columns ``district`` (Chinese name) and ``pop_2020_census``.
    codes
        Code of each district by its Chinese name.

    Returns
    -------
    dict
        People by code.
    """
    home = {**codes, _SCENIC_AREA: codes["西湖区"]}
    people = table.groupby(table["district"].map(home))["pop_2020_census"].sum()
    return {str(code): int(count) for code, count in people.items()}


def table() -> pd.DataFrame:
    """Read the people of the 2020 census in the districts of 2021.

    Returns
    -------
    DataFrame
        Index: code of the district. Columns: pairs of sex and age band.
    """
    rows = pd.read_csv(
        data_path("hangzhou", "census_2020.csv"), dtype={"district": str, "band": str}
    )
    wide = rows.pivot_table(
        index="district", columns=["sex", "band"], values="people", aggfunc="sum"
    )
    wide = wide.reindex(columns=pd.MultiIndex.from_product([SEXES, BANDS], names=["sex", "band"]))
    return wide.astype("int64")


def atoms() -> pd.DataFrame:
    """Return the people of each district in the disjoint cells `ATOMS`.

    Children of 1 to 3 are three quarters of the band 1-4, halves rounded up,
    for each sex of each district.

    Returns
    -------
    DataFrame
        Index: code of the district. Columns: `ATOMS`, whole numbers.
    """
    people = table()
    men, women = (pd.DataFrame({band: people[(sex, band)] for band in BANDS}) for sex in SEXES)
    cells: dict[str, pd.Series[int]] = {}
    for sex, of_sex in (("men", men), ("women", women)):
        cells[f"{sex}_0_3"] = of_sex["0"] + (3 * of_sex["1-4"] + 2) // 4
        cells[f"{sex}_60_plus"] = _ages(of_sex, 60)
    cells["men_4_59"] = men.sum(axis=1) - cells["men_0_3"] - cells["men_60_plus"]
    cells["women_4_14"] = _ages(women, 0, 15) - cells["women_0_3"]
    cells["women_15_44"] = _ages(women, 15, 45)
    cells["women_45_49"] = _ages(women, 45, 50)
    cells["women_50_59"] = _ages(women, 50, 60)
    return pd.DataFrame(cells)[list(ATOMS)].astype("int64")


def groups() -> pd.DataFrame:
    """Return the people of each district in each group.

    Returns
    -------
    DataFrame
        Index: code of the district. Columns: `layers.population.GROUPS`, whole numbers.
    """
    return groups_of(atoms())


def groups_of(cells: pd.DataFrame) -> pd.DataFrame:
    """Sum atoms into groups.

    Parameters
    ----------
    cells
        Columns `ATOMS`; any rows.

    Returns
    -------
    DataFrame
        The same rows with the columns `layers.population.GROUPS`.
    """
    return pd.DataFrame({group: cells[list(parts)].sum(axis=1) for group, parts in _PARTS.items()})


def complete(given: pd.DataFrame, mix: pd.DataFrame) -> pd.DataFrame:
    """Estimate every group where some are known, from a mix of sex and age.

    Iterative proportional fitting (Deming and Stephan 1940): the atoms of the mix are
    scaled to the known groups in turn until they meet them, so that groups nest.

    Parameters
    ----------
    given
        People of some groups, ``residents`` among them, a row a place.
    mix
        Columns `ATOMS`, what is typical of each place; aligned to `given`, each row with
        a sum above nought.

    Returns
    -------
    DataFrame
        Every group; those given are as they were.

    Examples
    --------
    >>> mix = pd.DataFrame([atoms().sum()])
    >>> people = complete(pd.DataFrame({"residents": [100.0], "women": [60.0]}), mix)
    >>> people.loc[0, "women_60_plus"] < people.loc[0, "age_60_plus"] < 40
    np.True_
    """
    residents = given["residents"].to_numpy("float64")
    shares = mix[list(ATOMS)].to_numpy("float64")
    cells = shares / shares.sum(axis=1, keepdims=True) * residents[:, np.newaxis]
    known = [group for group in _PARTS if group in given and group != "residents"]
    for _ in range(_FITTING if len(known) > 1 else 1):
        before = cells.copy()
        for group in known:
            inside = np.isin(ATOMS, _PARTS[group])
            people = np.minimum(given[group].to_numpy("float64"), residents)
            for part, wanted in ((inside, people), (~inside, residents - people)):
                there = cells[:, part].sum(axis=1)
                factor = np.divide(wanted, there, out=np.zeros_like(there), where=there > 0)
                cells[:, part] *= factor[:, np.newaxis]
        if np.abs(cells - before).max(initial=0) < _FITTED:
            break
    fitted = groups_of(pd.DataFrame(cells, index=given.index, columns=list(ATOMS)))
    return fitted.assign(**{group: given[group] for group in ("residents", *known)})


def _ages(people: pd.DataFrame, first: int, end: int = 200) -> "pd.Series[int]":
    """Sum the bands that start at `first` or later and before `end`."""
    bands = [band for band in BANDS if first <= int(band.rstrip("+").split("-")[0]) < end]
    return people[bands].sum(axis=1)
