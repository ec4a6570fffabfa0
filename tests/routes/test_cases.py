"""Every module of fixtures/modules gives the verdict it states, with both exporters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch

from fixtures.modules import factories
from fixtures.modules.case import IDENTICAL, Case, Different, Expectation, NotComparable, Refused, Ulp
from freezer.evaluate.child import Child
from freezer.routes import compare as routes
from freezer.routes.exporters import ExportRefused
from freezer.routes.trace import export

pytestmark = pytest.mark.slow
FACTORIES = factories()
EXPORTERS = ("dynamo", "torchscript")


def test_there_are_enough() -> None:
    """Done when: sixty cases, fourteen of them architectures of the transformers library."""
    assert len(FACTORIES) >= 60
    assert sum(name.startswith("transformer_models:") for name in FACTORIES) >= 14


@pytest.mark.parametrize("exporter", EXPORTERS)
@pytest.mark.parametrize("name", FACTORIES)
def test_both_routes_agree(name: str, exporter: str, worker: Child, runner: Child) -> None:
    torch.manual_seed(0)
    case = FACTORIES[name]()
    check(case, exporter, None, case.expected(exporter), (worker, runner))
    if case.dynamic_shapes is not None:
        check(case, exporter, case.dynamic_shapes, case.expected(exporter, dynamic=True), (worker, runner))


def check(
    case: Case,
    exporter: str,
    dynamic_shapes: Mapping[str, Any] | None,
    expected: Expectation,
    children: tuple[Child, Child],
) -> None:
    """The verdict is the expected one, and the frozen models compute what torch does."""
    options: dict[str, Any] = {"exporter": exporter, "opset": case.opset, "dynamic_shapes": dynamic_shapes}
    if isinstance(expected, Refused):
        with pytest.raises(ExportRefused, match=expected.message):
            export(case.module, case.args, case.kwargs, freeze=case.freeze, **options)
        return
    found = routes.compare(
        case.module, case.args, case.kwargs, freeze=case.freeze, worker=children[0], runner=children[1], **options
    )
    check_verdict(found, expected)
    distances = [o.relative for route in found.routes for o in route.outputs]
    assert max(distances) <= case.tolerance


def check_verdict(found: routes.Comparison, expected: Expectation) -> None:
    if isinstance(expected, NotComparable):
        assert found.verdict == routes.NOT_COMPARABLE
        assert expected.message in found.message
    elif isinstance(expected, Different):
        assert found.verdict == routes.DIFFERENT
        assert expected.message in found.message
    elif isinstance(expected, Ulp) and found.verdict != IDENTICAL:
        assert found.verdict == routes.CONSTANTS, found.message
        assert len(found.difference.constants) <= expected.constants
        assert all(c.max_ulp <= expected.bound for c in found.difference.constants)
    else:
        assert found.verdict == IDENTICAL, found.message
        assert len({route.fingerprint for route in found.routes}) == 1
