"""A comparison in words and as plain data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from freezer.model_io import save
from freezer.routes.compare import Comparison, Route
from freezer.routes.torch_outputs import OutputDistance


def lines(comparison: Comparison) -> list[str]:
    """For people: the verdict first, then a line a route, then what to know."""
    rows = [f"{comparison.exporter}: {comparison.verdict}: {comparison.message}"]
    for route in comparison.routes:
        rows.append(
            f"  {route.name} route: {route.nodes} nodes, {route.nbytes:,} bytes, {route.fingerprint[:16]}, "
            f"export {route.export_seconds:.2f} s, freeze {route.freeze_seconds:.2f} s"
        )
        rows += [f"    {line}" for line in (*map(_against_torch, route.outputs), route.problem) if line]
    if comparison.frozen:
        rows.append(f"  frozen inputs of the full export: {', '.join(comparison.frozen)}")
    return rows + [f"  note: {note}" for note in comparison.notes]


def _against_torch(output: OutputDistance) -> str:
    if output.max_abs == 0:
        return f"{output.name}: equal to torch"
    ulp = "" if output.max_ulp is None else f" ({output.max_ulp} ulp at most)"
    return f"{output.name}: at most {output.max_abs:.3g} from torch{ulp}"


def to_dict(comparison: Comparison) -> dict[str, Any]:
    """For machines: dicts, lists, strings and numbers, without the models."""
    return {
        "exporter": comparison.exporter,
        "verdict": comparison.verdict,
        "message": comparison.message,
        "frozen": comparison.frozen,
        "notes": comparison.notes,
        "routes": [_route(route) for route in comparison.routes],
    }


def _route(route: Route) -> dict[str, Any]:
    plain = ("name", "problem", "fingerprint", "nodes", "nbytes", "export_seconds", "freeze_seconds")
    outputs = [{k: getattr(o, k) for k in ("name", "max_abs", "relative", "max_ulp")} for o in route.outputs]
    return {**{key: getattr(route, key) for key in plain}, "outputs": outputs}


def keep(comparison: Comparison, folder: Path) -> list[Path]:
    """Save what was compared: EXPORTER.ROUTE.exported.onnx, .residual.onnx and .canonical.onnx; the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    stages = ("exported", "residual", "canonical")
    wanted = [
        (folder / f"{comparison.exporter}.{r.name}.{s}.onnx", getattr(r, s)) for r in comparison.routes for s in stages
    ]
    return [save(model, path).path for path, model in wanted]
