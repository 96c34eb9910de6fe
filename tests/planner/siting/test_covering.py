from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.errors import InputError
from planner.siting import maximal
from planner.siting.control import Control
from planner.siting.covering import maximal_cover, set_cover
from planner.siting.instance import Instance, Pairs
from planner.siting.limits import Limits
from tests.planner.siting import oracle
from tests.planner.siting.strategies import instances, limits


@settings(max_examples=60)
@given(data=st.data())
@pytest.mark.parametrize("partial", [False, True])
@pytest.mark.parametrize("direct", [20_000, -1])
def test_maximal_cover_is_that_of_every_choice_tried(data, partial, direct):
    instance = data.draw(instances())
    limit = data.draw(limits(instance))
    value = None
    if partial:
        size = len(instance.pairs.site)
        parts = st.sampled_from([0.0, 0.2, 0.5, 0.5, 0.75, 1.0])
        value = np.array(data.draw(st.lists(parts, min_size=size, max_size=size)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(maximal, "DIRECT", direct)
        found = maximal_cover(instance, limit, value=value)
    best = oracle.maximal(instance, limit, value)
    if best is None:
        assert found.status == "infeasible"
    else:
        assert found.status == "optimal"
        assert found.objective == pytest.approx(best, abs=1e-7)
        assert found.bound == found.objective


@settings(max_examples=30)
@given(data=st.data())
@pytest.mark.parametrize("cheapest", [False, True])
@pytest.mark.parametrize("share", [None, 0.4, 0.8, 1.0])
def test_set_cover_is_that_of_every_choice_tried(data, cheapest, share):
    instance = data.draw(instances())
    limit = data.draw(limits(instance))
    found = set_cover(instance, limit, share=share, cheapest=cheapest)
    best = oracle.fewest(instance, limit, share, cheapest)
    if best is None:
        assert found.status == "infeasible"
    else:
        assert found.status == "optimal"
        assert found.objective == pytest.approx(best, abs=1e-7)
        assert found.bound == found.objective


@settings(max_examples=30)
@given(data=st.data())
@pytest.mark.parametrize("cheapest", [False, True])
def test_partial_cover_of_a_share_is_that_of_every_choice_tried(data, cheapest):
    instance = data.draw(instances())
    limit = data.draw(limits(instance))
    size = len(instance.pairs.site)
    parts = st.sampled_from([0.0, 0.2, 0.5, 0.75, 1.0])
    value = np.array(data.draw(st.lists(parts, min_size=size, max_size=size)))
    share = data.draw(st.sampled_from([0.0, 0.25, 0.5, 0.7]))
    found = set_cover(instance, limit, share=share, cheapest=cheapest, value=value)
    best = oracle.fewest(instance, limit, share, cheapest, value)
    if best is None:
        assert found.status == "infeasible"
    else:
        assert found.status == "optimal"
        assert found.objective == pytest.approx(best, abs=1e-7)


def scattered(rows, sites, radius, seed=1):
    """People and sites scattered over a square."""
    rng = np.random.default_rng(seed)
    places, candidates = rng.random((rows, 2)), rng.random((sites, 2))
    distance = np.hypot(*(places[:, None] - candidates[None]).transpose(2, 0, 1))
    near = Pairs.from_dense(np.where(distance <= radius, distance, np.inf))
    return Instance.of(
        near,
        people=rng.integers(1, 100, rows),
        cost=rng.integers(1, 5, sites),
        unit=(candidates[:, 0] * 3).astype(int),
        area=(places[:, 0] * 3).astype(int),
    )


@pytest.mark.parametrize(
    "limit",
    [
        Limits(number=8),
        Limits(number=8, budget=17),
        Limits(budget=20),
        Limits(number=7, at_most={0: 2, 1: 2}, at_least={2: 1}),
        Limits(number=9, floors={0: 0.5, 2: 0.6}),
        Limits(number=8, apart=(list(range(40)), list(range(40, 80)))),
    ],
    ids=repr,
)
@pytest.mark.parametrize("seed", [1, 2])
def test_prices_and_fewer_sites_find_what_the_program_alone_finds(limit, seed, monkeypatch):
    instance = scattered(600, 80, 0.13, seed)
    monkeypatch.setattr(maximal, "DIRECT", 10**9)
    whole = maximal_cover(instance, limit)
    monkeypatch.setattr(maximal, "DIRECT", 500)
    parts = maximal_cover(instance, limit)
    assert whole.status == parts.status == "optimal"
    assert parts.objective == pytest.approx(whole.objective)


def test_parts_that_nothing_couples_are_solved_apart(monkeypatch):
    """Three towns far from each other, whose sites share one number."""
    towns = [scattered(80, 6, 0.2, seed) for seed in (1, 2, 3)]
    rows = np.concatenate([town.pairs.rows + 80 * at for at, town in enumerate(towns)])
    sites = np.concatenate([town.pairs.site + 6 * at for at, town in enumerate(towns)])
    away = np.concatenate([town.pairs.distance for town in towns])
    near = Pairs.of(rows, sites, away, demands=240, number_of_sites=18)
    instance = Instance.of(near, people=np.concatenate([town.people for town in towns]))
    apart = [maximal_cover(instance, Limits(number=number)) for number in (0, 3, 7, 18)]
    monkeypatch.setattr(maximal, "MOST_CURVES", 0)
    whole = [maximal_cover(instance, Limits(number=number)) for number in (0, 3, 7, 18)]
    assert [found.objective for found in apart] == pytest.approx([f.objective for f in whole])
    assert all(found.status == "optimal" for found in apart)


def test_progress_closes_in_on_the_answer():
    seen = []
    instance = scattered(600, 80, 0.13)
    found = maximal_cover(instance, Limits(number=8), control=Control(progress=seen.append))
    assert seen
    assert all(one.best is None or one.best <= found.objective for one in seen)
    assert all(one.bound is None or one.bound >= found.objective for one in seen)
    assert all(one.gap >= 0 for one in seen)


@pytest.mark.parametrize(
    ("control", "why"),
    [(Control(seconds=0.0), "time"), (Control(cancelled=lambda: True), "interrupt")],
)
@pytest.mark.parametrize("solve", [maximal_cover, set_cover])
def test_a_solve_that_is_stopped_gives_its_best_and_a_bound(control, why, solve):
    instance = scattered(600, 80, 0.13)
    limit = Limits(number=8) if solve is maximal_cover else Limits()
    full, found = solve(instance, limit), solve(instance, limit, control=control)
    assert found.status == "feasible"
    assert found.stopped == why
    assert 0 < found.gap < np.inf
    if solve is maximal_cover:
        assert found.objective <= full.objective <= found.bound
    else:
        assert found.objective >= full.objective >= found.bound


def test_a_gap_that_is_near_enough_is_enough(monkeypatch):
    monkeypatch.setattr(maximal, "DIRECT", 500)
    found = maximal_cover(scattered(600, 80, 0.13), Limits(number=8), control=Control(gap=0.2))
    assert found.gap <= 0.2


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"value": [0.5]}, "value"),
        ({"value": [1.5, 0, 0]}, "0与1"),
    ],
)
def test_values_that_make_no_sense_are_refused(more, words):
    instance = Instance.of(Pairs.from_dense([[1, 1], [1, np.inf]]))
    with pytest.raises(InputError, match=words):
        maximal_cover(instance, Limits(), **more)
    with pytest.raises(InputError, match=words):
        set_cover(instance, Limits(), share=0.5, **more)


def test_set_cover_wants_a_sensible_share():
    instance = Instance.of(Pairs.from_dense([[1.0]]))
    with pytest.raises(InputError, match="share"):
        set_cover(instance, Limits(), share=1.2)
    with pytest.raises(InputError, match="share"):
        set_cover(instance, Limits(), value=[0.5])


def test_the_input_is_left_as_it_was():
    instance = scattered(60, 12, 0.3)
    before = replace(instance, people=instance.people.copy(), role=instance.role.copy())
    maximal_cover(instance, Limits(number=3))
    set_cover(instance, Limits())
    assert (instance.people == before.people).all()
    assert (instance.role == before.role).all()
