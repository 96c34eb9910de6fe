"""Vectors: what kernels do with several numbers at once, side by side in memory.

A row is `LANES` numbers of a flat array, the first at the row's number times `LANES`. The
processor's own vectors are used however wide they are; each number comes out as it would
alone, to the last bit.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

LANES = 16
"""Numbers of a row: two lines of memory."""

_NUMBERS = ir.VectorType(ir.DoubleType(), LANES)
_COUNT = ir.IntType(64)
_BESIDE = 8
"""Bytes that a number lies at a multiple of, and a row as well."""


def _row(context: Any, builder: Any, kind: Any, array: Any, row: Any) -> Any:
    """Where a row of an array begins."""
    held = context.make_array(kind)(context, builder, array)
    first = builder.mul(row, ir.Constant(_COUNT, LANES))
    return builder.bitcast(builder.gep(held.data, [first]), _NUMBERS.as_pointer())


def _read(builder: Any, place: Any) -> Any:
    read = builder.load(place)
    read.align = _BESIDE
    return read


def _write(builder: Any, numbers: Any, place: Any) -> None:
    builder.store(numbers, place).align = _BESIDE


def _all(builder: Any, number: Any) -> Any:
    """One number in every lane."""
    nothing = ir.Constant(_NUMBERS, ir.Undefined)
    alone = builder.insert_element(nothing, number, ir.Constant(ir.IntType(32), 0))
    lanes = ir.Constant(ir.VectorType(ir.IntType(32), LANES), None)
    return builder.shuffle_vector(alone, nothing, lanes)


def _how_many(builder: Any, flags: Any) -> Any:
    """In how many lanes a flag is set."""
    return builder.zext(builder.ctpop(builder.bitcast(flags, ir.IntType(LANES))), _COUNT)


Code = tuple[Any, Callable[..., Any]]


@intrinsic
def fill(typing: Any, array: Any, row: Any, number: Any) -> Code:  # noqa: ARG001 - numba's own signature
    """Write a number into every lane of a row."""

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        array, row, number = values
        place = _row(context, builder, signature.args[0], array, row)
        _write(builder, _all(builder, number), place)
        return context.get_dummy_value()

    return types.void(array, types.int64, types.float64), code


@intrinsic
def lower(typing: Any, array: Any, row: Any, into: Any, at: Any, cost: Any) -> Code:  # noqa: ARG001 - numba's own signature
    """Lower a row of one array to that of another and a cost; in how many lanes it fell."""

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        array, row, into, at, cost = values
        come = _read(builder, _row(context, builder, signature.args[0], array, row))
        place = _row(context, builder, signature.args[2], into, at)
        held = _read(builder, place)
        come = builder.fadd(come, _all(builder, cost))
        less = builder.fcmp_ordered("<", come, held)
        _write(builder, builder.select(less, come, held), place)
        return _how_many(builder, less)

    return types.int64(array, types.int64, into, types.int64, types.float64), code


@intrinsic
def add(typing: Any, into: Any, at: Any, number: Any, array: Any, row: Any, top: Any) -> Code:  # noqa: ARG001 - numba's own signature
    """Add a number to the lanes of a row wherever another row lies below a top."""

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        into, at, number, array, row, top = values
        place = _row(context, builder, signature.args[0], into, at)
        held = _read(builder, _row(context, builder, signature.args[3], array, row))
        below = builder.fcmp_ordered("<", held, _all(builder, top))
        nought = ir.Constant(_NUMBERS, [0.0] * LANES)
        more = builder.select(below, _all(builder, number), nought)
        _write(builder, builder.fadd(_read(builder, place), more), place)
        return context.get_dummy_value()

    return types.void(into, types.int64, types.float64, array, types.int64, types.float64), code


@intrinsic
def below(typing: Any, array: Any, row: Any, top: Any) -> Code:  # noqa: ARG001 - numba's own signature
    """In how many lanes a row lies below a top."""

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        array, row, top = values
        held = _read(builder, _row(context, builder, signature.args[0], array, row))
        return _how_many(builder, builder.fcmp_ordered("<", held, _all(builder, top)))

    return types.int64(array, types.int64, types.float64), code
