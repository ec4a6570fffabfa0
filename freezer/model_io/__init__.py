"""Models in and out: load and check, convert, save atomically."""

from freezer.model_io.convert import serialise, to_kind, to_proto
from freezer.model_io.loading import load
from freezer.model_io.saving import Saved, save
from freezer.model_io.source import Source

__all__ = ["Saved", "Source", "load", "save", "serialise", "to_kind", "to_proto"]
