"""A model as drawings that lead into each other, ready for the page's script."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from freezer.errors import printable
from freezer.report.html.groups import Group, group
from freezer.report.html.layout import HEIGHT, WIDTH, place, straight
from freezer.report.html.skeleton import LONGEST, Leaf, Skeleton

MOST_NODES = 20_000  # of a model that is drawn
_MOST_PORTS = 24  # boxes for what a group reads from outside


class Told(NamedTuple):
    """What is said of a node: its fate, why, and what of the other model it became or came from."""

    fate: str
    why: str = ""
    others: tuple[str, ...] = ()


class Port(NamedTuple):
    """What a box reads from outside of its group; each reader has its own, which keeps lines short."""

    name: str
    reader: int | Group


Box = int | Group | Port
Tell = Callable[[Leaf], Told]


@dataclass
class Drawing:
    """views: the first is what is shown first. nodes: [name, op, fate, why, bytes, others]; fate and why by index."""

    views: list[dict[str, Any]]
    nodes: list[list[Any]]
    fates: list[str]
    whys: list[str]
    counts: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        """As the page's script reads it."""
        size = {"width": WIDTH, "height": HEIGHT}
        return {"views": self.views, "nodes": self.nodes, "fates": self.fates, "whys": self.whys, **size}


def draw(skeleton: Skeleton, tell: Tell) -> Drawing | None:
    """The drawings of a model; None if it is too large to be drawn."""
    if len(skeleton.leaves) > MOST_NODES:
        return None
    told = [tell(leaf) for leaf in skeleton.leaves]
    fates, whys = list(dict.fromkeys(t.fate for t in told)), list(dict.fromkeys(t.why for t in told))
    fate_at, why_at = {f: i for i, f in enumerate(fates)}, {w: i for i, w in enumerate(whys)}
    nodes = [
        [short(leaf.name), short(leaf.op), fate_at[t.fate], why_at[t.why], leaf.nbytes, [short(o) for o in t.others]]
        for leaf, t in zip(skeleton.leaves, told, strict=True)
    ]
    ends = ("input", "output")
    counts = Counter(t.fate for leaf, t in zip(skeleton.leaves, told, strict=True) if leaf.op not in ends)
    views = list(_Views(skeleton, [fate_at[t.fate] for t in told]).all())
    return Drawing(views, nodes, fates, [short(why) for why in whys], dict(counts.most_common()))


def short(name: str) -> str:
    """A name that can be shown."""
    name = printable(name)
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 20]} ... {name[-14:]}"


class _Views:
    """Draws each group once, breadth first; a group's number is its view's."""

    def __init__(self, skeleton: Skeleton, fates: list[int]) -> None:
        self.skeleton, self.fates = skeleton, fates
        self.groups, self.parents = [group(skeleton)], [-1]
        self.numbers: dict[Group, int] = {self.groups[0]: 0}
        self.home = [0] * len(skeleton.leaves)  # the view that a node is a box of
        self._number()
        self.crossing: list[list[tuple[int, int]]] = [[] for _ in self.groups]
        self._sort_edges()

    def _number(self) -> None:
        for number, current in enumerate(self.groups):
            for entry in current.entries:
                if isinstance(entry, int):
                    self.home[entry] = number
                    continue
                self.numbers[entry] = len(self.groups)
                if entry.owner is not None:
                    self.home[entry.owner] = len(self.groups)
                self.groups.append(entry)
                self.parents.append(number)

    def _sort_edges(self) -> None:
        """Each edge to the views that show an end of it."""
        for edge in self.skeleton.edges:
            for view in {v for end in edge for v in self._above(self.home[end])}:
                self.crossing[view].append(edge)

    def _above(self, view: int) -> Iterator[int]:
        while view >= 0:
            yield view
            view = self.parents[view]

    def all(self) -> Iterator[dict[str, Any]]:
        for number, current in enumerate(self.groups):
            yield self._view(number, current)

    def _box_of(self, leaf: int, view: int) -> int | Group | None:
        """The box of a view that a node is, or is in; None if it is outside."""
        home = self.home[leaf]
        if home == view:
            return leaf if leaf != self.groups[view].owner else None
        while home > 0 and self.parents[home] != view:
            home = self.parents[home]
        return self.groups[home] if home > 0 else None

    def _view(self, number: int, current: Group) -> dict[str, Any]:
        links, ports = self._links(number)
        at: dict[Box, int] = {box: index for index, box in enumerate((*ports, *current.entries))}
        joined = [(at[a], at[b]) for a, b in links]
        points, lines = place(len(at), joined)
        boxes = [[*self._box(box), round(x), round(y)] for box, (x, y) in zip(at, points, strict=True)]
        flat = [[round(c) for point in straight(line) for c in point] for line in lines]
        drawn = [[list(link), line] for link, line in zip(joined, flat, strict=True)]
        return {"label": short(current.label), "parent": self.parents[number], "boxes": boxes, "edges": drawn}

    def _links(self, view: int) -> tuple[list[tuple[Box, Box]], list[Box]]:
        """Which boxes are joined, and the ports among them."""
        links: dict[tuple[Box, Box], None] = {}
        ports: dict[Box, None] = {}
        for start, end in self.crossing[view]:
            a: Box | None = self._box_of(start, view)
            b = self._box_of(end, view)
            if b is None:
                continue
            if a is None and len(ports) < _MOST_PORTS:
                a = Port(self.skeleton.leaves[start].name, b)
                ports[a] = None
            if a is not None and a != b:
                links[a, b] = None
        return list(links), list(ports)

    def _box(self, box: Box) -> list[Any]:
        """["node", index], ["group", view, label, nodes, owner, nodes by fate] or ["port", name]."""
        if isinstance(box, int):
            return ["node", box]
        if isinstance(box, Port):
            return ["port", short(box.name)]
        inside = list(box.leaves())
        counts = Counter(self.fates[leaf] for leaf in inside)
        owner = -1 if box.owner is None else box.owner
        label = short(box.label if owner < 0 else self.skeleton.leaves[owner].label)
        return ["group", self.numbers[box], label, len(inside), owner, sorted(counts.items())]
