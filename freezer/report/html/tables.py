"""The page's tables, in words."""

from __future__ import annotations

from typing import NamedTuple

import onnx_ir as ir

from freezer.bindings import Bindings
from freezer.report.build import Report
from freezer.report.html.sizes import Bar, Words, bars
from freezer.report.terminal import fate_words
from freezer.report.values import count_words, size_words

_SHORTEST = 0.005  # seconds; what took less is not shown


class End(NamedTuple):
    """An input or output, and what became of it. state: "frozen", "changed" or ""."""

    kind: str
    name: str
    type: str
    now: str
    state: str


class Number(NamedTuple):
    """A number before and after, as bars; saved: in words, "" if nothing was."""

    bar: Bar
    saved: str


def numbers(report: Report) -> list[Number]:
    """Nodes, control flow, bytes of constants and of the file."""
    before, after = report.before, report.after
    rows: list[tuple[str, int, int, Words]] = [("Nodes", before.nodes, after.nodes, str)]
    rows.append(("Control flow", sum(before.control_flow.values()), sum(after.control_flow.values()), str))
    rows.append(("Constants", before.nbytes, after.nbytes, size_words))
    if (saved := report.saved) is not None:
        source = report.source_nbytes + report.source_external_bytes
        rows.append(("File", source, saved["own_bytes"] + saved["shared_bytes"], size_words))
    notes = {"Control flow": count_words(before.control_flow)}
    return [Number(bars([(r[0], notes.get(r[0], ""), r[1], r[2])], r[3])[0], _saved(r[1], r[2])) for r in rows]


def _saved(before: int, after: int) -> str:
    if before == after:
        return "as before"
    if not before:
        return "more"
    share = 100 * (after - before) / before
    return f"{share:+.0f} %".replace("-", "\N{MINUS SIGN}") if abs(share) >= 1 else "nearly the same"


def interface(report: Report, bindings: Bindings) -> list[End]:
    """Each input and output of the original; frozen ones with how their value was given, if the value is long."""
    after = {v.name: v for v in (*report.after.inputs, *report.after.outputs)}
    values = [("input", v) for v in report.before.inputs] + [("output", v) for v in report.before.outputs]
    ends = []
    for kind, value in values:
        words = fate_words(value, after.get(value.name), report)
        given = bindings.origins.get(value.name, "")
        if words.startswith("frozen"):
            words += ", its default" if value.name not in bindings.origins else f", {given}" * given.isidentifier()
        state = "frozen" if value.name in report.frozen else "changed" if words else ""
        ends.append(End(kind, value.name, value.type, words or "as it was", state))
    return ends


def verdict(report: Report) -> tuple[str, str, str]:
    """Status, the word for it, and message."""
    if report.verification is None:
        return "unverified", "not verified", "as asked (--no-verify)"
    status, message = report.verification["status"], report.verification["message"]
    word = {"equal": "verified", "close": "verified", "different": "different"}.get(status, "not verified")
    return status, word, message.removeprefix("not verified: ")


def times(report: Report) -> list[tuple[str, str]]:
    """The stages that took time."""
    return [(name, f"{value:.2f} s") for name, value in report.seconds.items() if value >= _SHORTEST]


def provenance(model: ir.Model) -> list[tuple[str, str]]:
    """What freezer wrote into the residual's metadata."""
    return [(key, text) for key, text in sorted(model.metadata_props.items()) if key.startswith("freezer.")]
