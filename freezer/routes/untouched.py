"""Export leaves a module as it was."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any

import torch

_DICTS = ("_parameters", "_buffers", "_modules")


@contextmanager
def untouched(module: torch.nn.Module) -> Iterator[None]:
    """In evaluation mode and without gradients; afterwards every submodule is as it was before.

    Restored: attributes, training mode, hooks, parameters' and buffers' identity, buffers' content,
    the state of the random generator.
    """
    before = [(m, dict(vars(m)), {k: dict(vars(m)[k]) for k in _DICTS}) for m in module.modules()]
    buffers = [(b, b._version, b.detach().clone()) for b in module.buffers()]
    for submodule, _, _ in before:
        submodule.training = False
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]), _slow_attention():
            yield
    finally:
        for submodule, attributes, inner in before:
            _restore(vars(submodule), attributes, inner)
        with torch.no_grad():
            for buffer, version, content in buffers:
                if buffer._version != version:
                    buffer.copy_(content)


def _restore(now: dict[str, Any], attributes: dict[str, Any], inner: dict[str, dict[str, Any]]) -> None:
    for name in now.keys() - attributes.keys():
        del now[name]
    now.update(attributes)
    for name, content in inner.items():
        now[name].clear()
        now[name].update(content)


@contextmanager
def _slow_attention() -> Iterator[None]:
    """Attention layers as torch code: their fused fast path in evaluation mode cannot be exported."""
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)


@contextmanager
def quiet() -> Iterator[None]:
    """The exporters print graphs and log hints, also of what they recover from; what counts is what they raise."""
    disabled, log = logging.root.manager.disable, getattr(torch._C, "_jit_onnx_log", None)
    logging.disable(logging.CRITICAL)
    torch._C._jit_onnx_log = lambda *_: None
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            yield
    finally:
        logging.disable(disabled)
        if log is not None:
            torch._C._jit_onnx_log = log
