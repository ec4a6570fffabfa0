"""The tables of the documents hold each module of fixtures/modules, and their sums are right."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from fixtures.modules import TOPICS, factories, factories_of

ROOT = Path(__file__).parents[2]
README, ROUTES = (ROOT / "README.md").read_text(), (ROOT / "docs" / "routes.md").read_text()
HALVES = ROUTES.split("\n## The full model exported as anyone would\n")
Verdicts = list["Counter[str]"]


def verdicts(text: str, title: str) -> list[Verdicts]:
    """The counts by exporter in the rows with this title."""
    rows = re.findall(rf"^\| {title} \|(?: \d+ \|)? ([^|\n]+) \| ([^|\n]+) \|$", text, re.MULTILINE)
    return [[counts(cell) for cell in row] for row in rows]


def counts(cell: str) -> Counter[str]:
    return Counter({verdict: int(n) for n, verdict in (part.split(" ", 1) for part in cell.strip().split(", "))})


def total(rows: list[Verdicts]) -> Verdicts:
    return [sum((row[i] for row in rows), Counter()) for i in range(2)]


@pytest.mark.parametrize("text", HALVES, ids=["folding off", "default export"])
def test_each_module_has_a_row(text: str) -> None:
    rows = [verdicts(text, re.escape(name).replace(":", ": ")) for name in factories()]
    assert [len(found) for found in rows] == [1] * len(factories())
    assert total([row for found in rows for row in found]) == verdicts(text, "all")[0]


def test_the_readme_sums_the_modules_up() -> None:
    for topic in TOPICS:
        rows = [verdicts(HALVES[0], re.escape(f"{topic}: {name}"))[0] for name in factories_of(topic)]
        assert verdicts(README, topic.replace("_", " ")) == [total(rows)]
        assert f"| {topic.replace('_', ' ')} | {len(rows)} |" in README
    assert verdicts(README, "all") == verdicts(HALVES[0], "all")
    assert f"{len(factories())} modules, frozen both ways" in README
