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

from agrocredit.zonal.machine_code import SYMBOL, target_machine

if TYPE_CHECKING:
    from agrocredit.zonal.machine_code import Kind

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
    module: dict[str, Any] = {"__name__": "agrocredit.zonal.loops"}
    exec(compile(text, f"<loop {name}>", "exec"), module)  # noqa: S102 - text of this room, see `native_function`
    for one, function in list(module.items()):
        if isinstance(function, FunctionType) and function.__globals__ is module:
            module[one] = njit(**_OPTIONS)(function)
    signature = tuple(map(_type, kinds))
    module[name].compile(signature)
    made = llvm.parse_assembly(module[name].inspect_llvm(signature))
    _leave_only(made, module[name].overloads[signature].fndesc.llvm_func_name)
    machine = target_machine()
    _optimize(made, machine)
    return bytes(machine.emit_object(made))


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


def _optimize(module: Any, machine: Any) -> None:  # noqa: ANN401 - llvmlite is untyped
    """Throw out what is not called, and make vectors of equal steps that stand side by side, which numba leaves off."""
    options = llvm.create_pipeline_tuning_options(speed_level=3)
    options.slp_vectorization = True  # keeps the order of every sum
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    wanting = [one.name for one in module.functions if one.is_declaration and not one.name.startswith("llvm.")]
    unknown = [one for one in wanting if llvm.address_of_symbol(one) is None]
    if unknown:  # LLVM would end the process that loads it
        raise RuntimeError(f"a loop calls {', '.join(unknown)}, which no library of this process has")
