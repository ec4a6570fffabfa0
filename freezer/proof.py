"""Proves a frozen file again, from what its metadata says was frozen, or says where it goes wrong."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import onnx_ir as ir

from freezer import engines, verification
from freezer.bindings import Bindings, bind
from freezer.errors import ModelError, UsageError
from freezer.model_io import Source, load
from freezer.options import Options
from freezer.pipeline import specialise
from freezer.provenance import Step, describe, recorded_value, steps
from freezer.verification import Verdict
from freezer.verification.bisect import bisect
from freezer.verification.parting import Parting, part


def prove(
    frozen: str | os.PathLike, against: str | os.PathLike, values: Mapping[str, Any] | None = None, *,
    feeds: int = 3, seed: int = 0, allow_link: str | os.PathLike | None = None,
) -> Verdict:  # fmt: skip
    """Run a frozen file beside its source, or the source of its source, and compare as freeze() does.

    values: those that the metadata holds only the sha256 of; any value is checked against the metadata.
    Raises ModelError for a file that was not frozen from `against`, or with other values, UsageError for a value
    that is missing. A difference is a verdict, not an error.
    """
    case = _case(frozen, against, values, allow_link)
    return verification.verify(
        case.source, case.frozen, case.bindings, feeds=feeds, seed=seed, tolerance=case.tolerance
    )  # fmt: skip


@dataclass(frozen=True)
class Blame:
    """verdict: what verification says of the file. rewrite: the first change, in words, after which freezing the
    source again gives different outputs. parting: the first value that differs, from that of the source, or, if
    `again`, from that of freezing the source again, which was proven equal; None where nothing could be compared.
    """

    verdict: Verdict
    rewrite: str | None = None
    parting: Parting | None = None
    again: bool = False


def blame(
    frozen: str | os.PathLike, against: str | os.PathLike, values: Mapping[str, Any] | None = None, *,
    feeds: int = 3, seed: int = 0, allow_link: str | os.PathLike | None = None,
) -> Blame:  # fmt: skip
    """Where a frozen file and its source part. Arguments and errors as for prove()."""
    reload = lambda: load(against, allow_link=allow_link)  # noqa: E731
    case = _case(frozen, against, values, allow_link)
    how: dict[str, Any] = {"feeds": feeds, "seed": seed, "tolerance": case.tolerance}
    verdict = verification.verify(case.source, case.frozen, case.bindings, **how)
    if verdict.equal is not False:
        return Blame(verdict)
    rewrite, reference = None, case.source
    if case.native:
        fresh = specialise(reload(), case.bindings, case.options)
        again = verification.verify(case.source, fresh.model, case.bindings, feeds=feeds, seed=seed)
        if again.equal:
            reference = replace(case.source, model=fresh.model)
        elif again.equal is False:
            rewrite = bisect(reload, case.bindings, case.options, fresh.log.changes, case.tolerance)
    parting = part(reference, case.frozen, case.bindings, **how) if verdict.outputs else None
    return Blame(verdict, rewrite, parting, reference is not case.source)


@dataclass(frozen=True)
class _Case:
    """A frozen file, its source, and how the one was made from the other; options: those of the last freeze.

    native: no other engine changed it.
    """

    source: Source
    frozen: ir.Model
    bindings: Bindings
    options: Options
    native: bool
    tolerance: dict[str, float] | None


def _case(
    frozen: str | os.PathLike, against: str | os.PathLike, values: Mapping[str, Any] | None,
    allow_link: str | os.PathLike | None,
) -> _Case:  # fmt: skip
    result, source = load(frozen, allow_link=allow_link), load(against, allow_link=allow_link)
    taken = _since(steps(result.model), source, os.fspath(frozen))
    bindings = _bindings(source, taken, values or {})
    known = {f.name for f in fields(Options)}
    options = [Options(**{k: v for k, v in step.options.items() if k in known}) for step in taken]
    allowed: dict[str, float] = {}
    for chosen in options:
        allowed |= engines.tolerances(chosen) or {}
    native = all({o.engine, o.then} <= {None, engines.NATIVE} for o in options)
    return _Case(source, result.model, bindings, options[-1], native, allowed or None)


def _since(taken: Sequence[Step], source: Source, frozen: str) -> Sequence[Step]:
    """The freezes that lead from the source to the file."""
    if not taken:
        raise ModelError(f"'{frozen}' has no metadata of a freeze; give a file that freezer wrote")
    found = source.sha256()
    for index, step in enumerate(taken):
        if step.source_sha256 == found:
            return taken[index:]
    made = " and ".join(step.source_sha256 for step in taken)
    raise ModelError(f"'{source.path}' has sha256 {found}, but '{frozen}' was made from {made}: give that file")


def _bindings(source: Source, taken: Sequence[Step], values: Mapping[str, Any]) -> Bindings:
    """What all those freezes bound, each value as its metadata has it."""
    entries = {name: entry for step in taken for name, entry in step.bindings.items()}
    given: dict[str, Any] = {name: recorded_value(name, entry) for name, entry in entries.items()}
    given = {name: value for name, value in given.items() if value is not None} | dict(values)
    defaults = any(step.options.get("freeze_defaults") for step in taken)
    dims = {symbol: size for step in taken for symbol, size in step.dims.items()}
    bindings = bind(source.model, given, dims, _shapes(taken), defaults)
    for name in entries.keys() | values.keys():
        _check(name, entries.get(name), bindings)
    return bindings


def _shapes(taken: Sequence[Step]) -> dict[str, list[int | None]]:
    """Given shapes, those of later freezes filling what earlier ones left open."""
    shapes: dict[str, list[int | None]] = {}
    for step in taken:
        for name, sizes in step.shapes.items():
            earlier = shapes.get(name, [None] * len(sizes))
            shapes[name] = [old if new is None else new for old, new in zip(earlier, sizes, strict=True)]
    return shapes


def _check(name: str, entry: Mapping[str, Any] | None, bindings: Bindings) -> None:
    if entry is None:
        raise UsageError(f"'{name}' was not frozen in this file; leave out --set {name}")
    if name not in bindings.values:
        raise UsageError(
            f"the file says only that '{name}' is {entry['dtype']} {entry['shape']} with sha256 {entry['sha256']}: "
            f"give it with --set {name}=VALUE"
        )
    found = describe(bindings.values[name])
    if found != entry:
        raise ModelError(f"'{name}' was frozen to {_words(entry)}; the value given is {_words(found)}")


def _words(entry: Mapping[str, Any]) -> str:
    content = f"sha256 {entry['sha256']}" if "sha256" in entry else str(entry.get("value"))
    return f"{entry['dtype']} {entry['shape']}, {content}"
