"""What a drawing shows at once: a large graph as groups that open, by scope, else by stretches of the graph."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from freezer.report.html.skeleton import Skeleton

WHOLE = 48  # as many nodes are drawn without collapsing scopes
FEW = 4  # a group of fewer is drawn as its nodes
MOST = 120  # boxes of one drawing
STRETCH = 60  # nodes of a stretch


@dataclass(eq=False)
class Group:
    """Entries in the model's order: nodes by index, and groups. owner: the node whose bodies it holds."""

    label: str
    owner: int | None = None
    entries: list[int | Group] = field(default_factory=list)

    def leaves(self) -> Iterator[int]:
        """Every node below, the owner too."""
        stack: list[int | Group] = [self]
        while stack:
            entry = stack.pop()
            if isinstance(entry, int):
                yield entry
            else:
                stack.extend(reversed(entry.entries))
                stack.extend([] if entry.owner is None else [entry.owner])


def group(skeleton: Skeleton) -> Group:
    """The tree of what is drawn: its root is the first drawing."""
    return _stretched(_shallow(_tree(skeleton)), skeleton)


def _tree(skeleton: Skeleton) -> Group:
    """Every scope and every body is a group."""
    root = Group("")
    places: dict[tuple[str, ...], Group] = {(): root}
    for index, leaf in enumerate(skeleton.leaves):
        home = root
        for depth in range(1, len(leaf.home) + 1):
            path = leaf.home[:depth]
            if path not in places:
                places[path] = Group(path[-1])
                home.entries.append(places[path])
            home = places[path]
        if leaf.opens and home.owner is None:
            home.owner = index
        else:
            home.entries.append(index)
    return root


def _shallow(root: Group) -> Group:
    """Without groups of few nodes, groups in groups alone, and, where few nodes are below, scopes at all."""
    counts: dict[Group, int] = {}
    order = [root]
    for current in order:
        order.extend(entry for entry in current.entries if isinstance(entry, Group))
    for current in reversed(order):
        counts[current] = sum(1 if isinstance(e, int) else counts[e] for e in current.entries)
        current.entries = list(_raised(current, counts))
        _skip_alone(current)
    return root


def _raised(current: Group, counts: dict[Group, int]) -> Iterator[int | Group]:
    """Entries; those of a group that is not worth a box are raised."""
    for entry in current.entries:
        if isinstance(entry, int) or entry.owner is not None or _is_worth(current, entry, counts):
            yield entry
        else:
            yield from entry.entries


def _is_worth(parent: Group, child: Group, counts: dict[Group, int]) -> bool:
    return counts[child] >= FEW and (counts[parent] > WHOLE or parent.owner is not None)


def _skip_alone(current: Group) -> None:
    """A group that is all there is in its group takes its place, and both labels."""
    only = current.entries[0] if len(current.entries) == 1 else None
    if isinstance(only, Group) and current.label and only.owner is None:
        current.label, current.entries = f"{current.label}/{only.label}", only.entries


def _stretched(root: Group, skeleton: Skeleton) -> Group:
    """No drawing has too many boxes: stretches of the graph become groups."""
    order = [root]
    for current in order:
        while len(current.entries) > MOST:
            current.entries = list(_stretches(current.entries, skeleton))
        order.extend(entry for entry in current.entries if isinstance(entry, Group))
    return root


def _stretches(entries: list[int | Group], skeleton: Skeleton) -> Iterator[int | Group]:
    """Nodes by stretches; inputs, outputs and groups as they are, unless they are many."""
    kept = {e for kind in _kinds(entries, skeleton) if len(kind) <= MOST // 4 for e in kind}
    rest = [e for e in entries if e not in kept]
    size = max(STRETCH, -(-len(rest) // STRETCH))
    starts = {rest[i]: rest[i : i + size] for i in range(0, len(rest), size)}
    for entry in entries:
        if entry in kept:
            yield entry
        elif entry in starts:
            yield Group(_words(starts[entry], skeleton), entries=starts[entry])


def _kinds(entries: list[int | Group], skeleton: Skeleton) -> Iterator[list[int | Group]]:
    yield [e for e in entries if isinstance(e, Group)]
    for op in ("input", "output"):
        yield [e for e in entries if isinstance(e, int) and skeleton.leaves[e].op == op]


def _words(entries: list[int | Group], skeleton: Skeleton) -> str:
    """What a stretch is made of: Conv, Relu, Add."""
    ops = Counter(skeleton.leaves[e].op if isinstance(e, int) else e.label for e in entries)
    return ", ".join(op for op, _ in ops.most_common(3))
