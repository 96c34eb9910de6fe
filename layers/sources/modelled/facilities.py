"""The facility layer of the model: the five services of the plan, year by year."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from layers.sources.modelled.settings import Setting

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SOURCE: Final = "模拟数据 / modelled data"

CLINICS: Final[Mapping[str, tuple[int, int, int, int, int]]] = {
    # Clinics open by the end of 2021, 2022, 2023, 2024 and 2025 in each district.
    "330102": (3, 3, 4, 5, 6),
    "330105": (2, 3, 3, 4, 5),
    "330106": (2, 3, 4, 4, 5),
    "330108": (1, 2, 3, 3, 3),
    "330109": (1, 2, 3, 4, 5),
    "330110": (1, 1, 2, 3, 4),
    "330111": (1, 2, 3, 3, 3),
    "330112": (1, 1, 2, 3, 3),
    "330113": (1, 2, 3, 3, 3),
    "330114": (0, 1, 1, 2, 3),
    "330122": (1, 1, 2, 3, 3),
    "330127": (1, 1, 1, 1, 2),
    "330182": (1, 1, 1, 2, 2),
}
"""16 by the end of 2021 with one district short of its first, 32 by 2023, 40 by 2024."""

_CLINIC_YEARS: Final = (2021, 2022, 2023, 2024, 2025)
_CLINIC_TIERS: Final = ("city", "district", "primary")

_VENUES: Final = (
    # Venue, how many rooms in the real city about, share of venues with a room.
    ("景区", 70, 0.55),
    ("图书馆", 28, 0.75),
    ("商业综合体", 190, 0.80),
    ("市场", 90, 0.30),
    ("公共服务中心", 200, 0.60),
    ("地铁站", 230, 0.85),
    ("高铁站", 9, 1.00),
    ("医院", 130, 0.80),
    ("产业园区", 110, 0.25),
    ("用人单位", 240, 0.20),
    ("办事大厅", 60, 0.45),
)
_COMMUNITY_FITNESS: Final = 2400
_FIRST_YEAR: Final = 2015
_HOME_CARE_YEARS: Final = np.arange(2015, 2026)
_HOME_CARE_PACE: Final = (0.10, 0.08, 0.09, 0.10, 0.12, 0.13, 0.10, 0.09, 0.08, 0.06, 0.05)
_HOME_CARE_NONE: Final = 14


@dataclass(frozen=True)
class Places:
    """Where facilities may stand: the points where people live.

    Attributes
    ----------
    geometry
        The points.
    district, township
        Codes of the units each lies in.
    people
        People of each group, rows like the points.
    """

    geometry: Any
    district: Any
    township: Any
    people: pd.DataFrame

    @classmethod
    def of(cls, population: gpd.GeoDataFrame, units: gpd.GeoDataFrame) -> "Places":
        """Find the units that the points of a population layer lie in.

        Parameters
        ----------
        population
            Population layer.
        units
            Unit layer with townships.

        Returns
        -------
        Places
            The points inside a township.
        """
        towns = units[units["level"] == "township"]
        points = population.geometry.to_numpy()
        tree = shapely.STRtree(points)
        town, point = tree.query(towns.geometry.to_numpy(), predicate="contains")
        order = np.argsort(point, kind="stable")
        town, point = town[order], point[order]
        return cls(
            geometry=points[point],
            district=towns["parent"].to_numpy(dtype=str)[town],
            township=towns["code"].to_numpy(dtype=str)[town],
            people=population.drop(columns="geometry").iloc[point].reset_index(drop=True),
        )

    def draw(self, count: int, group: str, rng: np.random.Generator, *, among: Any = None) -> Ints:
        """Choose different places, likelier where more of a group live.

        Parameters
        ----------
        count
            How many.
        group
            The group.
        rng
            Where the random numbers come from.
        among
            Rows to choose from; all when None.

        Returns
        -------
        NDArray
            Rows, as many as `count` if there are so many.
        """
        rows = np.arange(len(self.geometry)) if among is None else np.flatnonzero(among)
        weight = self.people[group].to_numpy()[rows] + 0.1
        # The greatest of these keys are a sample without replacement, in one pass.
        key = -np.log(rng.random(len(rows))) / weight
        count = min(count, len(rows))
        least = np.argpartition(key, count - 1)[:count] if count else np.arange(0)
        return np.asarray(rows[least[np.argsort(key[least], kind="stable")]])

    def one_in_each(self, codes: Sequence[str], group: str, rng: np.random.Generator) -> list[int]:
        """Choose a place in each of some townships, likelier where more of a group live.

        Parameters
        ----------
        codes
            Townships where people live; a code may come twice.
        group
            The group.
        rng
            Where the random numbers come from.

        Returns
        -------
        list
            Rows, one for each code.
        """
        town, order = np.unique(self.township, return_inverse=True)
        by_town = np.argsort(order, kind="stable")
        weight = np.cumsum(self.people[group].to_numpy()[by_town] + 0.1)
        edge = np.concatenate([[0.0], weight[np.cumsum(np.bincount(order)) - 1]])
        which = np.searchsorted(town, np.asarray(codes, dtype=object))
        aim = edge[which] + rng.random(len(which)) * (edge[which + 1] - edge[which])
        found_at = np.searchsorted(weight, aim, side="right")
        return [int(row) for row in by_town[np.minimum(found_at, len(by_town) - 1)]]


def found(
    population: gpd.GeoDataFrame,
    units: gpd.GeoDataFrame,
    setting: Setting,
    rng: np.random.Generator,
) -> gpd.GeoDataFrame:
    """Found the facilities of the five services.

    Parameters
    ----------
    population
        Population layer; facilities stand where people live.
    units
        Unit layer.
    setting
        The model's size, which decides how many small facilities there are.
    rng
        Where the random numbers come from.

    Returns
    -------
    GeoDataFrame
        The columns of the facility layer.
    """
    places = Places.of(population, units)
    townships = units.loc[units["level"] == "township", ["code", "parent"]]
    tables = [
        _centres(places, rng),
        _clinics(places, rng),
        _home_care(places, townships, rng),
        _rooms(places, setting, rng),
        _fitness(places, townships, setting, rng),
    ]
    table = pd.concat(tables, ignore_index=True)
    geometry = places.geometry[table.pop("place").to_numpy()]
    table["opened"] = table["opened"].astype("Int64")
    table["closed"] = table["closed"].astype("Int64")
    table["source"] = SOURCE
    columns = (
        "id",
        "service",
        "name",
        "tier",
        "capacity",
        "opened",
        "closed",
        "status",
        "venue",
        "source",
    )
    return gpd.GeoDataFrame(table[list(columns)], geometry=geometry, crs=4326)


def _rows(
    service: str,
    letter: str,
    label: str,
    places: npt.ArrayLike,
    *,
    tier: npt.ArrayLike,
    capacity: npt.ArrayLike = np.nan,
    opened: Sequence[int | None] | Ints,
    closed: Sequence[int | None] | None = None,
    status: npt.ArrayLike = "existing",
    venue: npt.ArrayLike = "",
) -> pd.DataFrame:
    """Return facilities of one service, numbered in order."""
    at = np.asarray(places, dtype=np.int64)
    number = [f"{place:04d}" for place in range(1, len(at) + 1)]
    return pd.DataFrame(
        {
            "place": at,
            "id": [f"{letter}{text}" for text in number],
            "service": service,
            "name": [f"模拟{label}{text}" for text in number],
            "tier": tier,
            "capacity": np.broadcast_to(np.asarray(capacity, dtype=np.float64), len(at)),
            "opened": pd.array(list(opened), dtype="Int64"),
            "closed": pd.array(
                [pd.NA] * len(at) if closed is None else list(closed), dtype="Int64"
            ),
            "status": status,
            "venue": venue,
        }
    )


def _centres(places: Places, rng: np.random.Generator) -> pd.DataFrame:
    """Women's activity centres: one a district by 2020, a few more later."""
    codes = sorted(CLINICS)
    rows = [places.draw(1, "women", rng, among=places.district == code)[0] for code in codes]
    opened: list[int | None] = [int(year) for year in rng.integers(_FIRST_YEAR, 2021, len(codes))]
    more = places.draw(6, "women", rng)
    opened += [2022, 2023, 2024, 2025, None, None]
    return _rows(
        "womens_activity_centre",
        "W",
        "妇女活动中心",
        [*rows, *more],
        tier=["district"] * len(codes) + ["township"] * len(more),
        capacity=rng.integers(20, 90, len(rows) + len(more)) * 10.0,
        opened=opened,
        status=["existing"] * (len(codes) + 4) + ["candidate"] * 2,
        venue="妇女儿童活动中心",
    )


def _clinics(places: Places, rng: np.random.Generator) -> pd.DataFrame:
    """Menopause clinics: as `CLINICS` has them, the last year's still planned."""
    at: list[int] = []
    opened: list[int | None] = []
    tier: list[str] = []
    for code, totals in CLINICS.items():
        rows = places.draw(totals[-1], "women_45_59", rng, among=places.district == code)
        at += rows.tolist()
        for year, before, after in zip(_CLINIC_YEARS, (0, *totals), totals, strict=False):
            opened += [year] * (after - before)
        rank = np.minimum(np.arange(len(rows)) // (2 if code == "330102" else 1), 2)
        first = 0 if code in ("330102", "330106") else 1
        tier += [_CLINIC_TIERS[max(int(place), first)] for place in rank]
    status = ["planned" if year == _CLINIC_YEARS[-1] else "existing" for year in opened]
    spare = places.draw(40, "women_45_59", rng)
    count = len(spare)
    return _rows(
        "menopause_clinic",
        "C",
        "更年期保健门诊",
        [*at, *spare],
        tier=[*tier, *["primary"] * count],
        capacity=rng.integers(2, 13, len(at) + count) * 1000.0,
        opened=[*opened, *[None] * count],
        status=[*status, *["candidate"] * count],
        venue=["医院" if kind != "primary" else "社区卫生服务中心" for kind in tier]
        + ["社区卫生服务中心"] * count,
    )


def _home_care(places: Places, townships: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Home-care centres: in most townships, not in all; two where many old people live."""
    sums = places.people["age_60_plus"].groupby(places.township).sum()
    old = {str(code): int(count) for code, count in sums.items()}
    codes = [code for code in townships["code"] if old.get(code, 0) > 0]
    # The townships that still have none are among those with the fewest people.
    few = sorted(codes, key=lambda code: (old[code], code))[: 3 * _HOME_CARE_NONE]
    bare = {few[place] for place in rng.permutation(len(few))[:_HOME_CARE_NONE]}
    lacking = [code for code in codes if code in bare]
    having = [code for code in codes if code not in bare]
    large = 1.4 * float(np.mean(list(old.values())))
    second = [code for code in having if old[code] > large]
    at = places.one_in_each([*having, *second, *lacking], "age_60_plus", rng)
    pace = np.array(_HOME_CARE_PACE)
    first = rng.choice(_HOME_CARE_YEARS, len(having), p=pace / pace.sum())
    later = rng.integers(2021, 2026, len(second))
    years = np.concatenate([first, later])
    opened = [*years.tolist(), *[None] * len(lacking)]
    status = ["planned" if year == _CLINIC_YEARS[-1] else "existing" for year in years]
    status += ["candidate"] * len(lacking)
    return _rows(
        "home_care_centre",
        "H",
        "居家养老服务中心",
        at,
        tier="township",
        capacity=rng.integers(2, 13, len(at)) * 10.0,
        opened=opened,
        status=status,
        venue="街道（乡镇）居家养老服务中心",
    )


def _rooms(places: Places, setting: Setting, rng: np.random.Generator) -> pd.DataFrame:
    """Mother-and-baby rooms by kind of venue; a venue without one is a candidate."""
    tables = []
    for venue, rooms, share in _VENUES:
        count = max(round(rooms * setting.venues), 1)
        without = round(count / share) - count
        rows = places.draw(count + without, "women_15_49", rng)
        years = rng.choice(np.arange(_FIRST_YEAR, 2026), count, p=np.arange(4, 15) / 99.0)
        closed = [
            int(year) + 3 if year < 2021 and rng.random() < 0.04 else None  # noqa: PLR2004
            for year in years
        ]
        got = min(count, len(rows))
        tables.append(
            pd.DataFrame(
                {
                    "place": rows,
                    "opened": pd.array(
                        [*years[:got].tolist(), *[None] * (len(rows) - got)], dtype="Int64"
                    ),
                    "closed": pd.array([*closed[:got], *[None] * (len(rows) - got)], dtype="Int64"),
                    "status": ["existing"] * got + ["candidate"] * (len(rows) - got),
                    "venue": venue,
                }
            )
        )
    every = pd.concat(tables, ignore_index=True)
    return _rows(
        "mother_baby_room",
        "M",
        "母婴室",
        every["place"].to_numpy(),
        tier="venue",
        capacity=rng.integers(1, 5, len(every)).astype(np.float64),
        opened=every["opened"].tolist(),
        closed=every["closed"].tolist(),
        status=every["status"].to_numpy(),
        venue=every["venue"].to_numpy(),
    )


def _fitness(
    places: Places, townships: pd.DataFrame, setting: Setting, rng: np.random.Generator
) -> pd.DataFrame:
    """Places to exercise at four levels: city, county, township, village or community."""
    at = [int(row) for row in places.draw(4, "residents", rng)]
    tier = ["city"] * 4
    for code in sorted(CLINICS):
        rows = places.draw(2, "residents", rng, among=places.district == code)
        at += rows.tolist()
        tier += ["district"] * len(rows)
    lived_in = set(places.township)
    peopled = [code for code in townships["code"] if code in lived_in]
    at += places.one_in_each(peopled, "residents", rng)
    tier += ["township"] * len(peopled)
    rows = places.draw(round(_COMMUNITY_FITNESS * setting.venues), "residents", rng)
    at += rows.tolist()
    tier += ["community"] * len(rows)
    size = {"city": 5000.0, "district": 1500.0, "township": 300.0, "community": 60.0}
    venue = {
        "city": "体育中心",
        "district": "体育馆",
        "township": "健身中心",
        "community": "健身点",
    }
    spare = places.draw(round(300 * setting.venues), "residents", rng)
    count = len(spare)
    years: list[int | None] = [int(year) for year in rng.integers(_FIRST_YEAR, 2026, len(at))]
    return _rows(
        "fitness_circle",
        "F",
        "健身场地",
        [*at, *spare],
        tier=[*tier, *["community"] * count],
        capacity=np.array([size[kind] for kind in [*tier, *["community"] * count]]),
        opened=[*years, *[None] * count],
        status=["existing"] * len(at) + ["candidate"] * count,
        venue=[venue[kind] for kind in [*tier, *["community"] * count]],
    )
