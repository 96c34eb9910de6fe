"""The compiled kernels of search, and nothing else.

Each is a bucket queue: nodes wait in buckets by distance, each bucket about as wide as a
common arc, and are taken in whatever order they lie in a bucket. A node whose distance
falls once more is taken once more, so the distances are those of Dijkstra's algorithm to
the last bit; buckets merely make that rare. What is read next is fetched ahead, because
a search from hundreds of origins touches a city's memory in no order at all.

`planner._search` imports this module when a search first runs: numba is slow to import.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import event
from numba.extending import intrinsic

_AHEAD = 8
"""Nodes between fetching one's arcs and searching it; half of it for the arcs' heads."""


class _Ear(event.Listener):  # type: ignore[misc] # numba ships no types
    """Hears when numba compiles rather than finds what it compiled before."""

    def __init__(self, told: Callable[[], None]) -> None:
        self._told = told

    def on_start(self, event: Any) -> None:  # noqa: ARG002 - numba's own signature
        """Pass it on."""
        self._told()

    def on_end(self, event: Any) -> None:
        """Let it be."""


def on_compiling(told: Callable[[], None]) -> None:
    """Have a function called whenever a kernel is compiled."""
    event.register("numba:compile", _Ear(told))


def _compiled(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a kernel when first called, and keep it for other processes."""
    options = {"nogil": True, "boundscheck": False, "error_model": "numpy"}
    try:
        made: Callable[..., Any] = njit(cache=True, **options)(kernel)
    except RuntimeError:
        # No folder can be written to, neither beside this file nor in a user's cache.
        made = njit(**options)(kernel)
    return made


@intrinsic  # type: ignore[untyped-decorator] # numba ships no types
def _fetch(typing: Any, array: Any, at: Any) -> Any:  # noqa: ARG001 - numba's own signature
    """Ask the processor to read an array's item that is wanted soon."""

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        held = context.make_array(signature.args[0])(context, builder, values[0])
        pointer = builder.bitcast(
            builder.gep(held.data, [values[1]]), ir.IntType(8).as_pointer()
        )
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [pointer.type, number, number, number])
        ask = builder.module.declare_intrinsic("llvm.prefetch", [pointer.type], kind)
        # To read, to be kept close, as data.
        builder.call(ask, [pointer, *(ir.Constant(number, flag) for flag in (0, 3, 1))])
        return context.get_dummy_value()

    return types.void(array, at), code


@_compiled
def nearest(
    start, arcs, seed_node, seed_cost, seed_origin, limit, width, buckets, room, distance, origin
):
    """Search from all origins at once.

    Of origins at exactly the same distance the first wins, so that the outcome does not
    hang on the order in which nodes are taken.

    Parameters
    ----------
    start, arcs
        Compressed rows.
    seed_node, seed_cost, seed_origin
        Seeds in the order of their cost, none beyond the limit.
    limit
        Greatest distance, inclusive.
    width, buckets
        Width of a bucket; how many there are, a power of two that holds the dearest arc.
    room
        Nodes that may wait at one time.
    distance, origin
        Filled with the outcome, inf and -1 where no origin comes.

    Returns
    -------
    Whether the room sufficed; if not, the outcome is void.
    """
    nodes = len(start) - 1
    # Distance and origin side by side: one line of memory instead of two.
    label = np.empty(2 * nodes)
    for node in range(nodes):
        label[2 * node] = np.inf
        label[2 * node + 1] = -1.0
    first = np.full(buckets, -1, np.int32)
    wait_next = np.empty(room, np.int32)
    wait_node = np.empty(room, np.int32)
    wait_cost = np.empty(room)
    batch_node = np.empty(room, np.int32)
    batch_cost = np.empty(room)
    free = np.int32(-1)
    used = 0
    waiting = 0
    mask = buckets - 1
    per_width = 1.0 / width
    current = np.int64(0)
    seed = 0
    seeds = len(seed_node)
    while waiting > 0 or seed < seeds:
        if waiting == 0:
            current = max(current, np.int64(seed_cost[seed] * per_width))
        slot = current & mask
        while seed < seeds and np.int64(seed_cost[seed] * per_width) <= current:
            node = np.int64(seed_node[seed])
            cost = seed_cost[seed]
            source = np.float64(seed_origin[seed])
            seed += 1
            old = label[2 * node]
            if cost < old or (cost == old and source < label[2 * node + 1]):
                label[2 * node] = cost
                label[2 * node + 1] = source
                if free >= 0:
                    entry = free
                    free = wait_next[entry]
                elif used < room:
                    entry = np.int32(used)
                    used += 1
                else:
                    return False
                wait_node[entry] = node
                wait_cost[entry] = cost
                wait_next[entry] = first[slot]
                first[slot] = entry
                waiting += 1
        while first[slot] >= 0:
            # Empty the bucket into a batch; what falls back into it makes the next one.
            count = 0
            entry = first[slot]
            last = entry
            while entry >= 0:
                node = np.int64(wait_node[entry])
                _fetch(label, 2 * node)
                _fetch(start, node)
                batch_node[count] = node
                batch_cost[count] = wait_cost[entry]
                count += 1
                last = entry
                entry = wait_next[entry]
            wait_next[last] = free
            free = first[slot]
            first[slot] = -1
            waiting -= count
            for i in range(count):
                if i + _AHEAD < count:
                    _fetch(arcs, np.int64(start[batch_node[i + _AHEAD]]))
                node = np.int64(batch_node[i])
                here = batch_cost[i]
                if here != label[2 * node]:
                    continue
                source = label[2 * node + 1]
                if i + _AHEAD // 2 < count:
                    soon = batch_node[i + _AHEAD // 2]
                    for arc in range(start[soon], start[soon + 1]):
                        _fetch(label, 2 * arcs[arc].head)
                for arc in range(start[node], start[node + 1]):
                    cost = here + arcs[arc].cost
                    head = arcs[arc].head
                    old = label[2 * head]
                    if cost > old or cost > limit:
                        continue
                    if cost < old or source < label[2 * head + 1]:
                        label[2 * head] = cost
                        label[2 * head + 1] = source
                        if free >= 0:
                            entry = free
                            free = wait_next[entry]
                        elif used < room:
                            entry = np.int32(used)
                            used += 1
                        else:
                            return False
                        wait_node[entry] = head
                        wait_cost[entry] = cost
                        into = np.int64(cost * per_width) & mask
                        wait_next[entry] = first[into]
                        first[into] = entry
                        waiting += 1
        current += 1
    for node in range(nodes):
        distance[node] = label[2 * node]
        origin[node] = np.int64(label[2 * node + 1])
    return True
