"""A module imports only from lower floors, or from its own package."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# The longest matching prefix counts.
FLOORS = {
    "freezer._version": 0, "freezer.errors": 0, "freezer.ulp": 0, "freezer.options": 0,
    "freezer.model_io": 1,
    "freezer.facts": 2, "freezer.rewrite": 2, "freezer.naming": 2, "freezer.bindings": 2,
    "freezer.recipe": 3,
    "freezer.rules": 3, "freezer.evaluate": 3,
    "freezer.passes": 4,
    "freezer.canonical": 5, "freezer.pipeline": 5,
    "freezer.verification": 6, "freezer.provenance": 6, "freezer.engines": 6,
    "freezer.report": 7, "freezer.whatif": 7, "freezer.proof": 7,
    "freezer.api": 8, "freezer.engines.table": 8,
    "freezer.routes": 9, "freezer.variants": 9,
    "freezer": 10,
    "freezer.cli": 11, "freezer.__main__": 12,
}  # fmt: skip
MODULES = sorted(p for p in (ROOT / "freezer").rglob("*.py"))


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def home(name: str) -> str:
    """The entry of FLOORS that a module falls under."""
    while name not in FLOORS:
        name = name.rpartition(".")[0]
    return name


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(a.name for a in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.update([node.module] if node.module != "freezer" else [f"freezer.{a.name}" for a in node.names])
    return {n for n in names if n == "freezer" or n.startswith("freezer.")}


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_imports_go_down(path):
    own = home(module_name(path))
    for name in imported(path):
        target = home(name)
        assert target == own or FLOORS[target] < FLOORS[own], f"{module_name(path)} imports {name}"


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_files_are_short(path):
    assert len(path.read_text().splitlines()) <= 300


@pytest.mark.parametrize("arguments", [["-c", "import freezer"], ["-m", "freezer", "--help"]])
def test_starting_imports_nothing_heavy(arguments):
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments], capture_output=True, text=True, cwd=ROOT, check=True
    )
    loaded = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}
    assert not loaded & {"torch", "onnxsim", "onnx_graphsurgeon", "onnxruntime", "onnx", "numpy", "sympy", "rich"}


def test_freezing_never_imports_the_runtime_in_its_own_process():
    heavy = {"onnxruntime", "torch", "sympy"}
    code = f"import sys, freezer.api, freezer.canonical; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"
