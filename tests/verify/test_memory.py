"""Feeds on which the original gives what free memory holds prove nothing, and are left out."""

from __future__ import annotations

import numpy as np
import pytest
from models import bound, judged, parse

from freezer.verification.copies import make_copy
from freezer.verification.memory import varies

JOINED = """g (float[4,1] x) => (float[4,n] y) <bool[4] rows = {1, 1, 1, 1}> {
    some = Compress<axis = 0>(x, rows)  y = Concat<axis = 1>(x, some, x) }"""
EMPTY = JOINED.replace("1, 1, 1, 1", "0, 0, 0, 0")
RESIDUAL = "g (float[4,1] x) => (float[4,n] y) { y = Concat<axis = 1>(x, x, x) }"
RANDOM = "g (float[4,1] x) => (float[4,1] y) { r = RandomNormalLike(x)  y = Add(x, r) }"
X = {"x": np.ones((4, 1), np.float32)}


@pytest.mark.parametrize(("text", "expected"), [(EMPTY, True), (JOINED, False), (RANDOM, False)])
def test_what_depends_on_free_memory_varies(text, expected):
    assert varies(make_copy(parse(text).SerializeToString(), {}, {}), X, 60.0) == expected


def test_where_the_original_varies_nothing_is_proven():
    verdict = judged(EMPTY, RESIDUAL, bound({}))
    assert (verdict.status, verdict.equal) == ("unverified", None)
    assert "on every feed the original's own outputs vary, with memory that it never wrote" in verdict.message
