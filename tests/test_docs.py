"""The documents say what is there."""

from __future__ import annotations

import importlib
import re

import pytest

from freezer.cli.main import COMMANDS
from tests.test_floors import FLOORS, ROOT

README = (ROOT / "README.md").read_text()
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()


def options() -> set[str]:
    commands = [importlib.import_module(module).command for module, _ in COMMANDS.values()]
    return {name for c in commands for p in c.params for name in (*p.opts, *p.secondary_opts) if name.startswith("--")}


def test_every_option_that_the_readme_names_exists():
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", README))
    assert len(named) > 12 and named <= options() | {"--runs"}


def test_every_script_and_file_that_the_documents_name_exists():
    named = set(re.findall(r"\b(?:scripts|tests|freezer)/[\w./]+\w", README + CONTRIBUTING))
    assert "scripts/demo" in named
    assert not [name for name in named if not (ROOT / name).exists()]


@pytest.mark.parametrize("module", sorted(FLOORS.keys() - {"freezer", "freezer.__main__"}))
def test_the_table_of_floors_is_that_of_the_test(module):
    rows = dict(re.findall(r"^\| (\d+) \| (.*) \|$", CONTRIBUTING, re.MULTILINE))
    assert f"`{module.removeprefix('freezer.')}" in rows[str(FLOORS[module])]
