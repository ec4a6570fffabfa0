"""The report on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.markup import escape

from freezer.errors import printable
from freezer.report.build import Report
from freezer.report.side import Side
from freezer.report.values import ValueInfo, count_words, plural, size_words, value_words

_MOST_ROWS = 10
_SHORTEST = 0.005  # seconds; what took less is not shown
_COLOURS = {"equal": "green", "close": "green", "different": "red"}


def show(report: Report, console: Console | None = None) -> None:
    """Print a finished freeze's report."""
    console = console or Console(highlight=False, soft_wrap=True)
    target = (report.saved or {}).get("path", "not saved")
    head = [f"[bold]{escape(report.source)}[/] -> [bold]{escape(target)}[/]", ""]
    tables = [*_interface(report), *_remarks(report), "", *_sums(report), "", *_ops(report), ""]
    tail = [*_stayed(report), _verdict(report), *_written(report), _times(report)]
    for line in (*head, *tables, *tail):
        console.print(printable(line))


def _columns(rows: Sequence[Sequence[str]], numbers: bool = False) -> list[str]:
    """Lines of aligned cells; numbers: all but the first column to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [c.rjust(w) if numbers and i else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))]
        lines.append(escape("  ".join(cells).rstrip()))
    return lines


def _interface(report: Report) -> list[str]:
    """Each input and output, and what became of it; many inputs with defaults are a line."""
    after = {v.name: v for v in (*report.after.inputs, *report.after.outputs)}
    defaults = [v for v in report.before.inputs if v.default is not None and v.name not in report.frozen]
    hidden = defaults if len(defaults) > _MOST_ROWS else []
    values = [("input", v) for v in report.before.inputs if v not in hidden]
    values += [("output", v) for v in report.before.outputs]
    rows = [(kind, v.name, v.type, fate_words(v, after.get(v.name), report)) for kind, v in values]
    lines = _columns(rows) if rows else []
    lines = [
        f"[cyan]{line}[/]" if v.name in report.frozen else line for line, (_, v) in zip(lines, values, strict=True)
    ]
    return [*lines, *_defaults(hidden, report)]


def _defaults(hidden: Sequence[ValueInfo], report: Report) -> Iterator[str]:
    """How many inputs have defaults, and what can be done about them."""
    left = {v.name for v in report.after.inputs}
    dead, kept = (sum(v.name in names for v in hidden) for names in (report.dead_inputs, left))
    if hidden:
        yield f"and {len(hidden)} inputs that have defaults (--freeze-defaults freezes them)"
    if dead:
        yield f"    nothing reads {dead} of them (--prune-inputs drops those)"
    if kept < len(hidden):
        yield f"    nothing read {len(hidden) - kept} of them: they are pruned"


def fate_words(value: ValueInfo, now: ValueInfo | None, report: Report) -> str:
    """What became of an input or output; "" if nothing did."""
    if now is None:
        frozen = report.frozen.get(value.name)
        return "pruned: nothing reads it" if frozen is None else f"frozen to {value_words(frozen)}"
    words = [] if now.type == value.type else [f"now {now.type}"]
    if value.name in report.dead_inputs:
        words.append("nothing reads it (--prune-inputs drops it)")
    if value.name in report.constant_outputs:
        words.append("constant")
    return ", ".join(words)


def _remarks(report: Report) -> Iterator[str]:
    if report.dims:
        yield f"dims    {escape(', '.join(f'{name}={size}' for name, size in report.dims.items()))}"
    yield from (f"note    {escape(note)}" for note in report.notes)


def _sums(report: Report) -> list[str]:
    before, after = report.before, report.after
    rows = [
        ("", "before", "after"),
        ("nodes", str(before.nodes), str(after.nodes)),
        ("control flow", count_words(before.control_flow), count_words(after.control_flow)),
        ("constants", size_words(before.nbytes), size_words(after.nbytes)),
    ]
    if report.saved is not None:
        source, saved = report.source_nbytes + report.source_external_bytes, report.saved
        rows.append(("file", size_words(source), size_words(saved["own_bytes"] + saved["shared_bytes"])))
    return _columns(rows, numbers=True)


def _ops(report: Report) -> list[str]:
    """The op types that changed most, by their share of the nodes and of the constants that they read first."""
    before, after = report.before, report.after
    names = dict.fromkeys((*before.ops, *before.bytes_by_op, *after.ops, *after.bytes_by_op))
    weights = {name: _weight(name, before, after) for name in names}
    changed = sorted((name for name in names if weights[name]), key=lambda name: -weights[name])
    rows: list[Sequence[str]] = [("op type", "nodes", "now", "constants", "now")]
    for name in changed[:_MOST_ROWS]:
        nodes = (str(side.ops.get(name, 0)) for side in (before, after))
        sizes = (size_words(side.bytes_by_op.get(name, 0)) for side in (before, after))
        rows.append((name, *nodes, *sizes))
    more = [f"and {len(changed) - _MOST_ROWS} more"] if len(changed) > _MOST_ROWS else []
    return _columns(rows, numbers=True) + more if changed else ["no node changed"]


def _weight(name: str, before: Side, after: Side) -> float:
    nodes = abs(before.ops.get(name, 0) - after.ops.get(name, 0)) / (before.nodes or 1)
    return nodes + abs(before.bytes_by_op.get(name, 0) - after.bytes_by_op.get(name, 0)) / (before.nbytes or 1)


def _stayed(report: Report) -> Iterator[str]:
    for entry in report.reasons[:_MOST_ROWS]:
        which = "" if entry.count == 1 else ", such as"
        yield escape(f"stayed    {entry.count} {entry.op_type}{which} '{entry.example}': {entry.reason}")
    if len(report.reasons) > _MOST_ROWS:
        yield f"stayed    and {len(report.reasons) - _MOST_ROWS} more reasons (--json lists them)"
    if report.kept:
        yield f"computed  {kept_words(report)}"
    if report.random:
        yield f"random    {count_words(report.random)}: never folded"
    if report.after.unknown:
        yield f"unknown   {escape(count_words(report.after.unknown))}: never folded"
    if report.relaxed:
        yield f"[yellow]relaxed[/]   {count_words(report.relaxed)}: these may change the last bits"


def kept_words(report: Report) -> str:
    """How many static values are computed, and what that saves."""
    total, count = sum(entry["nbytes"] for entry in report.kept), len(report.kept)
    which = "it" if count == 1 else "them"
    return f"{plural(count, 'static value')} at run time: storing {which} would take {size_words(total)}"


def _verdict(report: Report) -> str:
    found = report.verification
    if found is None:
        return "[yellow]not verified[/] (--no-verify)"
    text = found["message"].removeprefix("not verified: ")
    head = {"equal": "verified", "close": "verified", "different": "different"}.get(found["status"], "not verified")
    colour = _COLOURS.get(found["status"], "yellow")
    if found["loads_optimised"] is False:
        text += f"; with all optimisations it does not load: {found['optimised_reason']}"
    return f"[{colour}]{head}[/]  {escape(text)}"


def _written(report: Report) -> Iterator[str]:
    saved = report.saved
    if saved is None:
        return
    data = f", its weights in {saved['data_file']}" if saved["data_file"] else ""
    yield f"written   {escape(saved['path'])}, {size_words(saved['own_bytes'])}{escape(data)}"
    if saved["shared_bytes"]:
        files = ", ".join(saved["shared_files"])
        yield f"shares    {size_words(saved['shared_bytes'])} with {escape(files)}; do not delete it"


def _times(report: Report) -> str:
    stages = (f"{name} {seconds:.2f} s" for name, seconds in report.seconds.items() if seconds >= _SHORTEST)
    return f"time      {', '.join(stages)}"
