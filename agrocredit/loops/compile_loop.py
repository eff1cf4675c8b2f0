"""From the text of a loop to an object file, by numba; imported only where no kept machine code serves.

No object of Python is made, nothing is allocated and nothing is counted (``_nrt``), so the code needs nothing of numba
when it runs. No lock is held, division by zero is as in NumPy, and no fast-math option is set: arithmetic is as
IEEE 754 says, so that the same inputs give the same bytes on every machine.
"""

from __future__ import annotations

from types import FunctionType
from typing import TYPE_CHECKING, Any

import llvmlite.binding as llvm
from numba import from_dtype, njit, types

from agrocredit.loops.object_code import SYMBOL, object_code

if TYPE_CHECKING:
    from agrocredit.loops.loop import Kind

_OPTIONS: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
    "_nrt": False,
}


def compile_loop(text: str, name: str, kinds: tuple[Kind, ...]) -> bytes:
    """Return an object file whose function `SYMBOL` is the function `name` of a text.

    Parameters
    ----------
    text : str
        Module whose functions may call each other.
    name : str
    kinds : tuple of Kind
        Of the arguments.
    """
    module: dict[str, Any] = {"__name__": "agrocredit.loops.text"}
    exec(compile(text, f"<loop {name}>", "exec"), module)  # noqa: S102 - text of this program, see `Loop`
    for one, function in list(module.items()):
        if isinstance(function, FunctionType) and function.__globals__ is module:
            module[one] = njit(**_OPTIONS)(function)
    signature = tuple(map(_type, kinds))
    module[name].compile(signature)
    made = llvm.parse_assembly(module[name].inspect_llvm(signature))
    _leave_only(made, module[name].overloads[signature].fndesc.llvm_func_name)
    return object_code(made)


def _type(kind: Kind) -> Any:  # noqa: ANN401 - numba is untyped
    if isinstance(kind, type):
        return types.float64 if kind is float else types.int64
    return types.Array(from_dtype(kind[0]), kind[1], "C")


def _leave_only(module: Any, name: str) -> None:  # noqa: ANN401 - llvmlite is untyped
    """Rename one function to `SYMBOL`, and let nothing else be seen from outside."""
    for function in module.functions:
        if function.name == name:
            function.name = SYMBOL
        elif not function.is_declaration:
            function.linkage = "internal"
    for variable in module.global_variables:
        variable.linkage = "internal"
