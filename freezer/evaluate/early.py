"""Children that are started before the parent's own imports, which take as long as theirs."""

from __future__ import annotations

from freezer.evaluate.child import Child

WORKER = "freezer.evaluate.worker"
_started: dict[str, Child] = {}


def start(module: str) -> None:
    """Start a child that somebody will take; it ends with this process if nobody does."""
    _started[module] = Child(module)


def take(module: str) -> Child:
    """The child that was started early, or a new one."""
    return _started.pop(module, None) or Child(module)
