"""Models in ONNX's text syntax that between them hold all a canonical form has to see through."""

from __future__ import annotations

import onnx

HEAD = '<ir_version: 10, opset_import: ["" : 17]>'

TEXTS = {
    "plain": f"""{HEAD} g (float[N,3] x) => (float[N,3] y)
        <float[3] w = {{1.0, 2.0, 3.0}}, float[3] b = {{0.5, 0.25, 4.0}}> {{
        h = Mul (x, w)
        r = LeakyRelu <alpha = 0.3> (h)
        s = Softmax <axis = 1> (r)
        y = Add (s, b)
    }}""",
    "constants": f"""{HEAD} g (float[3] x) => (float[3] y, float[3] same, float[2] k)
        <float[3] w = {{1.0, 2.0, 3.0}}, float[2] k = {{7.0, 8.0}}, float[3] w2 = {{1.0, 2.0, 3.0}}> {{
        c = Constant <value_floats = [1.0, 2.0, 3.0]> ()
        i = Constant <value_int = 2> ()
        f = Cast <to = 1> (i)
        a = Sub (x, c)
        d = Sub (a, w2)
        e = Div (w, d)
        y = Mul (e, f)
        same = Identity (w)
    }}""",
    "several_outputs": f"""{HEAD} g (float[4,6] x) => (float[4,2] a, float[4,2] c) {{
        n = Constant <value_ints = [2, 2, 2]> ()
        a, b, c = Split <axis = 1> (x, n)
    }}""",
    "branches": f"""{HEAD} g (float[3] x, bool p) => (float[3] y) <float[3] w = {{1.0, 2.0, 3.0}}> {{
        h = Neg (x)
        y = If (p) <
            then_branch = then () => (float[3] t) <float[3] u = {{9.0, 8.0, 7.0}}> {{ q = Sub (h, u) t = Sub (q, w) }},
            else_branch = other () => (float[3] e) {{ e = Constant <value_floats = [1.0, 2.0, 3.0]> () }}
        >
    }}""",
    "loop": f"""{HEAD} g (float[3] x, int64 n) => (float[3] y, float[m,3] all)
        <bool go = {{1}}, float[1] w = {{2.0}}> {{
        k = Exp (x)
        y, all = Loop (n, go, x) <
            body = body (int64 i, bool c, float[3] s) => (bool d, float[3] t, float[3] o) {{
                d = Identity (c) v = Div (s, w) t = Sub (v, k) o = If (c) <
                    then_branch = a () => (float[3] p) {{ p = Sub (t, k) }},
                    else_branch = b () => (float[3] q) {{ q = Sub (k, s) }}
                >
            }}
        >
    }}""",
    "functions": """<ir_version: 10, opset_import: ["" : 17, "mine" : 1]> g (float[3] x) => (float[3] y) {
        a = mine.twice <by = 2.0> (x)
        b = mine.shift (a)
        y = mine.shift (b)
    }
    <domain: "mine", opset_import: ["" : 17]> twice <by> (x) => (y) {
        f = Constant <value_float: float = @by> ()
        y = Mul (x, f)
    }
    <domain: "mine", opset_import: ["" : 17, "mine" : 1]> shift (x) => (y) {
        c = Constant <value_floats = [1.0, 2.0, 3.0]> ()
        n = Sub (x, c)
        y = mine.twice <by = 3.0> (n)
    }""",
    "symmetric": f"""{HEAD} g (float[3] x) => (float[3] y) {{
        a = Relu (x) b = Relu (x) c = Relu (x) d = Relu (x)
        e = Sub (a, c) f = Sub (b, d) g = Add (a, b) h = Add (c, d) i = Add (e, f) j = Sub (g, h)
        y = Add (i, j)
    }}""",
    "random": f"""{HEAD} g (float[3] x) => (float[3] y) {{
        a = RandomNormal <shape = [3]> () b = RandomNormal <shape = [3]> ()
        c = Add (a, b) d = Sub (x, a)
        y = Mul (c, d)
    }}""",
    "default_input": f"""{HEAD} g (float[3] x, float[3] w) => (float[3] y) <float[3] w = {{1.0, 2.0, 3.0}}> {{
        y = Sub (x, w)
    }}""",
}


def model(text: str) -> onnx.ModelProto:
    """The model of a text."""
    return onnx.parser.parse_model(text)
