"""Proves a frozen file again, from what its metadata says was frozen."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from freezer import engines, verification
from freezer.bindings import Bindings, bind
from freezer.errors import ModelError, UsageError
from freezer.model_io import Source, load
from freezer.options import Options
from freezer.provenance import Step, describe, recorded_value, steps
from freezer.verification import Verdict


def prove(
    frozen: str | os.PathLike, against: str | os.PathLike, values: Mapping[str, Any] | None = None, *,
    feeds: int = 3, seed: int = 0, allow_link: str | os.PathLike | None = None,
) -> Verdict:  # fmt: skip
    """Run a frozen file beside its source, or the source of its source, and compare as freeze() does.

    values: those that the metadata holds only the sha256 of; any value is checked against the metadata.
    Raises ModelError for a file that was not frozen from `against`, or with other values, UsageError for a value
    that is missing. A difference is a verdict, not an error.
    """
    result, source = load(frozen, allow_link=allow_link), load(against, allow_link=allow_link)
    taken = _since(steps(result.model), source, os.fspath(frozen))
    bindings = _bindings(source, taken, values or {})
    known = {f.name for f in fields(Options)}
    allowed: dict[str, float] = {}
    for step in taken:
        options = Options(**{name: value for name, value in step.options.items() if name in known})
        allowed |= engines.tolerances(options) or {}
    return verification.verify(source, result.model, bindings, feeds=feeds, seed=seed, tolerance=allowed or None)


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
