import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.errors import InputError
from planner.siting.backup import backup_cover
from planner.siting.instance import Instance, Pairs
from planner.siting.limits import Limits
from tests.planner.siting import oracle
from tests.planner.siting.strategies import instances, limits


@settings(max_examples=60)
@given(data=st.data())
def test_backup_is_that_of_every_choice_tried(data):
    instance = data.draw(instances())
    limit = data.draw(limits(instance))
    rows = instance.demands
    asked = np.array(data.draw(st.lists(st.booleans(), min_size=rows, max_size=rows)))
    cheapest = data.draw(st.booleans())
    found = backup_cover(instance, limit, asked=asked, cheapest=cheapest)
    best = oracle.backup(instance, limit, asked, cheapest)
    if best is None:
        assert found.fewest.status == found.backup.status == "infeasible"
    else:
        assert found.fewest.status == found.backup.status == "optimal"
        assert found.fewest.objective == pytest.approx(best[0])
        assert found.backup.objective == pytest.approx(best[1])


def test_one_site_near_is_no_backup():
    instance = Instance.of(Pairs.from_dense([[1, np.inf], [1, 1]]), people=[7, 5])
    found = backup_cover(instance, Limits(number=2, exactly=True))
    assert found.backup.objective == 5


def test_capacities_are_refused():
    with pytest.raises(InputError, match="容量"):
        backup_cover(Instance.of(Pairs.from_dense([[1.0]]), capacity=[5]), Limits())
