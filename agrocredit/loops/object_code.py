"""From a module of LLVM to an object file for this processor."""

from __future__ import annotations

from typing import Any

import llvmlite.binding as llvm

SYMBOL = "loop"
"""Name of the one function that is seen from outside."""


def target_machine() -> Any:  # noqa: ANN401 - llvmlite is untyped
    """Return LLVM's generator of code for this processor."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    features = llvm.get_host_cpu_features().flatten()
    target = llvm.Target.from_default_triple()
    reloc = "static" if target.name.startswith("x86") else "default"
    return target.create_target_machine(cpu=llvm.get_host_cpu_name(), features=features, opt=3, reloc=reloc, jit=True)


def object_code(module: Any) -> bytes:  # noqa: ANN401 - llvmlite is untyped
    """Return the object file of a module, which is changed: optimised, with what is not called thrown out.

    Equal steps that stand side by side become vectors, which numba leaves off; it keeps the order of every sum.
    """
    machine = target_machine()
    options = llvm.create_pipeline_tuning_options(speed_level=3)
    options.slp_vectorization = True
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    wanting = [one.name for one in module.functions if one.is_declaration and not one.name.startswith("llvm.")]
    unknown = [one for one in wanting if llvm.address_of_symbol(one) is None]
    if unknown:  # LLVM would end the process that loads it
        raise RuntimeError(f"a loop calls {', '.join(unknown)}, which no library of this process has")
    return bytes(machine.emit_object(module))
