"""Text fixtures: a model in ONNX text syntax, what is bound, and the residual that it must give.

A file holds cases, separated by a line `----`. A case is

    # title                      in fixtures/rules `rule: what`, with "refuses" where the rule must not fire
    the model before, in ONNX text syntax
    bind: name=JSON              any number of these, in any order
    dim: N=4
    shape: x=1,_,80
    option: relaxed=true         a field of Options
    range: trips=0..4            what random feeds of an integer input may hold
    runtime: none                onnxruntime does not run this model at all
    checker: none                nor does onnx's checker take it: a wrong file
    after                        then the model that must come out, up to names inside; or
    unchanged: part of a reason  the same nodes, and a reason in the log that contains this text
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import onnx

FIXTURES = Path(__file__).parents[2] / "fixtures"
_KEYS = ("bind", "dim", "shape", "option", "range", "runtime", "checker", "unchanged")


@dataclass
class Case:
    """One case. before, after: model texts; unchanged: part of a reason, None if something is to change."""

    file: str
    title: str
    before: str = ""
    after: str = ""
    unchanged: str | None = None
    values: dict[str, object] = field(default_factory=dict)
    dims: dict[str, int] = field(default_factory=dict)
    shapes: dict[str, list[int | None]] = field(default_factory=dict)
    options: dict[str, object] = field(default_factory=dict)
    ranges: dict[str, tuple[int, int]] = field(default_factory=dict)
    runs: bool = True
    valid: bool = True

    @property
    def rule(self) -> str | None:
        """The rule that the title names."""
        name, colon, _ = self.title.partition(":")
        return name if colon and self.file.startswith("rules/") else None

    @property
    def refuses(self) -> bool:
        return "refuses" in self.title

    def __str__(self) -> str:
        return f"{self.file}: {self.title}"


def read_cases(folder: str) -> list[Case]:
    """All cases of the .txt files in a folder of fixtures/."""
    found = []
    for path in sorted((FIXTURES / folder).glob("*.txt")):
        name = f"{folder}/{path.stem}"
        found += [parse_case(name, part) for part in path.read_text().split("\n----\n")]
    return found


def parse_case(file: str, text: str) -> Case:
    """The case that a text describes."""
    first, *lines = text.strip("\n").split("\n")
    assert first.startswith("# "), f"{file}: a case begins with '# title', not with {first!r}"
    case, models, current = Case(file, first[2:].strip()), {"before": "", "after": ""}, "before"
    for line in lines:
        key, _, value = line.partition(":")
        if line.strip() == "after":
            current = "after"
        elif current == "before" and key in _KEYS:
            _set(case, key, value.strip())
        else:
            models[current] += line + "\n"
    case.before, case.after = models["before"], models["after"]
    assert (case.unchanged is None) == bool(case.after), f"{case}: either 'after' or 'unchanged:'"
    return case


def _set(case: Case, key: str, value: str) -> None:
    name, _, content = value.partition("=")
    if key == "bind":
        case.values[name] = json.loads(content)
    elif key == "dim":
        case.dims[name] = int(content)
    elif key == "shape":
        case.shapes[name] = [None if d == "_" else int(d) for d in content.split(",")]
    elif key == "option":
        case.options[name] = json.loads(content)
    elif key == "range":
        low, _, high = content.partition("..")
        case.ranges[name] = int(low), int(high)
    elif key == "runtime":
        case.runs = value != "none"
    elif key == "checker":
        case.valid = case.runs = value != "none"
    else:
        case.unchanged = value


def parse_model(text: str, case: Case) -> onnx.ModelProto:
    """The model; a text that is no model fails with the case's name."""
    try:
        return onnx.parser.parse_model(text)
    except onnx.parser.ParseError as error:
        raise AssertionError(f"{case}: {error}") from error
