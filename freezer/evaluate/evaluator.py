"""Asks the worker: the content of static values, the types of single nodes."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
import onnx_ir as ir

from freezer.errors import ChildError
from freezer.evaluate.batch import PROBE, Batch, collect, reads, to_model
from freezer.evaluate.child import Child
from freezer.model_io.walk import subgraphs

_LOOPS = 12  # a batch with loops that takes longer than this part of the time is not worth waiting for
_INFERENCE = 20.0  # seconds for the types of one node
_ROOM, _COPIES = 384 << 20, 4  # bytes of memory for a batch beyond the copies of its constants and known sizes
_CULPRIT = re.compile(r"\bfz(\d+):")


@dataclass
class Evaluated:
    """Contents found, and the nodes that could not run, each with its reason.

    unsupported: those of the failed that onnxruntime has no kernel for.
    """

    tensors: dict[ir.Value, ir.TensorProtocol] = field(default_factory=dict)
    failed: dict[ir.Node, str] = field(default_factory=dict)
    unsupported: set[ir.Node] = field(default_factory=set)


class Evaluator:
    """Evaluates static values of one model, at most `largest` bytes each, in at most `seconds` a batch.

    nbytes_of: the bytes of a value where they are known; what grows without that being known gets little memory.
    unanswered: how the worker ended, for each question about types that it could not answer.
    """

    def __init__(self, model: ir.Model, child: Child, largest: int, seconds: float) -> None:
        self.model = model
        self.child = child
        self.largest = largest
        self.seconds = seconds
        self.nbytes_of: Callable[[ir.Value], int | None] = lambda value: None
        self.unanswered: list[str] = []
        self._inferred: dict[Any, tuple[dict[str, Any], list[bytearray]]] = {}

    def evaluate(self, values: Sequence[ir.Value], halves: Collection[ir.Value] = ()) -> Evaluated:
        """One session for all; a node that fails is found, left out with all that reads it, and the rest goes on.

        halves: those of the values that are float16 and read by nodes that compute; they are refused
        where onnxruntime would hand its reader more digits than the stored value has.
        """
        result = Evaluated()
        pending = list(values)
        while pending:
            batch = collect(pending)
            probed = [v for v in pending if v in halves]
            answer, raw = self._run("run", batch, pending, probed)
            if "tensors" in answer:
                self._take(pending, answer["tensors"], raw, result)
                self._refuse_rounded(probed, raw[len(raw) - len(probed) :], result)
                break
            culprits = self._culprits(batch, answer)
            result.failed |= dict.fromkeys(culprits, _one_line(answer["error"]))
            if answer.get("unsupported"):
                result.unsupported |= culprits
            pending = independent_of(pending, culprits)
        return result

    def evaluate_by_reference(self, node: ir.Node) -> Evaluated:
        """The outputs of one node on constants, by onnx's reference evaluator."""
        result, outputs = Evaluated(), [v for v in node.outputs if v.uses() or v.is_graph_output()]
        answer, raw = self._run("reference", collect(outputs), outputs)
        if "tensors" in answer:
            self._take(outputs, answer["tensors"], raw, result)
        return result

    def infer(self, request: dict[str, Any], buffers: list[bytes]) -> tuple[dict[str, Any], list[bytearray]]:
        """onnx's inference for one node; equal questions are asked once."""
        key = (repr(request), *buffers)
        if key not in self._inferred:
            try:
                self._inferred[key] = self._call("infer", request, buffers, _INFERENCE)
            except ChildError as error:
                self.unanswered.append(str(error))
                self._inferred[key] = ({"error": str(error), "outputs": []}, [])
        return self._inferred[key]

    def _call(
        self, command: str, header: dict[str, Any], buffers: Sequence[bytes], wall: float
    ) -> tuple[dict[str, Any], list[bytearray]]:
        """An answer; asked for again if something outside killed the worker."""
        try:
            return self.child.call(command, header, buffers, wall)
        except ChildError as error:
            if not error.killed:
                raise
            return self.child.call(command, header, buffers, wall)

    def _run(
        self, command: str, batch: Batch, values: Sequence[ir.Value], halves: Sequence[ir.Value] = ()
    ) -> tuple[dict[str, Any], list[bytearray]]:
        wanted, probed = [v.name or "" for v in values], [v.name or "" for v in halves]
        data = to_model(batch, wanted, self.model, probed)
        made = sum(self.nbytes_of(v) or 0 for n in batch.nodes for v in n.outputs)
        room = _ROOM + _COPIES * (len(data) + made)
        request = {"wanted": wanted + [PROBE + n for n in probed], "largest": self.largest, "room": room}
        try:
            wall = self.seconds / (_LOOPS if any(subgraphs(n) for n in batch.nodes) else 1)
            return self._call(command, request, [data], wall)
        except ChildError as error:
            return {"error": str(error), "died": True}, []

    def _culprits(self, batch: Batch, answer: dict[str, Any]) -> set[ir.Node]:
        """The node the message names; after a death all loops, or else the last node of the shortest fatal prefix."""
        if named := _CULPRIT.search(answer["error"]):
            return {batch.nodes[int(named.group(1))]}
        looping = {n for n in batch.nodes if subgraphs(n)}
        if answer.get("died") and looping:
            return looping
        return {self._last_of_failing_prefix(batch)}

    def _last_of_failing_prefix(self, batch: Batch) -> ir.Node:
        fine, fails = 0, len(batch.nodes)
        while fails - fine > 1:
            middle = (fine + fails) // 2
            if self._prefix_runs(batch, middle):
                fine = middle
            else:
                fails = middle
        return batch.nodes[fails - 1]

    def _prefix_runs(self, batch: Batch, length: int) -> bool:
        nodes = batch.nodes[:length]
        outputs = [v for v in nodes[-1].outputs if v.name]
        return "tensors" in self._run("run", Batch(nodes, batch.constants), outputs)[0]

    def _take(
        self, values: Sequence[ir.Value], described: list[dict[str, Any]], raw: list[bytearray], result: Evaluated
    ) -> None:
        buffers = iter(raw)
        for value, entry in zip(values, described, strict=False):  # probes come last
            node = value.producer()
            assert node is not None
            if entry["dtype"] == 0:
                result.failed[node] = "its output is not a tensor"
            elif "strings" in entry:
                result.tensors[value] = _strings(value, entry)
            elif entry.get("too_large"):
                next(buffers)
                result.failed[node] = f"its output is larger than {self.largest} bytes"
            else:
                result.tensors[value] = to_tensor(entry["dtype"], entry["shape"], next(buffers), value.name)

    def _refuse_rounded(self, halves: Sequence[ir.Value], probes: list[bytearray], result: Evaluated) -> None:
        for value, probe in zip(halves, probes, strict=True):
            node = value.producer()
            if value not in result.tensors or node is None:
                continue
            stored = result.tensors[value].numpy().reshape(-1).astype(np.float32)
            if not np.array_equal(stored, np.frombuffer(probe, np.float32), equal_nan=True):
                del result.tensors[value]
                result.failed[node] = "onnxruntime keeps float32 between float16 nodes, storing it would round"


def to_tensor(dtype: int, shape: Sequence[int], raw: bytes | bytearray, name: str | None) -> ir.TensorProtocol:
    """A tensor of any ONNX element type from its little-endian bytes."""
    proto = onnx.TensorProto(data_type=dtype, dims=shape, raw_data=bytes(raw), name=name or "")
    return ir.serde.TensorProtoTensor(proto)


def _strings(value: ir.Value, entry: dict[str, Any]) -> ir.TensorProtocol:
    content = np.array([s.encode() for s in entry["strings"]], dtype=object).reshape(entry["shape"])
    return ir.StringTensor(content, shape=ir.Shape(entry["shape"]), name=value.name)


def independent_of(values: list[ir.Value], culprits: set[ir.Node]) -> list[ir.Value]:
    """The values whose computation does not pass through a culprit: one walk over all of them."""
    tainted = set(culprits)
    for node in collect(values).nodes:
        if any(v.producer() in tainted for v in reads(node)):
            tainted.add(node)
    return [v for v in values if v.producer() not in tainted]


def _one_line(message: str) -> str:
    text = _CULPRIT.sub("", message).splitlines()[0]
    return text.split("Status Message:")[-1].strip()[:200]
