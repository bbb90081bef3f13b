"""What PyTorch makes of values at kinks, NaN and infinity, and of integers, element by element.

`python3 known_ops.py` writes known_ops.json: a list of calls with our op and option names, inputs, the output and the
gradient of its sum. Numbers that JSON lacks are the strings "NaN", "Infinity" and "-Infinity".
"""
import json
import math
import pathlib

import torch
import torch.nn.functional as F

NAN, INF = float("nan"), float("inf")
VALUES = [NAN, INF, -INF, -3.5, 3.5, -3.0, 3.0, 0.0, -1e-4, 1e-4, 0.3, -0.3, 0.5, 1.5, 2.5, -2.5, 20.5, -9.0]
cases = []


def plain(values):
    return [v if isinstance(v, int) or math.isfinite(v) else "NaN" if math.isnan(v) else f"{'-' if v < 0 else ''}Infinity"
            for v in values]


def tensor_of(t):
    dtype = "float32" if t.is_floating_point() else "int32"
    return {"dtype": dtype, "shape": list(t.shape), "data": plain(t.flatten().tolist())}


def record(op, fn, inputs, options=None, gradient=True):
    """Floats run in float64; int64 and bool results are int32 in our ops."""
    leaves = [x.double().requires_grad_(gradient) if x.is_floating_point() else x for x in inputs]
    y = fn(*leaves)
    case = {"op": op, "options": options or {}, "inputs": [tensor_of(x) for x in inputs]}
    if gradient:
        y.sum().backward()
        case["gradients"] = [tensor_of(x.grad.float()) if x.is_floating_point() else None for x in leaves]
    y = y.detach()
    case["output"] = tensor_of(y.float() if y.is_floating_point() else y.int())
    cases.append(case)


x = torch.tensor(VALUES)
for op, fn in {
        "tanh": torch.tanh, "gelu": F.gelu, "silu": F.silu, "hardswish": F.hardswish, "hardsigmoid": F.hardsigmoid,
        "softplus": F.softplus, "elu": F.elu, "rsqrt": torch.rsqrt, "square": torch.square, "expm1": torch.expm1,
        "log1p": torch.log1p, "sin": torch.sin, "cos": torch.cos, "abs": torch.abs, "sign": torch.sign,
        "floor": torch.floor, "ceil": torch.ceil, "round": torch.round}.items():
    record(op, fn, [x])
record("gelu", lambda x: F.gelu(x, approximate="tanh"), [x], {"approximate": "tanh"})
record("softplus", lambda x: F.softplus(x, 2, 3), [x], {"beta": 2, "threshold": 3})
record("elu", lambda x: F.elu(x, 0.3), [x], {"alpha": 0.3})


def ints(*values):
    return torch.tensor(values, dtype=torch.int32)


left, right = torch.tensor([[v] for v in VALUES[:9]]), torch.tensor([NAN, INF, -3.0, 0.0, 3.5])
BIG = 2 ** 24 + 1
whole, other = ints(0, 3, -7, BIG, 2 ** 31 - 1, -2 ** 31), ints(0, -3, 5, BIG - 1, 1, -1)
for op in ("eq", "ne", "gt", "ge", "lt", "le"):
    fn = getattr(torch, op)
    record(op, fn, [left, right], gradient=False)
    record(op, fn, [whole, other], gradient=False)
    record(op, fn, [whole[:, None], other], gradient=False)
for op, name in (("logicalAnd", "logical_and"), ("logicalOr", "logical_or")):
    record(op, getattr(torch, name), [whole[:3, None], other[:3]], gradient=False)
record("logicalNot", torch.logical_not, [whole], gradient=False)
for op in ("add", "sub", "mul", "maximum", "minimum", "div"):
    record(op, getattr(torch, op), [whole[:, None], other[1:]], gradient=False)
for op in ("neg", "abs", "sign", "square"):
    record(op, getattr(torch, op), [whole], gradient=False)
condition = ints(1, 0, 1, 0, 5).reshape(5, 1)
choose = lambda c, a, b: torch.where(c != 0, a, b)
record("where", choose, [condition, torch.tensor([1.0, NAN, INF]), torch.tensor([[-1.0]])])
record("where", choose, [condition, torch.tensor([[2.0], [3.0], [NAN], [4.0], [5.0]]), torch.tensor(1.5)])
record("where", choose, [condition, ints(BIG, 2), ints(7)], gradient=False)

table = torch.tensor([[3.0, NAN, 1.0, 1.0], [-2.0, -2.0, 5.0, INF], [0.0, 7.0, -INF, 2.0]])
numbers = ints(BIG, -3, 7, 7, BIG - 1, 7, -2 ** 31, 2 ** 31 - 1).reshape(2, 4)
for op in ("min", "max"):
    for dim in (0, 1):
        record(op, lambda x: getattr(x, op)(dim)[0], [table], {"dim": dim})
        record(op, lambda x: getattr(x, op)(dim, True)[0], [numbers], {"dim": dim, "keepdim": True}, gradient=False)
        record(f"arg{op}", lambda x: getattr(x, f"arg{op}")(dim), [table], {"dim": dim}, gradient=False)
        record(f"arg{op}", lambda x: getattr(x, f"arg{op}")(dim), [numbers], {"dim": dim}, gradient=False)
    record(op, lambda x: getattr(x, f"a{op}")(), [torch.tensor([[2.0, 5.0, 2.0], [5.0, 3.0, 4.0]])])
    record(f"arg{op}", lambda x: getattr(x, f"arg{op}")(), [numbers], gradient=False)
for dim in (0, 1):
    record("sum", lambda x: x.sum(dim).int(), [numbers], {"dim": dim}, gradient=False)
far = torch.tensor([[1000.5, 1001.0, 999.25], [4.0, 4.0, 4.0]])
for op in ("variance", "std"):
    fn = {"variance": torch.var, "std": torch.std}[op]
    record(op, lambda x: fn(x), [far])
    record(op, lambda x: fn(x, dim=1, unbiased=False, keepdim=True), [far], {"dim": 1, "correction": 0, "keepdim": True})
    record(op, lambda x: fn(x, dim=1), [far], {"dim": 1})
    record(op, lambda x: fn(x, dim=1), [torch.tensor([[1.0], [NAN]])], {"dim": 1})

repeated = ints(2, 0, 2, 2)
record("indexSelect", lambda x, i: x.index_select(0, i), [torch.tensor([[1.0, 2.0], [3.0, NAN], [5.0, 6.0]]), repeated], {"dim": 0})
record("indexSelect", lambda x, i: x.index_select(1, i), [numbers, repeated], {"dim": 1}, gradient=False)
spots = ints(0, 1, 1, 2, 0, 0).reshape(3, 2)
record("gather", lambda x, i: x.gather(1, i.long()), [torch.tensor([[1.0, 2.0, 3.0], [4.0, INF, 6.0], [7.0, 8.0, 9.0]]), spots], {"dim": 1})
for descending in (False, True):
    for dim in (0, 1):
        fn = lambda x: x.sort(dim=dim, descending=descending, stable=True)[1]
        for values in (table, numbers):
            record("argsort", fn, [values], {"dim": dim, "descending": descending}, gradient=False)

record("gather", lambda x, i: x.gather(0, i.long()), [numbers, ints(1, 0, 0, 1).reshape(1, 4)], {"dim": 0}, gradient=False)

record("erfinv", torch.erfinv, [torch.tensor([NAN, INF, 2.0, -1.5, 0.0, -0.0, 1e-6, 0.3, -0.3, 0.49, 0.5, -0.75, 0.99, -0.99])])
record("erfinv", torch.erfinv, [torch.tensor([1.0, -1.0, 0.9999, -0.999999])], gradient=False)
likelihoods = torch.tensor([[[-0.5, -2.0, -INF], [-1.0, -0.1, -3.0]], [[-4.0, NAN, -0.2], [-0.3, -0.7, -6.0]]])
labels = ints(1, 0, 255, 0, 255, 1).reshape(2, 3)
for reduction in ("none", "sum", "mean"):
    record("nllLoss", lambda x, t: F.nll_loss(x, t.long(), ignore_index=255, reduction=reduction), [likelihoods, labels],
           {"reduction": reduction})
record("nllLoss", lambda x, t: F.nll_loss(x, t.long(), ignore_index=0), [torch.tensor([[-1.5, -0.25], [-0.5, -1.0]]), ints(1, 0)],
       {"ignoreIndex": 0})

text = json.dumps({"torch": torch.__version__, "cases": cases}, separators=(",", ":"))
pathlib.Path(__file__).with_name("known_ops.json").write_text(text + "\n")
