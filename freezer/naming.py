"""Fresh names: deterministic, and unique in the whole model, subgraphs included."""

from __future__ import annotations

from typing import Iterable


class Names:
    """The names in use, and new ones beside them."""

    def __init__(self, used: Iterable[str] = ()) -> None:
        self._used = set(used)
        self._next: dict[str, int] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._used

    def claim(self, name: str) -> None:
        """Mark a name as used."""
        self._used.add(name)

    def fresh(self, base: str) -> str:
        """`base`, or base_1, base_2, ... : the first that is free. It is used from now on."""
        name, count = base, self._next.get(base, 0)
        while not name or name in self._used:
            count += 1
            name = f"{base}_{count}"
        self._next[base] = count
        self._used.add(name)
        return name
