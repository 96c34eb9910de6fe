import re
from dataclasses import replace

from planner.review import review
from planner.standards import load_services


def codes(city):
    return {(finding.layer, finding.code) for finding in review(city, load_services())}


def test_what_cannot_be_reached_is_told(tiny_city):
    found = codes(tiny_city)
    assert ("streets", "streets_detached") in found
    assert ("population", "people_unplaced") in found


def test_facilities_far_from_streets_are_named(tiny_city):
    away = tiny_city.facilities.geometry.translate(0.05, 0)
    city = replace(tiny_city, facilities=tiny_city.facilities.set_geometry(away))
    found = [f for f in review(city, load_services()) if f.code == "facility_unplaced"]
    rows = {row for finding in found for row in finding.rows}
    assert rows == {"M1", "M2", "H2", "C1"}
    assert all("300" in finding.message and finding.remedy for finding in found)


def test_unknown_services_are_errors(tiny_city):
    odd = tiny_city.facilities.assign(service="gym")
    found = review(replace(tiny_city, facilities=odd), load_services())
    assert [f.severity for f in found if f.code == "service_unknown"] == ["error"]


def test_a_closed_mode_is_told(tiny_city):
    shut = tiny_city.streets.assign(drive_forward=False, drive_backward=False)
    assert ("streets", "mode_closed") in codes(replace(tiny_city, streets=shut))


def test_errors_come_first_and_alone(tiny_city):
    wrong = tiny_city.population.assign(residents=-1)
    found = review(replace(tiny_city, population=wrong), load_services())
    assert found[0].severity == "error"
    assert "population" in {finding.layer for finding in found}


def test_findings_are_worded_in_whatever_language_is_wanted_later(tiny_city):
    for one in review(tiny_city, load_services()):
        for part in ("message", "remedy"):
            assert not re.search(r"[\u4e00-\u9fff]", one.words(part, "en")), one.words(part, "en")
