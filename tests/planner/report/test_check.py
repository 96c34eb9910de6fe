import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import geopandas as gpd
import pytest
import shapely

from layers import Finding
from planner.report.check import check_page
from planner.review import review
from planner.standards import load_services

WHEN = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


class Tags(HTMLParser):
    """What a page consists of."""

    def __init__(self, page):
        super().__init__()
        self.open, self.seen, self.attributes, self.words = [], [], [], ""
        self.feed(page)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        self.attributes += attrs
        if tag not in {"meta", "path", "use"}:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words += data


def finding(severity="warning", **more):
    known = {"layer": "population", "code": "people_outside", "values": {"people": 7}}
    return Finding(severity=severity, **{**known, **more})


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_page_tells_what_where_how_much_and_what_to_do(tiny_city, lang):
    found = review(tiny_city, load_services(), year=2024)
    page = check_page(tiny_city, found, lang=lang, when=WHEN)
    tags = Tags(page)
    assert "2026-01-02 03:04" in tags.words
    assert (tiny_city.name if lang == "zh" else tiny_city.name_en) in tags.words
    assert tags.seen.count("article") == len(found)
    for one in found:
        assert one.words("message", lang) in tags.words
        assert one.words("remedy", lang) in tags.words
    for entry in tiny_city.provenance.values():
        assert entry.source in tags.words
    assert tags.seen.count("figure") >= 3


def test_a_page_asks_for_nothing_from_elsewhere(tiny_city):
    page = check_page(tiny_city, review(tiny_city, load_services()), when=WHEN)
    tags = Tags(page)
    assert not {"script", "link", "img", "iframe"} & set(tags.seen)
    assert all(value.startswith("#") for name, value in tags.attributes if name in {"href", "src"})
    assert "url(" not in page
    assert "http" not in page


def test_words_of_the_data_cannot_break_the_page(tiny_city):
    nasty = "<script>alert(1)</script> & \"'"
    sites = tiny_city.facilities.assign(name=nasty, source=nasty)
    city = replace(tiny_city, name=nasty, facilities=sites)
    told = [
        finding(layer="facilities", code="facility_outside", rows=("M1",)),
        finding(layer="facilities", code="service_unknown", values={"found": nasty, "known": ""}),
    ]
    page = check_page(city, told)
    assert "<script" not in page
    assert Tags(page).words.count("alert(1)") >= 3


def test_errors_come_in_a_group_of_their_own(tiny_city):
    page = check_page(tiny_city, [finding("error"), finding("info"), finding("info")])
    heads = re.findall(r"<h2>(.*?)</h2>", page)
    assert heads[:2] == ["错误 · 1", "提示 · 2"]


def test_many_rows_are_all_there_to_copy(tiny_city):
    rows = tuple(tiny_city.population.index)
    page = check_page(tiny_city, [finding(rows=rows)])
    listed = re.search(r"<pre>(.*?)</pre>", page, re.DOTALL)[1].strip().splitlines()
    assert len(listed) == len(rows) + 1
    assert listed[0].startswith("行,常住人口,经度,纬度")
    assert re.search(r"<tbody>(.*?)</tbody>", page)[1].count("<tr>") == 8


def test_rows_that_are_no_longer_there_are_still_named(tiny_city):
    page = check_page(tiny_city, [finding(rows=("gone", 10**9))])
    assert "<td>gone</td>" in page
    assert "<figure>" not in page


def test_places_of_a_finding_are_drawn_rather_than_its_rows(tiny_city):
    area = gpd.GeoSeries([tiny_city.units.geometry.iloc[-1]], crs=4326)
    page = check_page(tiny_city, [finding(places=area)])
    assert 'fill-opacity=".35"' in page


def test_a_city_with_damaged_layers_still_gets_its_page(tiny_city):
    people = tiny_city.population.assign(residents=-1.0)
    places = people.geometry.to_numpy().copy()
    places[0] = shapely.Point()
    places[1] = None
    broken = people.set_geometry(gpd.GeoSeries(places, index=people.index, crs=4326))
    city = replace(tiny_city, population=broken)
    found = review(city, load_services())
    assert {one.severity for one in found} >= {"error"}
    assert Tags(check_page(city, found)).seen.count("article") == len(found)


@pytest.mark.parametrize("layer", ["streets", "units", "population", "facilities"])
def test_a_city_that_lacks_a_column_still_gets_its_page(tiny_city, layer):
    frame = tiny_city.layers()[layer]
    for column in frame.columns:
        city = replace(tiny_city, **{layer: frame.drop(columns=column)})
        found = review(city, load_services())
        assert "column_missing" in {one.code for one in found}
        assert Tags(check_page(city, found)).seen.count("article") == len(found)


def test_nothing_found_is_said(tiny_city):
    assert "未发现问题" in check_page(tiny_city, [])


def test_what_is_not_stated_of_a_layer_shows(tiny_city):
    silent = replace(tiny_city, provenance={})
    assert check_page(silent, []).count("未注明") >= 4


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_an_overview_leads_to_every_finding(tiny_city, lang):
    found = review(tiny_city, load_services())
    page = check_page(tiny_city, found, lang=lang)
    tags = Tags(page)
    named = [value for name, value in tags.attributes if name == "id" and value.startswith("f")]
    led = [value[1:] for name, value in tags.attributes if name == "href" and value[1] == "f"]
    assert led == named == [f"f{number}" for number in range(1, len(found) + 1)]


@pytest.mark.parametrize(
    ("severities", "told"),
    [
        ([], "没有错误，也没有警告"),
        (["info"], "没有错误，也没有警告"),
        (["warning", "warning", "info"], "2项警告会使部分数字失真"),
        (["error", "warning"], "有1项错误，须先改正"),
    ],
)
def test_a_verdict_says_whether_the_city_can_be_used(tiny_city, severities, told):
    assert told in check_page(tiny_city, [finding(one) for one in severities])


def test_values_are_told_by_their_names(tiny_city):
    told = [finding(layer="facilities", code="facility_outside", rows=("M1",))]
    cells = re.findall(r"<td>(.*?)</td>", check_page(tiny_city, told))
    assert "母婴室" in cells
    assert "现状" in cells
    code = tiny_city.units.loc[tiny_city.units["level"] == "district", "code"].iloc[0]
    told = [finding(layer="units", code="unit_clipped", values={"found": ""}, rows=(code,))]
    assert "<td>district</td>" in check_page(tiny_city, told, lang="en")


def test_rows_of_one_label_are_both_told(tiny_city):
    sites = tiny_city.facilities
    both = sites.assign(id=sites["id"].replace({"M2": "M1"}))
    city = replace(tiny_city, facilities=both)
    told = finding(
        "error",
        layer="facilities",
        code="value_duplicated",
        rows=("M1", "M1"),
        values={"column": "id", "found": "M1"},
    )
    page = check_page(city, [told])
    assert page.count("<td>M1</td>") == 2
    for name in both.loc[both["id"] == "M1", "name"]:
        assert f"<td>{name}</td>" in page
