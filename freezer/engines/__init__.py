"""Other folders of constants behind one protocol, each in a limited process, each judged like freezer's own."""

from freezer.engines.folding import specialise
from freezer.engines.registry import ENGINES, NATIVE, Engine, chosen_engine, tolerances, uniform
from freezer.engines.run import Outcome, attempt, start_engine

__all__ = [
    "ENGINES", "NATIVE", "Engine", "Outcome", "attempt", "chosen_engine", "specialise", "start_engine", "tolerances",
    "uniform",
]  # fmt: skip
