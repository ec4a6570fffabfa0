"""Random typed models: elementwise and shape ops, special constants, sequences, Ifs, loops, scans, functions."""

from __future__ import annotations

import random

import numpy as np
import onnx
from onnx import TensorProto, helper

from tests.random_graphs.maker import BOOL, F32, I64, SHAPES, SPECIAL, TYPES, Maker, broadcast
from tests.random_graphs.more import FUNCTIONS, call, scan, sequence


def special(m: Maker) -> None:
    shape, dtype = m.rng.choice(SHAPES), m.rng.choice([F32, I64, BOOL])
    uniform = m.rng.random() < 0.6
    pool = SPECIAL if dtype is F32 else [0, 1, 2, -1]
    content = [m.rng.choice(pool)] * int(np.prod(shape)) if uniform else m.rng.choices(pool, k=int(np.prod(shape)))
    m.values.append((m.constant(np.array(content, dtype).reshape(shape)), dtype, shape))


def unary(m: Maker) -> None:
    if v := m.pick(F32):
        m.add(
            m.rng.choice(["Neg", "Abs", "Exp", "Relu", "Sigmoid", "Sqrt", "Identity", "Tanh", "Erf"]), [v[0]], F32, v[2]
        )


def binary(m: Maker) -> None:
    dtype = m.rng.choice([F32, F32, I64])
    a, b = m.pick(dtype), m.pick(dtype)
    if a and b and (shape := broadcast(a[2], b[2])) is not None:
        ops = ["Add", "Sub", "Mul", "Max", "Min"] + (["Div", "Pow"] if dtype is F32 else [])
        m.add(m.rng.choice(ops), [a[0], b[0]], dtype, shape)


def compare(m: Maker) -> None:
    dtype = m.rng.choice([F32, I64])
    a, b = m.pick(dtype), m.pick(dtype)
    if a and b and (shape := broadcast(a[2], b[2])) is not None:
        m.add(m.rng.choice(["Equal", "Less", "Greater", "LessOrEqual"]), [a[0], b[0]], BOOL, shape)


def logic(m: Maker) -> None:
    a, b = m.pick(BOOL), m.pick(BOOL)
    if a and b and (shape := broadcast(a[2], b[2])) is not None:
        m.add(m.rng.choice(["And", "Or", "Xor"]), [a[0], b[0]], BOOL, shape)
    elif a:
        m.add("Not", [a[0]], BOOL, a[2])


def where(m: Maker) -> None:
    c, a, b = m.pick(BOOL), m.pick(F32), m.pick(F32)
    if c and a and b and (inner := broadcast(a[2], b[2])) is not None and (s := broadcast(c[2], inner)) is not None:
        m.add("Where", [c[0], a[0], b[0]], F32, s)


def cast(m: Maker) -> None:
    if v := m.pick(F32, I64, BOOL):
        dtype = m.rng.choice(
            [t for t in (F32, I64, BOOL) if not (v[1] is F32 and t is I64)]
        )  # float to int overflows as it likes
        m.add("Cast", [v[0]], dtype, v[2], to=TYPES[dtype])


def reshape(m: Maker) -> None:
    if v := m.pick(F32, I64, BOOL):
        target = m.rng.choice([[-1], [1, -1], list(v[2]) or [1], [-1, 1]])
        shape = np.empty(v[2]).reshape(target).shape
        m.add("Reshape", [v[0], m.constant(np.array(target, I64))], v[1], shape)


def reshape_by_shape(m: Maker) -> None:
    v, w = m.pick(F32), m.pick(F32, I64, BOOL)
    if v and w and len(w[2]) and np.prod(v[2], dtype=int) == np.prod(w[2], dtype=int):
        shape = m.name()
        m.nodes.append(helper.make_node("Shape", [w[0]], [shape]))
        m.add("Reshape", [v[0], shape], F32, w[2])


def size_of(m: Maker) -> None:
    v = m.pick(F32, I64, BOOL)
    if v and len(v[2]):
        axis = m.rng.randrange(len(v[2]))
        shape = m.name()
        m.nodes.append(helper.make_node("Shape", [v[0]], [shape]))
        m.add("Gather", [shape, m.constant(np.array(axis, I64))], I64, ())


def transpose(m: Maker) -> None:
    v = m.pick(F32, I64, BOOL)
    if v:
        perm = list(range(len(v[2])))
        m.rng.shuffle(perm)
        if perm:
            m.add("Transpose", [v[0]], v[1], tuple(v[2][p] for p in perm), perm=perm)


def squeeze(m: Maker) -> None:
    if v := m.pick(F32, I64, BOOL):
        ones = [i for i, d in enumerate(v[2]) if d == 1]
        if ones and m.rng.random() < 0.5:
            axis = m.rng.choice(ones)
            m.add("Squeeze", [v[0], m.constant(np.array([axis], I64))], v[1], v[2][:axis] + v[2][axis + 1 :])
        elif len(v[2]) < 4:
            axis = m.rng.randrange(len(v[2]) + 1)
            m.add("Unsqueeze", [v[0], m.constant(np.array([axis], I64))], v[1], (*v[2][:axis], 1, *v[2][axis:]))


def cut(m: Maker) -> None:
    v = m.pick(F32, I64, BOOL)
    if v and len(v[2]):
        axis = m.rng.randrange(len(v[2]))
        start, end = sorted(m.rng.choices([0, 1, 2, 3, 2**62], k=2))
        step = m.rng.choice([1, 1, 2])
        operands = [m.constant(np.array([n], I64)) for n in (start, end, axis, step)]
        shape = np.empty(v[2])[(slice(None),) * axis + (slice(start, end, step),)].shape
        m.add("Slice", [v[0], *operands], v[1], shape)


def concat(m: Maker) -> None:
    v = m.pick(F32, I64, BOOL)
    if v and len(v[2]):
        axis = m.rng.randrange(len(v[2]))
        rest = [w for w in m.values if w[1] is v[1] and len(w[2]) == len(v[2])]
        fits = [w for w in rest if all(a == b or i == axis for i, (a, b) in enumerate(zip(v[2], w[2], strict=True)))]
        chosen = [v, *m.rng.choices(fits, k=m.rng.randrange(3))]
        shape = tuple(sum(w[2][i] for w in chosen) if i == axis else d for i, d in enumerate(v[2]))
        m.add("Concat", [w[0] for w in chosen], v[1], shape, axis=axis)


def expand(m: Maker) -> None:
    if v := m.pick(F32, I64, BOOL):
        target = m.rng.choice([(2, 3), (1,), (3,), (2, 2, 3), (1, 1)])
        shape = broadcast(v[2], target)
        if shape is not None:
            m.add("Expand", [v[0], m.constant(np.array(target, I64))], v[1], shape)


def reduce(m: Maker) -> None:
    v = m.pick(F32)
    if v and len(v[2]) and 0 not in v[2]:
        axis, keep = m.rng.randrange(len(v[2])), m.rng.randrange(2)
        shape = v[2][:axis] + ((1,) if keep else ()) + v[2][axis + 1 :]
        axes = m.constant(np.array([axis], I64))
        m.add(m.rng.choice(["ReduceSum", "ReduceMax", "ReduceMean"]), [v[0], axes], F32, shape, keepdims=keep)


def softmax(m: Maker) -> None:
    v = m.pick(F32)
    if v and len(v[2]):
        m.add("Softmax", [v[0]], F32, v[2], axis=m.rng.randrange(len(v[2])))


def branch(m: Maker) -> None:
    """An If whose branches read outer values; both give the same type, maybe of another shape."""
    condition = m.pick(BOOL, rank=0)
    if condition is None or m.depth > 1 or not (v := m.pick(F32)):
        return
    bodies, shape = [], v[2]
    for label in ("then", "else"):
        inner = Maker(m.rng, m.depth + 1, list(m.values), prefix=f"{m.name()}{label}_", steps=STEPS)
        for _ in range(m.rng.randrange(1, 5)):
            inner.step()
        inner.add("Identity", [m.rng.choice([w for w in inner.values if w[1] is F32 and w[2] == shape])[0]], F32, shape)
        out = helper.make_tensor_value_info(inner.values[-1][0], TensorProto.FLOAT, None)
        bodies.append(helper.make_graph(inner.nodes, label, [], [out], inner.constants))
    m.add("If", [condition[0]], F32, shape, then_branch=bodies[0], else_branch=bodies[1])


def loop(m: Maker) -> None:
    """A Loop of two or three trips, or of an unknown number, over one carried value."""
    v = m.pick(F32)
    if v is None or m.depth > 0:
        return
    trips = m.constant(np.array(m.rng.choice([0, 1, 2, 3]), I64)) if m.rng.random() < 0.6 else m.pick(I64, rank=0)
    trips = trips[0] if isinstance(trips, tuple) else trips
    if trips is None:
        return
    if m.rng.random() < 0.5:  # an input may be any number: bound it
        three = m.name()
        m.nodes.append(helper.make_node("Min", [trips, m.constant(np.array(3, I64))], [three]))
        trips = three
    else:
        trips = m.constant(np.array(2, I64))
    inner = Maker(m.rng, 2, [*m.values, (f"{v[0]}_c{m.count}", F32, v[2])], prefix=f"{m.name()}loop_", steps=STEPS)
    carried = inner.values[-1][0]
    for _ in range(m.rng.randrange(1, 4)):
        inner.step()
    same = [w for w in inner.values if w[1] is F32 and w[2] == v[2]]
    inner.add("Add", [m.rng.choice(same)[0], carried], F32, v[2])
    result, i, c, c2 = inner.values[-1][0], inner.name(), inner.name(), inner.name()
    inner.nodes.append(helper.make_node("Identity", [c], [c2]))
    info = helper.make_tensor_value_info
    entries = [info(i, TensorProto.INT64, []), info(c, TensorProto.BOOL, []), info(carried, TensorProto.FLOAT, None)]
    exits = [info(c2, TensorProto.BOOL, []), info(result, TensorProto.FLOAT, None)]
    m.add(
        "Loop",
        [trips, "", v[0]],
        F32,
        v[2],
        body=helper.make_graph(inner.nodes, "body", entries, exits, inner.constants),
    )


STEPS = [
    special, special, unary, unary, binary, binary, binary, compare, logic, where, cast, reshape, reshape_by_shape,
    size_of, transpose, squeeze, cut, concat, expand, reduce, softmax, branch, loop, scan, sequence, call, call,
]  # fmt: skip


def random_model(seed: int) -> tuple[onnx.ModelProto, dict[str, np.ndarray]]:
    """A model with a few inputs (some with symbolic dims), and a feed full of special values."""
    rng = random.Random(seed)
    maker = Maker(rng, steps=STEPS)
    feed, entries = {}, []
    for i in range(rng.randrange(2, 6)):
        dtype, shape = rng.choice([F32, F32, I64, BOOL]), rng.choice(SHAPES)
        name = f"in{i}"
        pool = SPECIAL if dtype is F32 else [0, 1, 2, 3] if dtype is I64 else [0, 1]
        feed[name] = np.array(rng.choices(pool, k=int(np.prod(shape))), dtype).reshape(shape)
        dims = [f"d{d}" if rng.random() < 0.3 else d for d in shape]
        entries.append(helper.make_tensor_value_info(name, TYPES[dtype], dims))
        maker.values.append((name, dtype, shape))
    for _ in range(rng.randrange(5, 40)):
        maker.step()
    made = [v for v in maker.values if not v[0].startswith("in")]
    chosen = {v[0]: v for v in rng.sample(made, min(3, len(made)))}
    by_node = {o for n in maker.nodes for o in n.output}
    outputs = [helper.make_tensor_value_info(n, TYPES[v[1]], None) for n, v in chosen.items() if n in by_node]
    if not outputs:
        maker.add("Identity", [entries[0].name], maker.values[0][1], maker.values[0][2])
        outputs = [helper.make_tensor_value_info(maker.values[-1][0], TYPES[maker.values[0][1]], None)]
    graph = helper.make_graph(maker.nodes, "random", entries, outputs, maker.constants)
    imports = [helper.make_opsetid("", 18), helper.make_opsetid("lab", 1)]
    return helper.make_model(graph, opset_imports=imports, ir_version=10, functions=FUNCTIONS), feed
