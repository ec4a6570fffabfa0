"""What a model holds, without reading its weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from freezer.errors import printable
from freezer.model_io import Source
from freezer.report.build import Origin, origin_of
from freezer.report.side import Side
from freezer.report.values import count_words, size_words


@dataclass(frozen=True)
class Inspection:
    """Where a model came from, what it holds, and its opsets and functions."""

    origin: Origin
    ir_version: int
    opsets: dict[str, int]
    functions: list[str]
    metadata: dict[str, str]

    @property
    def side(self) -> Side:
        """Interface, ops and bytes."""
        return self.origin.side

    def to_dict(self) -> dict[str, Any]:
        """The inspection as JSON holds it."""
        return {
            "source": self.origin.name,
            "file_nbytes": self.origin.nbytes,
            "external_nbytes": self.origin.external_bytes,
            "ir_version": self.ir_version,
            "opsets": self.opsets,
            **self.side.to_dict(),
            "functions": self.functions,
            "metadata": self.metadata,
            "notes": self.origin.notes,
        }

    def lines(self) -> Iterator[str]:
        """For people."""
        return map(printable, self._lines())

    def _lines(self) -> Iterator[str]:
        side, origin = self.side, self.origin
        external = f" and {size_words(origin.external_bytes)} beside it" if origin.external_bytes else ""
        yield f"{origin.name}: {size_words(origin.nbytes)}{external}, IR version {self.ir_version}"
        for label, values in (("input", side.inputs), ("output", side.outputs)):
            yield from (f"  {label:<7} {value}" for value in values)
        rows = {
            "opsets": ", ".join(f"{domain} {version}" for domain, version in self.opsets.items()),
            "nodes": f"{side.nodes}: {count_words(side.ops)}",
            "control flow": count_words(side.control_flow),
            "constants": f"{size_words(side.nbytes)}: {_sizes(side.bytes_by_dtype)}",
            "read by": _sizes(side.bytes_by_op),
            "random": count_words(side.random),
            "unknown ops": count_words(side.unknown),
            "functions": ", ".join(self.functions) or "none",
        }
        yield from (f"{label:<13} {text}" for label, text in rows.items())
        yield from (f"note          {note}" for note in origin.notes)


def _sizes(sizes: dict[str, int]) -> str:
    return ", ".join(f"{name} {size_words(nbytes)}" for name, nbytes in sizes.items()) or "none"


def inspection_of(source: Source) -> Inspection:
    """Inspect a loaded model."""
    model = source.model
    return Inspection(
        origin=origin_of(source),
        ir_version=model.ir_version,
        opsets={domain or "ai.onnx": version for domain, version in model.opset_imports.items()},
        functions=[f"{f.domain}.{f.name}" for f in model.functions.values()],
        metadata=dict(model.metadata_props),
    )
