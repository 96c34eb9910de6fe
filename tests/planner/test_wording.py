from planner.wording import people, rate


def test_a_rate_is_never_rounded_up_to_all():
    assert rate(1.0) == "100.0%"
    assert rate(0.99999) == "99.9%"
    assert rate(0.0) == "0.0%"
    assert rate(float("nan")) == "–"


def test_people_have_separators():
    assert people(1281601) == "1,281,601"
