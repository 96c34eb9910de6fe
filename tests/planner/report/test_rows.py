import csv
import io

import pytest

from layers import Finding
from planner.report.rows import findings_csv
from planner.review import review
from planner.standards import load_services


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_line_for_each_row_that_a_finding_names(tiny_city, lang):
    found = review(tiny_city, load_services(), year=2024)
    lines = list(csv.reader(io.StringIO(findings_csv(tiny_city, found, lang=lang))))
    head, body = lines[0], lines[1:]
    assert len(head) == len(set(head)) == 9
    assert len(body) == sum(max(len(one.rows), 1) for one in found)
    codes = [one.code for one in found for _ in one.rows or [None]]
    assert [line[2] for line in body] == codes
    assert {line[3] for line in body} == {one.words("message", lang) for one in found}
    lost = next(one for one in found if one.code == "people_unplaced")
    own = [line for line in body if line[3] == lost.words("message", lang)]
    assert [line[5] for line in own] == [str(row) for row in lost.rows]
    places = tiny_city.population.geometry.loc[list(lost.rows)]
    assert [line[7:] for line in own] == [[f"{p.x:.6f}", f"{p.y:.6f}"] for p in places]


def test_no_cell_is_a_formula(tiny_city):
    sites = tiny_city.facilities.assign(name="=HYPERLINK(1)")
    city = tiny_city.__class__.of(
        **{**tiny_city.layers(), "facilities": sites}, name="=1", crs=tiny_city.crs
    )
    found = [
        Finding(
            layer="facilities",
            code="facility_outside",
            severity="warning",
            rows=(sites["id"].iloc[0],),
        )
    ]
    assert "'=HYPERLINK(1)" in findings_csv(city, found)
