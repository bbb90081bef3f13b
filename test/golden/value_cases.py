"""Element-wise operators, reductions, matrix products and operators that only move data."""
import torch

from recorder import EXACT, Budget, Family, contraction, f32, randn, rms, uniform

# Kinks and boundaries, where an implementation picks a side: PyTorch's choice is the contract.
KINKS = torch.tensor([0.0, 6.0, -6.0, 1.0, -1.0, 0.5, -0.5, 1e-3, -1e-3, 7.5, -7.5, 2.0], dtype=torch.float64)


def with_kinks(*shape):
    x = randn(*shape)
    x.view(-1)[:KINKS.numel()] = KINKS
    return f32(x)


def unary():
    family = Family("pointwise")
    one, exact = Budget(1), EXACT
    # Terms of the built-in functions follow the accuracy that WGSL promises: exp 3 + 2|x| ulp, log 3 ulp or 2^-21.
    table = [("relu", "", with_kinks(2, 3, 5, 7), torch.relu, exact, exact, {}),
             ("relu", "one value", randn(1), torch.relu, exact, exact, {}),
             ("relu6", "", with_kinks(2, 3, 5, 7), torch.nn.functional.relu6, exact, exact, {}),
             ("leakyRelu", "0.1", with_kinks(3, 4, 5), lambda x: torch.nn.functional.leaky_relu(x, 0.1), one, one, {"slope": 0.1}),
             ("leakyRelu", "0.01", with_kinks(17), lambda x: torch.nn.functional.leaky_relu(x, 0.01), one, one, {"slope": 0.01}),
             ("sigmoid", "", with_kinks(2, 3, 5, 7) * 2, torch.sigmoid, Budget(16), Budget(16, 0.25), {}),
             ("sigmoid", "saturated", torch.tensor([-80.0, -30, 30, 80]).double(), torch.sigmoid, Budget(512, 1e-30), Budget(512, 1e-2), {}),
             ("exp", "", uniform(-4, 4, 3, 5, 7), torch.exp, Budget(9), Budget(9), {}),
             ("log", "", uniform(0.05, 9, 3, 5, 7), torch.log, Budget(4, 1.0), Budget(4), {}),
             ("sqrt", "", uniform(0.05, 9, 3, 5, 7), torch.sqrt, Budget(2), Budget(4), {}),
             ("neg", "", with_kinks(2, 5, 7), torch.neg, exact, exact, {}),
             ("clamp", "both", with_kinks(2, 5, 7), lambda x: torch.clamp(x, -0.5, 1.0), exact, exact, {"min": -0.5, "max": 1.0}),
             ("clamp", "min", with_kinks(2, 5, 7), lambda x: torch.clamp(x, min=0.5), exact, exact, {"min": 0.5}),
             ("clamp", "max", with_kinks(2, 5, 7), lambda x: torch.clamp(x, max=0.5), exact, exact, {"max": 0.5})]
    for op, label, x, fn, out_budget, grad_budget, options in table:
        family.record(op, label, {"x": f32(x)}, lambda x: fn(x), lambda o, g, a=out_budget, b=grad_budget: {"output": a, "x": b}, options)
    return family


SHAPES = [("same shape", (2, 3, 5, 7), (2, 3, 5, 7)), ("channel vector", (2, 3, 5, 7), (3, 1, 1)),
          ("row", (2, 3, 5, 7), (7,)), ("outer product", (4, 1, 6), (5, 1)), ("scalar tensor", (3, 5), ()),
          ("left smaller", (1, 7), (2, 3, 5, 7)), ("image mask", (2, 4, 5, 3), (2, 1, 5, 3)), ("length 1", (1,), (1,))]
BINARY = {"add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div, "pow": torch.pow}


def binary():
    family = Family("binary")
    # division is 2.5 ulp in WGSL; pow is exp2(y * log2(x)), whose error grows with |y log2 x| <= 5 here.
    terms = {"add": 1, "sub": 1, "mul": 1, "div": 2, "pow": 36}
    for op, fn in BINARY.items():
        for label, shape_a, shape_b in SHAPES:
            a = uniform(0.4, 3, *shape_a) if op == "pow" else randn(*shape_a)
            b = uniform(-2, 3, *shape_b) if op == "pow" else randn(*shape_b)
            if op == "div":
                b = f32(torch.where(b < 0, b - 0.5, b + 0.5))
            def budgets(out, g, a=a, b=b):
                k = terms[op]
                size_a, size_b = (max(1, out.numel() // t.numel()) for t in (a, b))
                grads = {"add": (g, g), "sub": (g, g), "mul": (g * b, g * a), "div": (g / b, g * a / b / b),
                         "pow": (g * b * a ** (b - 1), g * out * a.log())}[op]
                scales = [rms(t) * n ** 0.5 if n > 1 else 0.0 for t, n in zip(grads, (size_a, size_b))]
                if op == "pow":
                    # log near 1 has an absolute error.
                    scales[1] = max(scales[1], rms(g * out))
                return {"output": Budget(k), "a": Budget(size_a * (k + 2), scales[0]), "b": Budget(size_b * (k + 2), scales[1])}
            family.record(op, label, {"a": a, "b": b}, lambda a, b: fn(a, b), budgets)
        for value in (2.0, -3.0, 0.5) if op != "pow" else (2, 3, 0.5, -1, 1):
            x = uniform(0.3, 3, 3, 7) if op == "pow" else randn(3, 7)
            if op == "pow" and value in (2, 3):
                x = with_kinks(3, 7)
            k = terms[op]
            family.record(op, f"number {value}", {"a": x}, lambda a, v=value: BINARY[op](a, v),
                          lambda o, g, k=k: {"output": Budget(k), "a": Budget(k + 2)}, {"b": value})
    x = randn(3, 5)
    family.record("mul", "of a tensor with itself", {"a": x}, lambda a: a * a,
                  lambda o, g: {"output": Budget(1), "a": Budget(2)}, {"bIsA": True})
    return family


def distinct(*shape):
    """Values without ties, so that the place of a maximum is beyond dispute."""
    count = int(torch.tensor(shape).prod()) if shape else 1
    return ((torch.randperm(count).double() - count / 2) / 8).reshape(shape)


def reductions():
    family = Family("reductions")
    dims = [("all", (2, 3, 5, 7), None, False), ("all kept", (2, 3, 5), None, True), ("last", (2, 3, 5, 7), 3, False),
            ("first", (4, 3, 5), 0, False), ("channel kept", (2, 3, 5, 7), 1, True), ("negative", (2, 3, 5, 7), -2, False),
            ("two", (2, 3, 5, 7), [2, 3], False), ("apart, kept", (2, 3, 5, 7), [0, 2], True), ("length 1", (3, 1, 4), 1, False),
            ("long", (3, 1031), 1, False), ("vector", (257,), 0, False)]
    for op in ("sum", "mean", "max"):
        for label, shape, dim, keep in dims:
            x = distinct(*shape) if op == "max" else randn(*shape)
            every = tuple(range(len(shape))) if dim is None else dim
            fn = {"sum": lambda x: x.sum(every, keep), "mean": lambda x: x.mean(every, keep), "max": lambda x: x.amax(every, keep)}[op]
            def budgets(out, g, x=x):
                k = x.numel() // out.numel()
                if op == "max":
                    return {"output": EXACT, "x": EXACT}
                scale = rms(x) * k ** 0.5 / (k if op == "mean" else 1)
                return {"output": Budget(k + 1, scale), "x": EXACT if op == "sum" else Budget(2)}
            options = {**({} if dim is None else {"dim": dim}), **({"keepdim": True} if keep else {})}
            family.record(op, label, {"x": x}, fn, budgets, options)
    for label, shape, dim, keep in [("channel", (2, 21, 5, 7), 1, False), ("last kept", (3, 4, 9), -1, True), ("first", (6, 5), 0, False)]:
        family.record("argmax", label, {"x": distinct(*shape)}, lambda x: x.argmax(dim, keep), lambda o, g: {"output": EXACT},
                      {"dim": dim, **({"keepdim": True} if keep else {})}, constants=("x",))
    for op, fn in (("softmax", torch.softmax), ("logSoftmax", torch.log_softmax)):
        for label, shape, dim in [("channel", (2, 21, 3, 5), 1), ("first", (5, 3, 4), 0), ("middle", (3, 6, 5), 1), ("last", (4, 33), 1),
                                  ("negative", (2, 3, 4, 7), -1), ("rows", (2, 3, 7, 4), 2), ("vector", (13,), 0), ("length 1", (3, 1), 1)]:
            x = randn(*shape) * 3
            k = shape[dim]
            family.record(op, label, {"x": f32(x)}, lambda x: fn(x, dim), lambda o, g, k=k: {
                "output": Budget(2 * k + 16, rms(x) if op == "logSoftmax" else 0.0), "x": Budget(2 * k + 16, rms(g))}, {"dim": dim})
        x = f32(randn(3, 6) * 5 + torch.tensor([[900.0], [-900.0], [0.0]]))
        family.record(op, "of values far from zero", {"x": x}, lambda x: fn(x, 1), lambda o, g: {
            "output": Budget(64, 5.0 if op == "logSoftmax" else 1e-3), "x": Budget(64, rms(g))}, {"dim": 1})
    return family


def matmul():
    family = Family("matmul")
    for label, a, b in [("2-D", (7, 9), (9, 5)), ("tile of 64 and one", (65, 33), (33, 17)), ("row times column", (1, 70), (70, 1)),
                        ("column times row", (9, 1), (1, 11)), ("batched", (3, 4, 6), (3, 6, 5)), ("batch of two dims", (2, 3, 4, 5), (2, 3, 5, 6)),
                        ("right broadcast", (4, 3, 5), (5, 6)), ("left broadcast", (3, 5), (4, 5, 2)), ("both broadcast", (2, 1, 3, 4), (3, 4, 5))]:
        def budgets(out, g, a=a, b=b):
            m, k, n = a[-2], a[-1], b[-1]
            batch = out.numel() // (m * n)
            copies_a, copies_b = batch * m * k // torch.Size(a).numel(), batch * k * n // torch.Size(b).numel()
            return {"output": contraction(k, g, g), "a": contraction(n * copies_a, g), "b": contraction(m * copies_b, g)}
        family.record("matmul", label, {"a": randn(*a), "b": randn(*b)}, lambda a, b: a @ b, budgets)
    return family


def movement():
    family = Family("movement")
    exact = lambda *names: (lambda o, g: {"output": EXACT, **{n: EXACT for n in names}})
    for label, shapes, dim in [("channels", [(2, 3, 4, 5), (2, 1, 4, 5), (2, 4, 4, 5)], 1), ("batch", [(2, 3, 4), (1, 3, 4)], 0),
                               ("last", [(3, 4), (3, 1)], -1), ("rows", [(1, 2, 3, 5), (1, 2, 4, 5)], 2), ("one tensor", [(2, 3)], 0)]:
        t = {f"x{i}": randn(*s) for i, s in enumerate(shapes)}
        family.record("concat", label, t, lambda **ts: torch.cat(list(ts.values()), dim), exact(*t), {"dim": dim})
    for label, shape, ranges in [("middle", (2, 5, 6, 7), [[0, 2], [1, 4], [2, 5], [3, 7]]), ("one element", (3, 4), [[2, 3], [1, 2]]),
                                 ("everything", (2, 3), [[0, 2], [0, 3]]), ("vector", (9,), [[4, 8]])]:
        family.record("slice", label, {"x": randn(*shape)}, lambda x: x[tuple(slice(*r) for r in ranges)], exact("x"), {"ranges": ranges})
    for label, shape, o in [("offset 19", (1, 2, 40, 45), (19, 19, 20, 23)), ("asymmetric", (2, 3, 7, 9), (1, 4, 5, 2)), ("none", (1, 2, 3, 4), (0, 0, 3, 4))]:
        top, left, h, w = o
        family.record("crop", label, {"x": randn(*shape)}, lambda x: x[:, :, top:top + h, left:left + w], exact("x"),
                      {"top": top, "left": left, "height": h, "width": w})
    for label, shape, pairs, value in [("spatial", (1, 2, 4, 5), [[0, 0], [0, 0], [1, 2], [3, 0]], 0), ("value", (2, 3), [[1, 1], [0, 2]], -1.5),
                                       ("channels", (1, 3, 2, 2), [[0, 0], [0, 1], [0, 0], [0, 0]], 0), ("vector", (4,), [[2, 3]], 7)]:
        flat = [n for pair in reversed(pairs) for n in pair]
        family.record("pad", label, {"x": randn(*shape)}, lambda x: torch.nn.functional.pad(x, flat, value=value), exact("x"),
                      {"pairs": pairs, "value": value})
    for label, shape, to in [("flatten", (2, 3, 4, 5), (2, 60)), ("split channels", (2, 6, 5), (2, 2, 3, 5)), ("vector", (3, 7), (21,)), ("to a scalar", (1, 1), ())]:
        family.record("reshape", label, {"x": randn(*shape)}, lambda x: x.reshape(to), exact("x"), {"shape": list(to)})
    for label, shape, dims in [("to channels last", (2, 3, 4, 5), (0, 2, 3, 1)), ("transpose", (5, 7), (1, 0)), ("reverse", (2, 3, 4, 5), (3, 2, 1, 0)),
                               ("identity", (2, 3), (0, 1)), ("three", (4, 3, 5), (2, 0, 1))]:
        family.record("permute", label, {"x": randn(*shape)}, lambda x: x.permute(dims), exact("x"), {"dims": list(dims)})
    # A permuted or sliced input must reach the next operator in logical order.
    family.record("permuteThenReshape", "", {"x": randn(2, 3, 4, 5)}, lambda x: x.permute(0, 2, 3, 1).reshape(8, 15), exact("x"),
                  {"dims": [0, 2, 3, 1], "shape": [8, 15]})
    return family
