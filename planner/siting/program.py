"""Linear and mixed-integer programs, built of arrays and solved by HiGHS."""

from __future__ import annotations

import atexit
import threading
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import highspy
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import ArrayLike

    from planner.siting.control import Sense, Watch
    from planner.siting.instance import Floats

Found = Literal["optimal", "feasible", "infeasible", "unknown"]

INF = float(highspy.kHighsInf)

# A share of a person too little or too much, times millions of people, must not pass.
_TOLERANCE = 1e-9
_SETTINGS: dict[str, Any] = {
    "output_flag": False,
    "threads": 1,
    "parallel": "off",
    "random_seed": 1,
    "mip_feasibility_tolerance": _TOLERANCE,
    "primal_feasibility_tolerance": _TOLERANCE,
    "dual_feasibility_tolerance": _TOLERANCE,
    "mip_abs_gap": 0.0,
    # Programs within the program: HiGHS listens to nobody while they run, for ten seconds
    # and more. Good solutions to begin with come from the searches here.
    "mip_heuristic_run_rins": False,
    "mip_heuristic_run_rens": False,
    "mip_heuristic_run_root_reduced_cost": False,
}


_left: set[threading.Thread] = set()
"""Runs that nobody waits for any more, until they have ended by themselves."""

# Seconds between two looks at the clock, and those that HiGHS is given to end by itself.
_LISTEN, _GRACE = 0.05, 0.5


def left_running() -> bool:
    """Whether HiGHS is still at something that was stopped: Python waits for that at its exit."""
    return any(thread.is_alive() for thread in _left)


class _Quiet(highspy.Highs):
    """HiGHS without the banner it prints while it is made: standard output is for results."""

    def enableCallbacks(self) -> None:  # noqa: N802 - highspy's own name
        """Fall silent before anything is said."""
        self.setOptionValue("output_flag", False)
        enable: Callable[[], None] = super().enableCallbacks
        enable()


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a solve came to.

    Attributes
    ----------
    found
        ``optimal`` or within the gap, ``feasible``, ``infeasible`` or ``unknown``
        (stopped before anything was found).
    values
        (columns,) of the best found, None without one.
    objective
        Of the best found, as HiGHS adds it up; NaN without one.
    bound
        No solution is better; as good as infinite where nothing is known.
    nodes
        Nodes of the search tree.
    row_duals, reduced_costs
        Of a linear program solved to the end; None of an integer one.
    """

    found: Found
    values: Floats | None
    objective: float
    bound: float
    nodes: int = 0
    row_duals: Floats | None = None
    reduced_costs: Floats | None = None


class Program:
    """A linear or mixed-integer program.

    It stays in HiGHS between solves: rows and columns may be added and bounds and costs
    changed, and a linear program goes on from its last basis.

    Parameters
    ----------
    sense
        ``max`` or ``min``.

    Examples
    --------
    >>> from planner.siting.control import Watch
    >>> program = Program("max")
    >>> first = program.add_columns([3.0, 2.0], integer=True)
    >>> row = program.add_rows([0, 2], [0, 1], 1.0, upper=1.0)
    >>> with Watch() as watch:
    ...     program.solve(watch, what="mip").objective
    3.0
    """

    def __init__(self, sense: Sense) -> None:
        self._unbounded = INF if sense == "max" else -INF
        self._highs = self._made()
        self.set(**_SETTINGS)
        chosen = highspy.ObjSense.kMaximize if sense == "max" else highspy.ObjSense.kMinimize
        self._highs.changeObjectiveSense(chosen)
        self._integers = False

    @staticmethod
    def _made() -> Any:
        make: Callable[[], Any] = _Quiet
        return make()

    def set(self, **options: Any) -> None:
        """Set options of HiGHS by their names."""
        for name, value in options.items():
            if self._highs.setOptionValue(name, value) != highspy.HighsStatus.kOk:
                raise ValueError(f"HiGHS: {name}={value!r}")

    @property
    def columns(self) -> int:
        """Number of columns."""
        return int(self._highs.getNumCol())

    @property
    def rows(self) -> int:
        """Number of rows."""
        return int(self._highs.getNumRow())

    def add_columns(
        self,
        cost: ArrayLike,
        *,
        lower: ArrayLike = 0.0,
        upper: ArrayLike = 1.0,
        integer: bool = False,
    ) -> int:
        """Add columns without entries; the first one's index."""
        costs = np.atleast_1d(np.asarray(cost, dtype=np.float64))
        first, many = self.columns, len(costs)
        if not many:
            return first
        least, most = (
            np.ascontiguousarray(np.broadcast_to(np.asarray(b, dtype=np.float64), many))
            for b in (lower, upper)
        )
        no_index = np.empty(0, dtype=np.int32)
        self._highs.addCols(
            many, costs, least, most, 0, np.zeros(many, np.int32), no_index, np.empty(0)
        )
        if integer:
            kinds = np.full(many, int(highspy.HighsVarType.kInteger), dtype=np.uint8)
            at = np.arange(first, first + many, dtype=np.int32)
            self._highs.changeColsIntegrality(many, at, kinds)
            self._integers = True
        return first

    def add_rows(
        self,
        start: ArrayLike,
        column: ArrayLike,
        value: ArrayLike,
        *,
        lower: ArrayLike = -INF,
        upper: ArrayLike = INF,
    ) -> int:
        """Add rows, compressed; the first one's index.

        Parameters
        ----------
        start
            Where each row begins, and where the last one ends.
        column, value
            Its entries, each column once a row; one value may stand for all.
        lower, upper
            Bounds, each or for all.
        """
        columns = np.ascontiguousarray(column, dtype=np.int32)
        begin = np.ascontiguousarray(start, dtype=np.int32)[:-1]
        first, many = self.rows, len(begin)
        if not many:
            return first
        values = np.ascontiguousarray(
            np.broadcast_to(np.asarray(value, dtype=np.float64), len(columns))
        )
        least, most = (
            np.ascontiguousarray(np.broadcast_to(np.asarray(b, dtype=np.float64), many))
            for b in (lower, upper)
        )
        self._highs.addRows(many, least, most, len(columns), begin, columns, values)
        return first

    def bound_columns(self, columns: ArrayLike, lower: ArrayLike, upper: ArrayLike) -> None:
        """Change the bounds of some columns."""
        at = np.ascontiguousarray(np.atleast_1d(columns), dtype=np.int32)
        least, most = (
            np.ascontiguousarray(np.broadcast_to(np.asarray(b, dtype=np.float64), len(at)))
            for b in (lower, upper)
        )
        self._highs.changeColsBounds(len(at), at, least, most)

    def bound_row(self, row: int, lower: float, upper: float) -> None:
        """Change the bounds of one row."""
        self._highs.changeRowBounds(row, lower, upper)

    def price(self, columns: ArrayLike, cost: ArrayLike) -> None:
        """Change the costs of some columns."""
        at = np.ascontiguousarray(np.atleast_1d(columns), dtype=np.int32)
        costs = np.ascontiguousarray(np.broadcast_to(np.asarray(cost, dtype=np.float64), len(at)))
        self._highs.changeColsCost(len(at), at, costs)

    def set_offset(self, offset: float) -> None:
        """Add a constant to the objective."""
        self._highs.changeObjectiveOffset(offset)

    def solve(
        self,
        watch: Watch,
        *,
        what: str,
        start: ArrayLike | None = None,
        gap: float | None = None,
        tell: Callable[[float | None, float], None] | None = None,
        improved: Callable[[Floats, float], None] | None = None,
    ) -> Outcome:
        """Solve it, as well as the watch allows.

        Parameters
        ----------
        watch
            Its clock, gap and interrupts hold.
        what
            What progress is told to be about.
        start
            (columns,) values to begin with, NaN where not known.
        gap
            Relative gap at which to stop; the watch's own when None.
        tell
            Called instead of the watch's own `tell` with best and bound, where the
            program is but part of the whole.
        improved
            Called with the values and objective of each better solution.
        """
        if not self.columns:
            # HiGHS does not look at the rows of an empty program.
            self.add_columns(0.0, upper=0.0)
        highs = self._highs
        within = watch.control.gap if gap is None else gap
        self.set(time_limit=highs.getRunTime() + watch.left, mip_rel_gap=within)
        if start is not None:
            values = np.asarray(start, dtype=np.float64)
            known = np.flatnonzero(~np.isnan(values)).astype(np.int32)
            highs.setSolution(len(known), known, np.ascontiguousarray(values[known]))
        unknown = Outcome("unknown", None, float("nan"), self._unbounded)
        if watch.should_stop():
            return unknown
        run = _Run(highs, integers=self._integers)
        told = tell or (lambda best, bound: watch.tell(best, bound, what))
        try:
            for one in run.news(watch):
                if isinstance(one, _Far):
                    told(one.best, one.bound)
                elif improved is not None:
                    improved(one.values, one.objective)
        finally:
            if run.busy:
                # HiGHS goes on with what it holds until it listens; nobody else may touch that.
                self._highs = self._made()
        if not run.busy:
            return self._outcome(watch)
        bound = self._unbounded if run.bound is None else run.bound
        if run.best is None:
            return replace(unknown, bound=bound)
        return Outcome("feasible", run.best.values, run.best.objective, bound)

    def _outcome(self, watch: Watch) -> Outcome:
        highs, info = self._highs, self._highs.getInfo()
        status, kinds = highs.getModelStatus(), highspy.HighsModelStatus
        # Every column is bounded: what is infeasible or unbounded is infeasible.
        if status in {kinds.kInfeasible, kinds.kUnboundedOrInfeasible}:
            return Outcome("infeasible", None, float("nan"), float("nan"))
        done = status == kinds.kOptimal
        if not done:
            watch.should_stop()
        has = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
        solution = highs.getSolution()
        values = np.array(solution.col_value) if has else None
        objective = float(info.objective_function_value) if has else float("nan")
        if self._integers:
            bound = float(info.mip_dual_bound)
            bound = bound if np.isfinite(bound) else self._unbounded
            found: Found = "optimal" if done else "feasible" if has else "unknown"
            return Outcome(found, values, objective, bound, max(0, int(info.mip_node_count)))
        if not done:
            return Outcome("feasible" if has else "unknown", values, objective, self._unbounded)
        duals, costs = np.array(solution.row_dual), np.array(solution.col_dual)
        return Outcome("optimal", values, objective, objective, 0, duals, costs)


class _Far(NamedTuple):
    """How far an integer program has come."""

    best: float | None
    bound: float


class _Better(NamedTuple):
    """A better solution."""

    values: Floats
    objective: float


class _Run:
    """A run of HiGHS in a thread of its own.

    HiGHS asks its callbacks whether to stop, but not while it prepares, which may last for
    many seconds. So the thread that wants the answer waits for news rather than for HiGHS:
    it hears of signals and of the clock at any time, and leaves a run that does not listen
    to end by itself.

    Attributes
    ----------
    best, bound
        The last that were told, None before any.
    """

    def __init__(self, highs: Any, *, integers: bool) -> None:
        self._highs = highs
        self._news: SimpleQueue[_Far | _Better | None] = SimpleQueue()
        self._stop = False
        self._raised: BaseException | None = None
        self._told = (float("nan"), float("nan"))
        self.best: _Better | None = None
        self.bound: float | None = None
        for event in (highs.cbSimplexInterrupt, highs.cbIpmInterrupt):
            event.subscribe(self._pause)
        if integers:
            highs.cbMipInterrupt.subscribe(self._hear)
            highs.cbMipImprovingSolution.subscribe(self._improve)
        self._thread = threading.Thread(target=self._work, name="HiGHS", daemon=True)

    @property
    def busy(self) -> bool:
        """Whether HiGHS is still at it."""
        return self._thread.is_alive()

    def news(self, watch: Watch) -> Iterator[_Far | _Better]:
        """Run, and give the news until it has ended or was left."""
        self._thread.start()
        waited = 0.0
        try:
            while waited < _GRACE:
                try:
                    one = self._news.get(timeout=_LISTEN)
                except Empty:
                    waited += _LISTEN if self._stop else 0.0
                    self._stop = watch.should_stop()
                    continue
                if one is None:
                    self._thread.join()
                    break
                self._keep(one)
                yield one
                self._stop = self._stop or watch.should_stop()
        finally:
            self._stop = True
            if self.busy:
                # Where it asks no callback it may still look at the clock.
                self._highs.setOptionValue("time_limit", 0.0)
                _left.add(self._thread)
                # At exit Python must not be gone before HiGHS has told it of its end.
                atexit.register(self._thread.join)
        if self._raised is not None:
            raise self._raised

    def _keep(self, one: _Far | _Better) -> None:
        if isinstance(one, _Better):
            self.best = one
        else:
            self.bound = one.bound

    def _work(self) -> None:
        try:
            self._highs.run()
            self._highs.clearCallbacks()
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            self._raised = error
        finally:
            # What HiGHS keeps for a thread goes with it.
            highspy.Highs.resetThreadScheduler(False)
            self._news.put(None)
            atexit.unregister(self._thread.join)
            _left.discard(self._thread)

    def _pause(self, event: Any) -> None:
        if self._stop:
            event.interrupt()

    def _hear(self, event: Any) -> None:
        out = event.data_out
        now = (float(out.mip_primal_bound), float(out.mip_dual_bound))
        if now != self._told and np.isfinite(now[1]):
            self._told = now
            self._news.put(_Far(now[0] if np.isfinite(now[0]) else None, now[1]))
        self._pause(event)

    def _improve(self, event: Any) -> None:
        out = event.data_out
        better = _Better(np.array(out.mip_solution), float(out.objective_function_value))
        self._news.put(better)
        self._pause(event)
