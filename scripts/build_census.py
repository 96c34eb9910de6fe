"""Rebuild ``data/hangzhou/census_2020.csv``, ``townships.csv`` from their sources.

The sources lie outside the project, in ``../shared/data/hangzhou`` or below the
folder that the environment variable ``PLANNER_SHARED`` names.
"""

import os
import sys
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from layers.sources import census  # noqa: E402  # the project need not be installed

SHARED = Path(os.environ.get("PLANNER_SHARED", ROOT.parent / "shared" / "data")) / "hangzhou"
DATA = ROOT / "data" / "hangzhou"

YEARBOOK = "2020 census by county, sex and age (county yearbook; leiii/census@0ba0f1e, MIT)"
HOW = {
    "330102": "sum of 330102 and part of 330104",
    "330105": "sum of 330103 and 330105",
    "330109": "part of 330109",
    "330110": "part of 330110",
    "330113": "part of 330110",
    "330114": "parts of 330104 and 330109",
}
TOWNSHIPS = "xiangyuecn/AreaCity-JsSpider-StatsGov@1ec0580, MIT (2023)"


def old_districts() -> pd.DataFrame:
    """Read the census by cell in the districts of 2020.

    Returns
    -------
    DataFrame
        Index: code. Columns: pairs of sex and band.
    """
    raw = pd.read_csv(SHARED / "hangzhou_census2020_by_district_sex_age.csv")
    raw.index = pd.Index(raw["区划代码"].astype("int64").astype(str), name="district")
    chinese = {"male": "男", "female": "女"}
    names = {
        (sex, band): f"{chinese[sex]}_{band.replace('-', '到').replace('+', '')}岁"
        + ("以上" if band.endswith("+") else "")
        for sex in census.SEXES
        for band in census.BANDS
    }
    cells = pd.DataFrame({key: raw[name].astype("int64") for key, name in names.items()})
    cells.columns = pd.MultiIndex.from_tuples(list(names), names=["sex", "band"])
    return cells.drop(index="330100")


def main() -> None:
    """Write both tables."""
    districts = pd.read_csv(DATA / "districts.csv", dtype=str)
    codes = dict(zip(districts["name"], districts["code"], strict=True))
    totals = census.bulletin(
        pd.read_csv(SHARED / "hangzhou_population2020_13districts_totals.csv"), codes
    )
    new = census.carry(old_districts(), totals)
    rows = new.rename_axis("district").melt(ignore_index=False, value_name="people").reset_index()
    rows = rows.sort_values("district", kind="stable", ignore_index=True)
    rows["source"] = [f"{YEARBOOK}: {HOW.get(code, code)}" for code in rows["district"]]
    rows.to_csv(DATA / "census_2020.csv", index=False, lineterminator="\n")

    towns = pd.read_csv(SHARED / "hangzhou_191_townships_names_2023.csv", dtype=str)
    towns = towns.rename(
        columns={"id": "code", "pid": "district", "district": "short", "ext_name": "name"}
    )
    towns = towns[["code", "district", "name"]].assign(source=TOWNSHIPS).sort_values("code")
    towns.to_csv(DATA / "townships.csv", index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
