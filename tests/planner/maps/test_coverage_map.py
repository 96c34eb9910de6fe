import json
import re

import pytest

from layers.errors import UnknownNameError
from layers.messages import text
from planner import coverage
from planner.maps import SHOWS, coverage_map
from tests.planner.maps.hamlet import NASTY, hamlet


def page(result, **options):
    return coverage_map(result, **options).html()


def data_of(html):
    """What each script on the page is given."""
    calls = re.findall(r"\}\)\(map_\w+, (\{.*?\})\);(?=\(function|\s|$)", html, re.DOTALL)
    return [json.loads(call) for call in calls]


def groups_of(html):
    return next(data["groups"] for data in data_of(html) if "groups" in data)


@pytest.fixture(scope="module")
def result(city):
    return coverage(city, "mother_baby_room")


@pytest.mark.parametrize("show", SHOWS)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_page_asks_nothing_of_another_host(result, show, lang):
    html = page(result, show=show, lang=lang)
    loaded = re.findall(r"(?:src|href)=\"([^\"]*)\"", html)
    assert sorted(loaded) == ["leaflet/leaflet.css", "leaflet/leaflet.js"]
    assert not re.search(r"(?:https?:)?//[\w.-]+\.\w", html.replace("http://www.w3.org", ""))
    assert "@import" not in html
    assert "url(" not in html


@pytest.mark.parametrize("service", ["mother_baby_room", "menopause_clinic", "fitness_circle"])
def test_every_stretch_is_drawn_once_in_its_colour(city, service):
    result = coverage(city, service)
    stretches = result.stretches()
    groups = groups_of(page(result, show="streets"))
    for served in (True, False):
        lines = sum(len(group["lines"]["n"]) for group in groups if group["served"] is served)
        assert lines == (stretches["served"] == served).sum()
    colours = {group["served"]: group["colour"] for group in groups}
    assert colours.get(True, "#2166ac") == "#2166ac"
    assert colours.get(False, "#d6604d") == "#d6604d"


def test_the_gap_is_drawn_person_by_person(result):
    html = page(result, show="gap", lang="en")
    gap = result.gap()
    dots = [dot for data in data_of(html) for dot in data.get("dots", []) if "not served" in dot[3]]
    assert len(dots) == len(gap) > 0
    for people in gap["people"]:
        assert any(f"{people:,.0f} people not served" in dot[3] for dot in dots)
    assert sum("too far from every street" in dot[3] for dot in dots) == 1


def test_units_carry_their_rates(result):
    table = result.by("district")
    html = page(result, show="rates", level="district", lang="en")
    labels = next(data["labels"] for data in data_of(html) if "labels" in data)
    told = " ".join(label[2] for label in labels)
    for row in table.itertuples():
        assert row.name_en in told
        assert f"{row.rate:.1%}" in told


@pytest.mark.parametrize("show", SHOWS)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_standard_label_sources_and_year_are_on_the_map(city, show, lang):
    html = page(coverage(city, "mother_baby_room", year=2023), show=show, lang=lang)
    for words in (
        text("label.modelled", lang),
        text("group.women_15_49", lang),
        "made by hand (2020)",
        text("map.year_end", lang, year=2023),
        text(f"map.show.{show}", lang),
    ):
        assert words in html


@pytest.mark.parametrize("show", SHOWS)
def test_names_from_data_cannot_become_markup(show):
    city = hamlet(name=NASTY, facility=NASTY)
    html = page(coverage(city, "mother_baby_room"), show=show)
    assert NASTY not in html
    assert "<script>alert" not in html
    tips = [dot[3] for data in data_of(html) for dot in data.get("dots", [])]
    assert any("&lt;script&gt;" in tip for tip in tips)
    assert not any("<script" in tip for tip in tips)


def test_too_many_coordinates_are_left_out_aloud(result):
    html = page(result, show="streets", lang="en", most=15)
    assert "Too many streets to draw" in html
    assert "Too many streets to draw" not in page(result, show="streets", lang="en")
    assert sum(len(group["lines"]["n"]) for group in groups_of(html)) < len(result.stretches())


def test_a_year_without_facilities_says_so(city):
    result = coverage(city, "fitness_circle", year=2022)
    for show in SHOWS:
        assert "No facility is open." in page(result, show=show, lang="en")


def test_what_is_unknown_is_refused(result):
    with pytest.raises(UnknownNameError, match="streets, gap, rates"):
        coverage_map(result, show="everything")
    with pytest.raises(UnknownNameError, match="district"):
        coverage_map(result, level="township")
