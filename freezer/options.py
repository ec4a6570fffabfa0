"""What a user may choose."""

from __future__ import annotations

from dataclasses import dataclass

PLACES = ("auto", "inline", "external")  # where constants may go


@dataclass(frozen=True)
class Options:
    """relaxed: also use rules that change bits. max_growth: bytes the file may grow beyond the source.
    prune_inputs: drop inputs that nothing reads any more. freeze_defaults: initializers that are also
    inputs become constants. unroll_nodes: the most nodes that unrolling one loop may make.
    largest_constant: bytes of the largest value that may be evaluated; None for twice the bytes of the model's
    constants, but at least 128 MiB and at most 1 GiB. seconds: that one evaluation may take, a
    twelfth of it with a loop. memory: bytes of each child process, None for half of the machine's, at most 16 GiB.
    fuel: the most changes to make (for bisecting), None for no limit. engine: what folds ("native" is freezer
    itself; see freezer.engines). then: an engine that gets freezer's residual. tolerance: how far outputs may be from
    the original's, relative to the largest value; None: no bit may differ, unless an engine or `relaxed` fuses.
    """

    relaxed: bool = False
    max_growth: int = 0
    prune_inputs: bool = False
    freeze_defaults: bool = False
    unroll_nodes: int = 24
    largest_constant: int | None = None
    seconds: float = 60.0
    memory: int | None = None
    fuel: int | None = None
    engine: str = "native"
    then: str | None = None
    tolerance: float | None = None


@dataclass(frozen=True)
class Running:
    """How a command runs. verify: run the original and the result side by side. strict: fail where that was not
    possible. allow_link: the folder that external data may be linked from.
    """

    verify: bool = True
    strict: bool = False
    allow_link: str | None = None


@dataclass(frozen=True)
class Saving:
    """How a command saves. external_data: one of PLACES. data_file: the name of that file."""

    external_data: str = "auto"
    data_file: str | None = None
