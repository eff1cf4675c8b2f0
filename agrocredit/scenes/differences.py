"""Undoes the horizontal difference of GeoTIFF (TIFF 6.0, predictor 2): each pixel was stored less the one before it.

Running sums are one addition after the other, unless a vector of pixels is added to itself moved on by 1, 2, 4 and 8:
then each lane holds the sum up to it, and only the last one is carried on. That takes a quarter of the time, and can be
written in LLVM's language alone (``docs/decisions/0025-running-sums-in-vectors.md``). Sums wrap around, as TIFF's do.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from agrocredit.loops import assembled

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

LANES = 16
"""Pixels of a vector; the sides of TIFF's tiles are multiples of it."""


def undo_differences(packed: NDArray[Any], plain: NDArray[Any]) -> None:
    """Fill an array with running sums along the rows of another.

    Parameters
    ----------
    packed : ndarray of integers, shape (rows, columns)
        In C order; columns a multiple of `LANES`.
    plain : ndarray of the same type and shape
        Its rows may lie apart.

    Raises
    ------
    ValueError
        For arrays of another kind.
    """
    pixel = packed.itemsize
    if not (
        packed.size
        and packed.flags.c_contiguous
        and plain.shape == packed.shape
        and plain.dtype == packed.dtype
        and plain.dtype.kind in "ui"
        and plain.dtype.isnative
        and plain.strides[1] == pixel
        and packed.shape[1] % LANES == 0
    ):
        raise ValueError(f"{packed.dtype} of {packed.shape} into {plain.dtype} of {plain.shape}, expected tiles alike")
    _running_sums(8 * pixel)(packed.ctypes.data, plain.ctypes.data, *packed.shape, plain.strides[0] // pixel)


@cache
def _running_sums(bits: int) -> Callable[..., None]:
    return assembled(_text(bits), arguments=5)


def _text(bits: int) -> str:
    """Return the loop for pixels of some bits."""
    pixel, vector = f"i{bits}", f"<{LANES} x i{bits}>"
    last = ", ".join([f"i32 {LANES - 1}"] * LANES)
    return f"""
define void @loop(ptr %packed, ptr %plain, i64 %rows, i64 %columns, i64 %plain_columns) {{
start:
  br label %row
row:
  %r = phi i64 [0, %start], [%next_row, %end_of_row]
  %packed_at = mul i64 %r, %columns
  %packed_row = getelementptr {pixel}, ptr %packed, i64 %packed_at
  %plain_at = mul i64 %r, %plain_columns
  %plain_row = getelementptr {pixel}, ptr %plain, i64 %plain_at
  br label %part
part:
  %c = phi i64 [0, %row], [%next_part, %part]
  %before = phi {vector} [zeroinitializer, %row], [%after, %part]
  %from = getelementptr {pixel}, ptr %packed_row, i64 %c
  %sum1 = load {vector}, ptr %from, align {bits // 8}
{"".join(_add_moved(step, vector) for step in (1, 2, 4, 8))}
  %whole = add {vector} %before, %sum16
  %to = getelementptr {pixel}, ptr %plain_row, i64 %c
  store {vector} %whole, ptr %to, align {bits // 8}
  %last = shufflevector {vector} %sum16, {vector} poison, <{LANES} x i32> <{last}>
  %after = add {vector} %before, %last
  %next_part = add i64 %c, {LANES}
  %more_parts = icmp ult i64 %next_part, %columns
  br i1 %more_parts, label %part, label %end_of_row
end_of_row:
  %next_row = add i64 %r, 1
  %more_rows = icmp ult i64 %next_row, %rows
  br i1 %more_rows, label %row, label %end
end:
  ret void
}}
"""


def _add_moved(step: int, vector: str) -> str:
    """Return the lines that add a vector to itself moved on by some lanes, with zeros moved in."""
    lanes = ", ".join(f"i32 {lane}" for lane in range(LANES - step, 2 * LANES - step))
    return f"""\
  %moved{step} = shufflevector {vector} zeroinitializer, {vector} %sum{step}, <{LANES} x i32> <{lanes}>
  %sum{2 * step} = add {vector} %sum{step}, %moved{step}
"""
