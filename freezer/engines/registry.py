"""Which engines there are, what each needs, and how closely its result must agree."""

from __future__ import annotations

import difflib
import importlib.metadata
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass

from freezer._version import __version__
from freezer.errors import UsageError
from freezer.options import Options

NATIVE = "native"
# By dtype, relative to the largest value of an output: sums in another order, as fused kernels do them.
FUSED = {"float64": 1e-12, "float32": 1e-5, "float16": 4e-3, "bfloat16": 3e-2}


@dataclass(frozen=True)
class Engine:
    """name: as --engine has it. fold: MODULE:FUNCTION of the adapter, `fold(source, target)` from file to file.

    module: what it imports; package: its name in an index; extra: the optional dependency of freezer that
    installs it, "" if freezer itself needs it. fuses: it merges operators, which moves last bits.
    """

    name: str
    fold: str
    module: str
    package: str
    extra: str = ""
    fuses: bool = True

    @property
    def installed(self) -> bool:
        """Whether its package is there; nothing is imported."""
        return importlib.util.find_spec(self.module) is not None

    @property
    def version(self) -> str:
        """Of its package; "" if that is not installed."""
        if self.name == NATIVE:  # it runs from a checkout too
            return __version__
        try:
            return importlib.metadata.version(self.package)
        except importlib.metadata.PackageNotFoundError:
            return ""

    @property
    def missing(self) -> str:
        """What to do where it is not installed."""
        return f"engine '{self.name}' is not installed: pip install 'onnx-freezer[{self.extra}]'"


_AT = "freezer.engines.adapters"
ENGINES = (
    Engine(NATIVE, "freezer.engines.native:fold", "freezer", "onnx-freezer", fuses=False),
    Engine("onnxsim", f"{_AT}:onnxsim", "onnxsim", "onnxsim", "onnxsim"),
    Engine("graphsurgeon", f"{_AT}:graphsurgeon", "onnx_graphsurgeon", "onnx-graphsurgeon", "graphsurgeon", False),
    Engine("onnxruntime", f"{_AT}:onnxruntime", "onnxruntime", "onnxruntime"),
    Engine("onnxslim", f"{_AT}:onnxslim", "onnxslim", "onnxslim", "onnxslim"),
    Engine("onnxscript", f"{_AT}:onnxscript", "onnxscript", "onnxscript", "onnxscript"),
)


def chosen_engine(name: str) -> Engine:
    """The engine of that name. Raises UsageError if there is none, or it is not installed."""
    found = next((e for e in ENGINES if e.name == name), None)
    if found is None:
        names = [e.name for e in ENGINES]
        close = difflib.get_close_matches(name, names, 1)
        there = f"did you mean '{close[0]}'?" if close else f"there are {', '.join(names)}"
        raise UsageError(f"unknown engine '{name}'; {there}")
    if not found.installed:
        raise UsageError(found.missing)
    return found


def tolerances(options: Options) -> Mapping[str, float] | None:
    """How far outputs may be from the original's, by dtype, relative to the largest value; None: not in one bit.

    Options.tolerance where it is given, else FUSED if an engine or a relaxed rule may fuse. Raises UsageError as
    chosen_engine does, or for a tolerance that is not between 0 and 1.
    """
    engines = [chosen_engine(name) for name in (options.engine, options.then) if name]
    if options.tolerance is not None:
        return uniform(options.tolerance)
    return FUSED if options.relaxed or any(e.fuses for e in engines) else None


def uniform(share: float | None) -> Mapping[str, float] | None:
    """One tolerance for all floats; None for none, or 0. Raises UsageError if it is not between 0 and 1."""
    if share is not None and not 0 <= share < 1:
        raise UsageError(f"a tolerance is a share of the largest value, from 0 to 1; not {share}")
    return dict.fromkeys(FUSED, share) if share else None
