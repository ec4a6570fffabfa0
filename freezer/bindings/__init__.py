"""Values, dimensions and shapes to freeze: parsed, and checked against the model."""

from freezer.bindings.bind import Bindings, bind
from freezer.bindings.raw import RawValue, parse_value

__all__ = ["Bindings", "RawValue", "bind", "parse_value"]
