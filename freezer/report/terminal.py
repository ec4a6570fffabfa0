"""The report on a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from freezer.report.build import Report, Side

_MOST_ROWS = 12


def show(report: Report, console: Console | None = None) -> None:
    """Print a finished freeze's report."""
    console = console or Console(highlight=False, soft_wrap=True)
    assert report.after is not None
    console.print(f"[bold]{escape(report.source)}[/] -> [bold]{escape((report.saved or {}).get('path', '-'))}[/]")
    _interface(report, console)
    console.print(_summary(report.before, report.after))
    console.print(_ops(report.before, report.after))
    _stayed(report, console)
    _verdict(report, console)
    console.print("time       " + ", ".join(f"{name} {seconds:.2f} s" for name, seconds in report.seconds.items()))


def size(nbytes: float) -> str:
    """Bytes in words."""
    for unit in ("B", "KB", "MB"):
        if nbytes < 1000:
            return f"{nbytes:.0f} {unit}" if unit == "B" else f"{nbytes:.2f} {unit}"
        nbytes /= 1000
    return f"{nbytes:.2f} GB"


def _interface(report: Report, console: Console) -> None:
    assert report.after is not None
    kept = {v.name: v for v in report.after.inputs}
    for value in report.before.inputs:
        now = kept.get(value.name)
        what = "[cyan]frozen[/]" if now is None else "kept" if str(now) == str(value) else f"now {escape(str(now))}"
        console.print(f"  input    {escape(str(value))}  {what}")
    for label, lines in (
        ("frozen", report.bound),
        ("note", report.notes),
        ("dead", [f"{n} is no longer read (--prune-inputs drops it)" for n in report.dead_inputs]),
        ("constant", [f"output {n} is now a constant" for n in report.constant_outputs]),
    ):
        for line in lines:
            console.print(f"  {label:<8} {escape(line)}")


def _summary(before: Side, after: Side) -> Table:
    table = Table("", "before", "after", box=None, pad_edge=True)
    table.add_row("nodes", str(before.nodes), str(after.nodes))
    table.add_row("control flow", _counts(before.control_flow), _counts(after.control_flow))
    table.add_row("constants", size(before.nbytes), size(after.nbytes))
    table.add_row("inputs", str(len(before.inputs)), str(len(after.inputs)))
    return table


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{n} {op}" for op, n in counts.items()) or "none"


def _ops(before: Side, after: Side) -> str:
    """The op types whose count changed most."""
    changes = {op: after.ops.get(op, 0) - n for op, n in before.ops.items() if op != "Constant"}
    changes |= {op: n for op, n in after.ops.items() if op not in before.ops and op != "Constant"}
    largest = sorted((op for op, d in changes.items() if d), key=lambda op: -abs(changes[op]))[:_MOST_ROWS]
    return "ops        " + (", ".join(f"{escape(op)} {changes[op]:+d}" for op in largest) or "unchanged")


def _stayed(report: Report, console: Console) -> None:
    for entry in report.reasons[:_MOST_ROWS]:
        console.print(f"stayed     {entry.count} {entry.op_type} ('{escape(entry.example)}'): {escape(entry.reason)}")
    if report.random:
        console.print(f"random     {_counts(report.random)}: never folded")
    if report.kept:
        total = sum(entry["nbytes"] for entry in report.kept)
        console.print(f"computed   {len(report.kept)} values at run time: storing them would take {size(total)}")
    if report.relaxed:
        console.print(f"[yellow]relaxed[/]    {_counts(report.relaxed)}: these may change the last bits")


def _verdict(report: Report, console: Console) -> None:
    found = report.verification
    if found is None:
        console.print("[yellow]not verified[/] (--no-verify)")
        return
    colour = {"equal": "green", "different": "red"}.get(found["status"], "yellow")
    console.print(f"[{colour}]{found['status']}[/]  {escape(found['message'])} ({found['seconds']:.1f} s)")
    if report.saved:
        own, shared = int(report.saved["own_bytes"]), int(report.saved["shared_bytes"])
        note = f", shares {size(shared)} with {report.saved['shared_files']}; do not delete it" if shared else ""
        console.print(f"written    {escape(report.saved['path'])}, {size(own)}{escape(note)}")
