"""Sitings equal the best of every set of sites, each told by coverage of the changed city."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.messages import text
from planner import Apart, Decay, Year, coverage, site
from planner.siting import lines
from planner.siting.instance import Role
from tests.planner.siting.subsets import EPS, SERVICE, Subsets, candidates

_DISTRICTS = ("330191", "330192")
_TOWNSHIPS = ("330191001", "330191002", "330192001", "330192002")
# The districts in which the six sites lie.
_DISTRICT = ["330191", "330191", "330191", "330192", "330192", "330192"]


@pytest.fixture(scope="module")
def by_foot(tiny_city):
    return Subsets.of(tiny_city, mode="walk", cutoff_m=450)


@pytest.fixture(scope="module")
def by_car(tiny_city):
    return Subsets.of(tiny_city, mode="drive", cutoff_min=1.2)


@st.composite
def asked(draw, *, floors=True, budgets=True, units=True):
    """A table of candidates and limits."""
    roles = st.sampled_from([*["candidate"] * 5, "必选", "forbidden"])
    costs = st.sampled_from([0.0, 1.0, 1.5, 2.0, 3.0])
    frame = candidates(
        role=draw(st.lists(roles, min_size=6, max_size=6)),
        造价=draw(st.lists(costs, min_size=6, max_size=6)),
    )
    options = {"candidates": frame}
    options["p"] = draw(st.integers(0, 4))
    options["exactly"] = draw(st.sampled_from([False, False, True]))
    if budgets and draw(st.booleans()):
        options["budget"] = draw(st.sampled_from([1.0, 2.5, 4.0, 6.0]))
    if units:
        for name, most in (("at_most", 2), ("at_least", 1)):
            if draw(st.sampled_from([False, False, True])):
                key = draw(st.sampled_from(["district", "西区", "330192"]))
                options[name] = {key: draw(st.integers(0, most))}
    if floors and draw(st.booleans()):
        key = draw(st.sampled_from(["district", "township", "330191", "西南街道", "North-east"]))
        options["floors"] = {key: draw(st.sampled_from([0.1, 0.3, 0.5, 0.8, 1.0]))}
    if draw(st.sampled_from([False, False, True])):
        options["apart"] = Apart(draw(st.sampled_from([700.0, 900.0])))
    return options


def units_of(key):
    """Codes of the districts or townships that a limit names."""
    names = {"西区": "330191", "西南街道": "330191001", "North-east": "330192002"}
    return {"district": _DISTRICTS, "township": _TOWNSHIPS}.get(key, (names.get(key, key),))


def keeps(subsets, some, options):
    """Whether a set of sites keeps the limits, by plain arithmetic."""
    role, cost = list(options["candidates"]["role"]), options["candidates"]["造价"]
    p = options.get("p")
    money = options.get("budget")
    rules = [
        p is None or len(some) <= p,
        not options.get("exactly") or len(some) == p,
        money is None or sum(cost.iloc[s] for s in some) <= money + EPS,
        all(role[s] != "forbidden" for s in some),
        all(role[s] != "必选" or s in some for s in range(6)),
        all(here <= most for here, most in counted(some, options.get("at_most", {}))),
        all(here >= least for here, least in counted(some, options.get("at_least", {}))),
        spread(subsets, some, options),
    ]
    for key, rate in options.get("floors", {}).items():
        level = "township" if len(units_of(key)[0]) > 6 else "district"
        found = subsets.rates(some, level)
        rules += [found[unit] >= rate - EPS for unit in units_of(key)]
    return all(rules)


def counted(some, limits):
    """How many sites lie in each unit that limits name, and what they say."""
    for key, value in limits.items():
        for unit in units_of(key):
            yield sum(_DISTRICT[s] == unit for s in some), value


def spread(subsets, some, options):
    """Whether the sites lie as far from each other, and from what exists, as is asked."""
    if options.get("apart") is None:
        return True
    places = options["candidates"].geometry
    new = [(places.iloc[s].x, places.iloc[s].y) for s in some]
    fixed = [(p.x, p.y) for p in subsets.every[()].facilities.to_crs(4549).geometry]
    return all(
        np.hypot(one[0] - other[0], one[1] - other[1]) >= options["apart"].metres - EPS
        for number, one in enumerate(new)
        for other in [*new[number + 1 :], *fixed]
    )


def feasible(subsets, options):
    return [some for some in subsets.every if keeps(subsets, some, options)]


def solved(subsets, **options):
    plan = site(subsets.city, SERVICE, services=subsets.services, **options)
    if plan.found:
        some = chosen(plan)
        assert keeps(subsets, some, options)
        as_coverage_tells(subsets, plan, some)
    return plan


def chosen(plan):
    return tuple(sorted(int(name[1:]) for name in plan.sites["id"]))


def as_coverage_tells(subsets, plan, some):
    """Every rate in the result is that of coverage of the city with the sites open."""
    own = coverage(plan.scenario().apply(subsets.city), subsets.service)
    for level in ("district", "township"):
        table, told = plan.by(level), own.by(level)
        assert table["served_after"].tolist() == told["served"].tolist()
        assert table["rate_after"].tolist() == told["rate"].tolist()
        assert table["served_before"].tolist() == subsets.every[()].by(level)["served"].tolist()
        left = plan.unreached(level)
        assert left["people"].tolist() == told["people"].tolist()
        assert left["served"].tolist() == told["served"].tolist()
        assert (left[["served", "reachable", "beyond"]].sum(axis=1) == left["people"]).all()
    assert own.total()["served"] == subsets.served(some)
    if len(plan.sites):
        assert plan.sites["rate"].iloc[-1] == own.total()["rate"]
        assert plan.sites["served"].iloc[-1] == own.total()["served"]


def verdict(plan, best):
    """Whether there is a choice is what enumeration says; then the objective is proved."""
    if best is None:
        assert plan.status == "infeasible"
        assert plan.words("en")
        return False
    assert plan.status == "optimal", plan
    return True


@settings(max_examples=20)
@given(options=asked())
def test_maximal_cover(by_foot, options):
    plan = solved(by_foot, model="mclp", **options)
    best = max((by_foot.served(some) for some in feasible(by_foot, options)), default=None)
    if verdict(plan, best):
        assert plan.objective == pytest.approx(best)
        assert plan.objective == pytest.approx(plan.after.total()["served"])


@settings(max_examples=6)
@given(options=asked())
def test_maximal_cover_by_car(by_car, options):
    plan = solved(by_car, model="mclp", **options)
    best = max((by_car.served(some) for some in feasible(by_car, options)), default=None)
    if verdict(plan, best):
        assert plan.objective == pytest.approx(best)


@settings(max_examples=12)
@given(options=asked(), share=st.sampled_from([None, 0.2, 0.5, 0.7]), cheapest=st.booleans())
def test_set_cover(by_foot, options, share, cheapest):
    plan = solved(by_foot, model="lscp", share=share, cheapest=cheapest, **options)
    may = tuple(s for s in range(6) if options["candidates"]["role"].iloc[s] != "forbidden")
    total = float(by_foot.every[()].total()["people"])
    wanted = by_foot.served(may) if share is None else share * total
    costs = [
        options["candidates"]["造价"].iloc[list(some)].sum() if cheapest else len(some)
        for some in feasible(by_foot, options)
        if by_foot.served(some) >= wanted - EPS
    ]
    if verdict(plan, min(costs, default=None)):
        assert plan.objective == pytest.approx(min(costs))
        assert plan.measure == ("cost" if cheapest else "sites")


@settings(max_examples=8)
@given(options=asked())
def test_set_cover_with_backup(by_foot, options):
    plan = solved(by_foot, model="lscpb", **options)
    may = tuple(s for s in range(6) if options["candidates"]["role"].iloc[s] != "forbidden")
    enough = [
        some
        for some in feasible(by_foot, options)
        if by_foot.served(some) >= by_foot.served(may) - EPS
    ]
    if not verdict(plan, enough or None):
        return
    fewest = min(map(len, enough))
    twice = max(
        by_foot.people[(by_foot.near(some).sum(axis=0) > 1)].sum()
        for some in enough
        if len(some) == fewest
    )
    assert plan.objective == fewest
    assert plan.solved.backup.objective == pytest.approx(twice)
    assert by_foot.people[by_foot.near(chosen(plan)).sum(axis=0) > 1].sum() == pytest.approx(twice)


@settings(max_examples=8)
@given(options=asked(floors=False), level=st.sampled_from(["district", "township"]))
def test_fair_cover(by_foot, options, level):
    plan = solved(by_foot, model="fair", level=level, **options)
    ladder = [
        sorted(round(rate, 7) for rate in by_foot.rates(some, level).values())
        for some in feasible(by_foot, options)
    ]
    if verdict(plan, max(ladder, default=None)):
        told = sorted(round(rate, 7) for rate in plan.after.by(level)["rate"])
        assert told == max(ladder)
        assert plan.objective == pytest.approx(max(ladder)[0])


@settings(max_examples=8)
@given(options=asked(floors=False), exact=st.booleans())
def test_decay(by_foot, options, exact):
    decay = (
        Decay.linear(200, 900) if exact else Decay.of_bands([(300, 1.0), (600, 0.6), (1000, 0.2)])
    )
    plan = solved(by_foot, model="mclp", decay=decay, **options)
    best = max(
        (
            by_foot.people @ decay.share(by_foot.distance(some))
            for some in feasible(by_foot, options)
        ),
        default=None,
    )
    if verdict(plan, best):
        assert plan.objective == pytest.approx(best)
        counted = plan.by("district")["counted"].sum()
        assert counted == pytest.approx(plan.objective)


@settings(max_examples=8)
@given(options=asked())
def test_p_median(by_foot, options):
    plan = solved(by_foot, model="p-median", **options)
    can = np.isfinite(by_foot.alone).any(axis=0)
    best = min(
        (
            (by_foot.people * by_foot.distance(some))[can].sum()
            for some in feasible(by_foot, options)
        ),
        default=None,
    )
    if verdict(plan, best):
        assert plan.objective == pytest.approx(best)
        assert plan.mean == pytest.approx(best / by_foot.people[can].sum())
        assert f"{plan.mean:,.1f}" in " ".join(plan.words("en"))


@pytest.mark.parametrize("ranks", [1, 2, 4])
@pytest.mark.parametrize("p", [1, 2, 3])
def test_rows_cut_short_keep_the_bound_true(by_foot, monkeypatch, ranks, p):
    monkeypatch.setattr(lines, "_WHOLE_PAIRS", 0)
    monkeypatch.setattr(lines, "_RANKS", 0)
    monkeypatch.setattr(lines, "_LEAST", ranks)
    plan = site(
        by_foot.city, SERVICE, services=by_foot.services, model="p-median", p=p,
        candidates=candidates(),
    )  # fmt: skip
    can = np.isfinite(by_foot.alone).any(axis=0)

    def way(some):
        return (by_foot.people * by_foot.distance(some))[can].sum()

    best = min(way(some) for some in by_foot.every if len(some) <= p)
    assert plan.setting.cut
    assert plan.objective == pytest.approx(way(chosen(plan)))
    assert plan.bound <= best + EPS <= plan.objective + 2 * EPS
    assert (plan.status == "optimal") == (plan.gap < 1e-9)


@pytest.mark.parametrize("rate", [0.1, 0.25])
def test_floors_hold_where_rows_are_cut_short(by_foot, monkeypatch, rate):
    monkeypatch.setattr(lines, "_WHOLE_PAIRS", 0)
    monkeypatch.setattr(lines, "_RANKS", 0)
    monkeypatch.setattr(lines, "_LEAST", 1)
    options = {"candidates": candidates(role=["candidate"] * 6, 造价=[1.0] * 6), "p": 3}
    options["floors"] = {"district": rate}
    plan = solved(by_foot, model="p-median", **options)
    can = np.isfinite(by_foot.alone).any(axis=0)
    best = min(
        (by_foot.people * by_foot.distance(some))[can].sum() for some in feasible(by_foot, options)
    )
    assert plan.setting.cut
    assert (plan.after.by("district")["rate"] >= rate - EPS).all()
    assert plan.bound <= best + EPS <= plan.objective + 2 * EPS


@settings(max_examples=8)
@given(options=asked())
def test_p_centre(by_car, options):
    plan = solved(by_car, model="p-centre", **options)
    can = np.isfinite(by_car.alone).any(axis=0)
    best = min(
        (by_car.distance(some)[can].max() for some in feasible(by_car, options)), default=None
    )
    if verdict(plan, best):
        assert plan.objective == pytest.approx(best)


@st.composite
def capacities(draw):
    return draw(st.lists(st.sampled_from([10.0, 25.0, 60.0, 120.0]), min_size=6, max_size=6))


def held(subsets, capacity):
    """Capacities of the six and of what exists, as the city's layer has them."""
    there = subsets.every[()].facilities["capacity"].to_numpy()
    return np.array([*capacity, *there])


@settings(max_examples=8)
@given(options=asked(floors=False), capacity=capacities())
def test_capacitated_cover(by_foot, options, capacity):
    options["candidates"] = options["candidates"].assign(容量=capacity)
    plan = solved(by_foot, model="cmclp", **options)
    held_by = held(by_foot, capacity)
    best = max(
        (by_foot.allocated(some, held_by) for some in feasible(by_foot, options)), default=None
    )
    if verdict(plan, best):
        assert plan.objective == pytest.approx(best, abs=1e-5)


@settings(max_examples=6)
@given(options=asked(floors=False), capacity=capacities(), share=st.sampled_from([0.1, 0.2, 0.3]))
def test_capacitated_set_cover(by_foot, options, capacity, share):
    options["candidates"] = options["candidates"].assign(容量=capacity)
    plan = solved(by_foot, model="clscp", share=share, **options)
    held_by = held(by_foot, capacity)
    least = share * float(by_foot.every[()].total()["people"])
    fewest = [
        len(some)
        for some in feasible(by_foot, options)
        if by_foot.allocated(some, held_by, least=least) is not None
    ]
    if verdict(plan, min(fewest, default=None)):
        assert plan.objective == min(fewest)


@settings(max_examples=6)
@given(options=asked(), many=st.sampled_from([80.0, 200.0, 500.0]))
def test_capacitated_p_median(by_foot, options, many):
    options["candidates"] = options["candidates"].assign(capacity=[many] * 6)
    plan = solved(by_foot, model="cp-median", **options)
    held_by = held(by_foot, [many] * 6)
    # With floors those allocated within the standard count, not who might be.
    floors = {
        unit: rate for key, rate in options.pop("floors", {}).items() for unit in units_of(key)
    }
    ways = [
        by_foot.allocated(some, held_by, cost=True, everyone=True, floors=floors)
        for some in feasible(by_foot, options)
    ]
    best = min((way for way in ways if way is not None), default=None)
    if verdict(plan, best):
        assert plan.objective == pytest.approx(best, rel=1e-6)


@settings(max_examples=10)
@given(
    options=asked(floors=False),
    years=st.lists(
        st.tuples(st.one_of(st.none(), st.integers(0, 2)), st.sampled_from([None, 1.0, 2.0])),
        min_size=1,
        max_size=3,
    ),
)
def test_phases(by_foot, options, years):
    options |= {"exactly": False, "budget": None, "at_least": {}}
    phases = tuple(Year(2023 + at, number, money) for at, (number, money) in enumerate(years))
    numbers = [sum(n for n, _ in years[: at + 1]) if all(n is not None for n, _ in years[: at + 1])
               else None for at in range(len(years))]  # fmt: skip
    moneys = [sum(m for _, m in years[: at + 1]) if all(m is not None for _, m in years[: at + 1])
              else None for at in range(len(years))]  # fmt: skip
    frame = options["candidates"]

    def payable(some, at):
        cost = frame["造价"].iloc[list(some)].sum()
        return (numbers[at] is None or len(some) <= numbers[at]) and (
            moneys[at] is None or cost <= moneys[at] + EPS
        )

    plan = solved(by_foot, model="phases", phases=phases, **options)
    ends = [some for some in feasible(by_foot, options) if payable(some, -1)]
    best = max((by_foot.served(some) for some in ends), default=None)
    if not verdict(plan, best):
        return
    assert plan.objective == pytest.approx(best)
    state = set(chosen(plan))
    served = dict(zip(plan.years["year"], plan.years["served"], strict=True))
    for at in reversed(range(len(years))):
        year = phases[at].year
        there = plan.sites.loc[(plan.sites["phase"] <= year).fillna(value=False), "id"]
        here = tuple(sorted(int(name[1:]) for name in there))
        assert set(here) <= state
        assert payable(here, at)
        # What its own subsets can give, of which it is the best.
        if at < len(years) - 1:
            inside = [some for some in by_foot.every if set(some) <= state and payable(some, at)]
            assert by_foot.served(here) == pytest.approx(max(map(by_foot.served, inside)))
        assert served[year] == by_foot.served(here)
        state = set(here)


def test_roles_of_sites(by_foot):
    plan = site(
        by_foot.city, SERVICE, services=by_foot.services, p=2, candidates=candidates(),
        required=["S5"], forbidden=["S1"],
    )  # fmt: skip
    assert "S5" in set(plan.sites["id"])
    assert "S1" not in set(plan.sites["id"])
    roles = dict(zip(plan.sites["id"], plan.sites["role"], strict=True))
    assert roles["S5"] == Role.REQUIRED


def test_sites_apart_along_the_streets(by_foot):
    """Pairs kept apart are those whom reach from one finds nearer than that at the other."""
    frame, network = candidates(), by_foot.every[()].network
    plan = site(
        by_foot.city, SERVICE, services=by_foot.services, p=3, candidates=frame,
        apart=Apart(1000.0, "network"),
    )  # fmt: skip
    where = network.locate(frame)
    there = network.locate(by_foot.every[()].facilities)
    expected = set()
    for number in range(6):
        one = where.take(np.array([number]))
        for way in ("facility", "from"):
            reach = network.reach(one, cutoff=1000, towards=way)
            for first, others in ((0, where), (6, there)):
                near = np.flatnonzero(reach.at(others).to_numpy() < 1000 - 1e-6)
                expected |= {tuple(sorted((number, first + int(o)))) for o in near}
    expected = {pair for pair in expected if pair[0] != pair[1]}
    told = {
        tuple(sorted(pair)) for pair in zip(*map(list, plan.setting.limits.too_near), strict=True)
    }
    assert told == expected
    assert expected


def test_sites_come_in_the_order_of_what_they_add(by_foot):
    plan = site(by_foot.city, SERVICE, services=by_foot.services, p=3, candidates=candidates())
    some: tuple[int, ...] = ()
    for row in plan.sites.itertuples():
        before = by_foot.served(tuple(sorted(some)))
        number = int(row.id[1:])
        rest = [int(name[1:]) for name in plan.sites["id"] if int(name[1:]) not in some]
        gains = {s: by_foot.served(tuple(sorted((*some, s)))) - before for s in rest}
        assert row.people_new == gains[number] == max(gains.values())
        some = (*some, number)
        assert row.rate == by_foot.every[tuple(sorted(some))].total()["rate"]
    nearest = plan.after.demand[plan.after.demand["served"]]
    people = by_foot.city.population["age_60_plus"]
    for row in plan.sites.itertuples():
        mine = nearest.index[nearest["facility"] == row.id]
        assert row.people_nearest == people.loc[mine].sum()
        told = plan.served_demand()
        assert sorted(told.index[told["site"] == row.id]) == sorted(mine)


def test_who_is_left_could_or_could_not_be_reached(by_foot):
    plan = site(by_foot.city, SERVICE, services=by_foot.services, p=1, candidates=candidates())
    left = plan.not_served()
    every = by_foot.every[tuple(range(6))].demand["served"]
    assert len(left)
    assert {"reachable", "beyond"} == set(left["class"])
    for row in left.itertuples():
        assert (row[left.columns.get_loc("class") + 1] == "reachable") == every[row.Index]


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"model": "mclp", "p": 2, "budget": 0.5}, "site.none_adds"),
        ({"model": "lscp", "share": 0.0}, "site.none_needed"),
    ],
)
def test_why_nothing_opens_is_said(by_foot, options, key):
    frame = candidates(role=["candidate"] * 6, 造价=[1.0] * 6)
    found = solved(by_foot, candidates=frame, **options)
    assert len(found.sites) == 0
    for lang in ("zh", "en"):
        assert text(key, lang) in found.words(lang)
