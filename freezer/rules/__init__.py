"""The local rewrites, in the order in which they are tried."""

from __future__ import annotations

from freezer.rules.registry import Rule
from freezer.rules.sequences import concat_of_known_sequence, element_of_known_sequence, length_of_known_sequence

RULES: tuple[Rule, ...] = (
    element_of_known_sequence,
    length_of_known_sequence,
    concat_of_known_sequence,
)

BY_OP: dict[tuple[str, str], list[Rule]] = {}
for _rule in RULES:
    for _op in _rule.ops:
        BY_OP.setdefault((_rule.domain, _op), []).append(_rule)
