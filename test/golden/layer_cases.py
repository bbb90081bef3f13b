"""Adaptive pools, layer norms, fully connected layers and losses on real numbers."""
import torch
import torch.nn.functional as F

from recorder import Budget, Family, contraction, randn, rms, uniform


def layers():
    family = Family("layers")
    for label, shape, size in [("even", (2, 3, 6, 8), (3, 4)), ("uneven", (2, 5, 7, 10), (3, 4)), ("larger", (1, 4, 3, 5), (7, 6)),
                               ("whole", (2, 3, 5, 7), 1), ("same", (1, 2, 4, 3), (4, 3)), ("rows kept", (1, 3, 5, 9), (None, 4)),
                               ("columns kept", (2, 3, 9, 4), (2, None)), ("one row", (1, 3, 8, 9), (1, 5))]:
        family.record("adaptiveAvgPool2d", label, {"x": randn(*shape)}, lambda x: F.adaptive_avg_pool2d(x, size),
                      lambda o, g: {"output": Budget(64, 1.0), "x": Budget(64, rms(g))},
                      {"outputSize": size if isinstance(size, int) else list(size)})
    for label, shape, dims, affine, options in [
            ("last", (4, 9), 1, True, {}), ("tokens", (2, 5, 24), 1, True, {"eps": 1e-6}), ("three dims", (3, 4, 5, 6), 3, True, {}),
            ("two dims, bare", (2, 3, 4, 5), 2, False, {}), ("all", (5, 7), 2, True, {}), ("eps", (6, 12), 1, False, {"eps": 0.1})]:
        normalized = shape[len(shape) - dims:]
        t = {"x": randn(*shape) * 2 + 1}
        t["x"] = t["x"].float().double()
        if affine:
            t |= {"weight": uniform(0.5, 2, *normalized), "bias": randn(*normalized)}
        k = torch.Size(normalized).numel()
        rows = t["x"].numel() // k
        def fn(x, weight=None, bias=None):
            return F.layer_norm(x, normalized, weight, bias, options.get("eps", 1e-5))
        family.record("layerNorm", label, t, fn,
                      lambda o, g: {"output": Budget(k + 32, 3.0), "x": Budget(k + 32, 3 * rms(g)),
                                    "weight": contraction(rows + k, g, o), "bias": contraction(rows, g)},
                      {"normalizedShape": list(normalized), **options})
    for label, shape, out, biased in [("rows", (6, 10), 4, True), ("vector", (9,), 5, True), ("batch", (2, 3, 70), 8, False),
                                      ("one feature", (5, 1), 1, True)]:
        t = {"x": randn(*shape), "w": randn(out, shape[-1])}
        if biased:
            t["b"] = randn(out)
        rows = torch.Size(shape[:-1]).numel()
        family.record("linear", label, t, lambda x, w, b=None: F.linear(x, w, b),
                      lambda o, g: {"output": contraction(shape[-1] + 1, t["x"], t["w"]), "x": contraction(out, g, t["w"]),
                                    "w": contraction(rows, g, t["x"]), "b": contraction(rows, g)})
    for reduction in ("mean", "sum", "none"):
        shape = (2, 3, 4, 5)
        count = 1 if reduction == "none" else 120
        for op, fn in [("mseLoss", F.mse_loss), ("l1Loss", F.l1_loss)]:
            t = {"input": randn(*shape), "target": randn(*shape)}
            # Where both are equal, the gradient of the absolute value is 0.
            t["target"][0, 0] = t["input"][0, 0]
            family.record(op, reduction, t, lambda input, target: fn(input, target, reduction=reduction),
                          lambda o, g: {"output": Budget(count + 16, 2.0), "input": Budget(32, 4 * rms(g)), "target": Budget(32, 4 * rms(g))},
                          {"reduction": reduction})
        for label, weights in [("", {}), ("weight", {"weight": (5,)}), ("posWeight", {"posWeight": (3, 1, 1)}),
                               ("both", {"weight": (2, 1, 4, 5), "posWeight": (5,)})]:
            t = {"input": randn(*shape) * 3, "target": uniform(0, 1, *shape)}
            t["input"] = t["input"].float().double()
            t["input"][0, 0, 0, :4] = torch.tensor([0.0, 90.0, -90.0, 0.0])
            t["target"][0, 0, 0] = torch.tensor([0.0, 1.0, 0.0, 1.0, 0.5])
            t |= {name: uniform(0.3, 3, *size) for name, size in weights.items()}
            family.record("binaryCrossEntropyWithLogits", f"{reduction} {label}".strip(), t,
                          lambda input, target, weight=None, posWeight=None: F.binary_cross_entropy_with_logits(
                              input, target, weight, reduction=reduction, pos_weight=posWeight),
                          lambda o, g: {"output": Budget(count + 32, 10.0), "input": Budget(64, 5 * rms(g)), "target": Budget(64, 30 * rms(g))},
                          {"reduction": reduction}, constants=("weight", "posWeight"))
    return family
