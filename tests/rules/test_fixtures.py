"""Every text fixture: the structure of the residual, its bits, its reasons, and the rules that fired."""

from __future__ import annotations

import pytest

from freezer.rules import RULES
from tests.rules.run import complaint, freeze, wrong_bits
from tests.rules.text import Case, read_cases

RULE_CASES = read_cases("rules")
CASES = [*RULE_CASES, *read_cases("control_flow")]
NAMES = [rule.__name__ for rule in RULES]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case, worker):
    result, bindings = freeze(case, worker)
    assert not (wrong := complaint(case, result, bindings)), wrong
    assert not (wrong := wrong_bits(case, result, bindings)), wrong


def test_titles_name_rules_and_are_unique():
    titles = [str(case) for case in CASES]
    assert [t for t in titles if titles.count(t) > 1] == []
    assert [str(case) for case in RULE_CASES if case.rule not in NAMES] == []


@pytest.mark.parametrize("refuses", [False, True], ids=["fires", "refuses"])
def test_every_rule_has_a_case(refuses: bool):
    assert set(NAMES) - {case.rule for case in RULE_CASES if case.refuses == refuses} == set()
