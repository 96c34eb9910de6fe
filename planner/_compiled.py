"""Compilation: how kernels become machine code, and who hears of it."""

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import event
from numba.extending import intrinsic


class _Ear(event.Listener):
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
    register: Callable[..., None] = event.register
    register("numba:compile", _Ear(told))


def compiled(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a kernel when first called, and keep it for other processes.

    numba keeps it beside the module, else in the user's cache folder or where
    ``NUMBA_CACHE_DIR`` says.
    """
    options: dict[str, Any] = {"nogil": True, "boundscheck": False, "error_model": "numpy"}
    try:
        made: Callable[..., Any] = njit(cache=True, **options)(kernel)
    except RuntimeError:
        # There is nowhere to keep it: it is compiled in each process.
        made = njit(**options)(kernel)
    return made


@compiled
def index(number: Any) -> Any:
    """Tell the compiler that a number is not negative.

    Without it each access asks first whether it counts from the end. The number is below
    2**32, as nodes and arcs are.
    """
    return np.int64(np.uint32(number))


@compiled
def grown(array: Any) -> Any:
    """Copy of an array with twice the room."""
    more = np.empty(2 * len(array), array.dtype)
    more[: len(array)] = array
    return more


@intrinsic
def fetch(typing: Any, array: Any, at: Any) -> Any:  # noqa: ARG001 - numba's own signature
    """Ask the processor to read an array's item that is wanted soon."""

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        held = context.make_array(signature.args[0])(context, builder, values[0])
        pointer = builder.bitcast(builder.gep(held.data, [values[1]]), ir.IntType(8).as_pointer())
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [pointer.type, number, number, number])
        ask = builder.module.declare_intrinsic("llvm.prefetch", [pointer.type], kind)
        # To read, to be kept close, as data.
        builder.call(ask, [pointer, *(ir.Constant(number, flag) for flag in (0, 3, 1))])
        return context.get_dummy_value()

    return types.void(array, at), code
