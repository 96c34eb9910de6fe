"""Studies: many cities, services, standards and scenarios, beside each other on Dask."""

from planner.batch.run import Outcome, run
from planner.batch.study import Place, Study, Variant, read_study

__all__ = ["Outcome", "Place", "Study", "Variant", "read_study", "run"]
