"""Mutants of serialised models: changed bytes, or changed protobuf fields. The same seed gives the same mutant."""

from __future__ import annotations

import random
from typing import Any

import onnx
from google.protobuf.descriptor import FieldDescriptor as Field

_INTEGERS = [0, 1, -1, 2, 3, 7, 16, 63, 64, 255, 1 << 20, 1 << 31, -(1 << 31), (1 << 63) - 1, -(1 << 63), 1 << 40]
_FLOATS = [0.0, -0.0, 1.0, -1.0, float("nan"), float("inf"), float("-inf"), 1e-40, 1e30]
_NAMES = ["", "x", "y", "a\n\x1b[2J", "\u00e9", "ai.onnx", "ai.onnx.ml", "com.microsoft", "N", "N + 1", "-1", "axis"]
_OPS = [s.name for s in onnx.defs.get_all_schemas() if not s.domain]
_RANGES = {Field.TYPE_INT32: (-(1 << 31), (1 << 31) - 1), Field.TYPE_UINT64: (0, (1 << 64) - 1)}


def mutant(models: list[bytes], seed: int, index: int) -> bytes:
    """Mutant number `index` of a run: of two in three the fields are changed, of the others the bytes."""
    rng = random.Random(f"{seed}:{index}")
    data = rng.choice(models)
    times = rng.choice([1, 1, 1, 2, 3, 6])
    if rng.random() < 1 / 3:
        return change_bytes(data, rng, times)
    return change_fields(data, rng, times, models)


def change_bytes(data: bytes, rng: random.Random, times: int) -> bytes:
    """Overwrite, flip, delete or insert a few bytes."""
    content = bytearray(data)
    for _ in range(times):
        place, kind = rng.randrange(len(content) + 1), rng.random()
        if kind < 0.6:
            content[place : place + 1] = rng.randbytes(1)
        elif kind < 0.7 and place < len(content):
            content[place] ^= 1 << rng.randrange(8)
        elif kind < 0.85:
            del content[place : place + rng.randrange(1, 5)]
        else:
            content[place:place] = rng.randbytes(rng.randrange(1, 5))
    return bytes(content)


def change_fields(data: bytes, rng: random.Random, times: int, models: list[bytes]) -> bytes:
    """Change, clear, repeat, reorder or transplant a few fields."""
    model = onnx.ModelProto.FromString(data)
    for _ in range(times):
        places = _places(model)
        message, field = rng.choice(places)
        names = _NAMES + [s for m, f in places for s in _texts(m, f)]
        donor = onnx.ModelProto.FromString(rng.choice(models)) if rng.random() < 0.15 else model
        _change(message, field, rng, names, donor)
    return model.SerializeToString(deterministic=True)


def _places(message: Any) -> list[tuple[Any, Field]]:
    """Every field that is set, at any depth, and its message; a field unset on the top of a node counts too."""
    found: list[tuple[Any, Field]] = []
    stack = [message]
    while stack:
        current = stack.pop()
        for field, value in current.ListFields():
            found.append((current, field))
            if field.type == Field.TYPE_MESSAGE:
                stack.extend(value if field.is_repeated else [value])
        unset = [f for f in current.DESCRIPTOR.fields if f.type != Field.TYPE_MESSAGE]
        found.append((current, unset[len(found) % len(unset)]) if unset else found[-1])
    return found


def _texts(message: Any, field: Field) -> list[str]:
    if field.type != Field.TYPE_STRING:
        return []
    value = getattr(message, field.name)
    return [s for s in (value if field.is_repeated else [value]) if isinstance(s, str)]


def _change(message: Any, field: Field, rng: random.Random, names: list[str], donor: Any) -> None:
    if field.is_repeated:
        _change_list(getattr(message, field.name), field, rng, names, donor)
    elif field.type == Field.TYPE_MESSAGE or rng.random() < 0.15:
        other = _of_the_same_kind(field, rng, donor) if field.type == Field.TYPE_MESSAGE else None
        if other is None or rng.random() < 0.4:
            message.ClearField(field.name)
        else:
            getattr(message, field.name).CopyFrom(other)
    else:
        setattr(message, field.name, _scalar(field, getattr(message, field.name), rng, names))


def _change_list(items: Any, field: Field, rng: random.Random, names: list[str], donor: Any) -> None:
    kind, is_message = rng.random(), field.type == Field.TYPE_MESSAGE
    place = rng.randrange(len(items)) if len(items) else 0
    if kind < 0.25 and len(items):
        del items[place]
    elif kind < 0.45 and len(items):
        items.append(items[rng.randrange(len(items))])
    elif kind < 0.6 and len(items) > 1:
        kept = list(items)
        rng.shuffle(kept)
        copies = [_copy(m) for m in kept] if is_message else kept
        del items[:]
        items.extend(copies)
    elif is_message:
        other = _of_the_same_kind(field, rng, donor)
        if other is not None:
            items.append(other) if kind < 0.7 or not len(items) else items[place].CopyFrom(other)
    elif len(items) and kind < 0.9:
        items[place] = _scalar(field, items[place], rng, names)
    else:
        items.append(_scalar(field, field.default_value or _empty(field), rng, names))


def _empty(field: Field) -> Any:
    return {Field.TYPE_STRING: "", Field.TYPE_BYTES: b"", Field.TYPE_FLOAT: 0.0, Field.TYPE_DOUBLE: 0.0}.get(
        field.type, 0
    )


def _of_the_same_kind(field: Field, rng: random.Random, donor: Any) -> Any:
    """A copy of some message of the field's type in the donor."""
    wanted = field.message_type
    found = [m for m, _ in _places(donor) if m.DESCRIPTOR is wanted]
    return _copy(rng.choice(found)) if found else None


def _copy(message: Any) -> Any:
    return type(message).FromString(message.SerializeToString())


def _scalar(field: Field, old: Any, rng: random.Random, names: list[str]) -> Any:
    if field.type == Field.TYPE_STRING:
        return rng.choice(_OPS) if field.name == "op_type" and rng.random() < 0.8 else rng.choice(names)
    if field.type == Field.TYPE_BYTES:
        return change_bytes(old, rng, rng.choice([1, 2, 8])) if rng.random() < 0.8 else rng.randbytes(rng.randrange(9))
    if field.type in (Field.TYPE_FLOAT, Field.TYPE_DOUBLE):
        return rng.choice(_FLOATS)
    if field.type == Field.TYPE_ENUM:
        return rng.choice(field.enum_type.values).number
    low, high = _RANGES.get(field.type, (-(1 << 63), (1 << 63) - 1))
    wanted = rng.choice([*_INTEGERS, *range(26), old + 1, old - 1, -old, old * 2])
    return max(low, min(high, wanted))
