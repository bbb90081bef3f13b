"""Cross-entropy, normalisations and optimisers."""
import torch
import torch.nn.functional as F

from recorder import Budget, Family, contraction, f32, randn, rms, uniform


def cross_entropy():
    family = Family("crossEntropy")
    table = [("mean, 21 classes with void", (2, 21, 5, 7), "mean", 255, False), ("sum", (2, 21, 5, 7), "sum", 255, False),
             ("none", (2, 5, 4, 3), "none", 255, False), ("mean weighted", (2, 6, 5, 4), "mean", 255, True),
             ("sum weighted", (2, 6, 5, 4), "sum", 255, True), ("none weighted", (1, 4, 6, 5), "none", 255, True),
             ("ignore a real class", (2, 5, 6, 7), "mean", 0, False), ("ignore -1", (1, 3, 5, 9), "mean", -1, False),
             ("two classes", (1, 2, 9, 8), "mean", 255, False), ("one pixel", (1, 7, 1, 1), "mean", 255, False),
             ("rank 2", (9, 4), "mean", 255, False), ("rank 3", (2, 5, 11), "sum", 255, False),
             ("65 classes", (1, 65, 3, 5), "mean", 255, True), ("4099 pixels", (1, 3, 1, 4099), "mean", 255, False),
             ("large logits", (1, 5, 4, 6), "mean", 255, False)]
    for label, shape, reduction, ignore, weighted in table:
        classes, pixels = shape[1], torch.Size(shape).numel() // shape[1]
        target = torch.randint(0, classes, (shape[0], *shape[2:]))
        if pixels > 1:
            target.view(-1)[torch.rand(pixels) < 0.2] = ignore
        logits = randn(*shape) * 2
        if label == "large logits":
            logits = logits * 40 + 500
        t = {"logits": f32(logits), "target": target}
        if weighted:
            t["weight"] = uniform(0.3, 2, classes)
        def fn(logits, target, weight=None):
            return F.cross_entropy(logits, target, weight, ignore_index=ignore, reduction=reduction)
        def budgets(out, g, t=t):
            worst = float(F.cross_entropy(t["logits"], t["target"], t.get("weight"), ignore_index=ignore, reduction="none").max())
            k = classes + 16
            # A log-sum-exp that is kept in float32 for the backward pass has an error of eps * |logits|.
            kept = max(1.0, float(t["logits"].abs().max()) / 50)
            share = 1.0 / pixels if reduction == "mean" else 1.0
            return {"output": Budget(k if reduction == "none" else k + pixels, worst),
                    "logits": Budget(k, float(g.abs().max()) * share * kept)}
        options = {"reduction": reduction, **({} if ignore == 255 else {"ignoreIndex": ignore})}
        family.record("crossEntropy", label, t, fn, budgets, options, constants=("weight",))
    return family


def normalisations():
    family = Family("normalisation")
    table = [("train", (3, 4, 5, 7), True, {}), ("train, eps and momentum", (2, 5, 4, 6), True, {"eps": 1e-3, "momentum": 0.3}),
             ("train, mean far from zero", (2, 3, 9, 8), True, {}), ("train, one column", (4, 3, 7, 1), True, {}),
             ("train, 21 channels", (2, 21, 3, 5), True, {}), ("train, small batch", (1, 6, 1, 3), True, {}),
             ("eval", (2, 4, 5, 7), False, {}), ("eval, eps", (1, 3, 4, 4), False, {"eps": 1e-3}),
             ("train without weight", (2, 4, 5, 6), True, {"bare": True}), ("eval without weight", (2, 4, 5, 6), False, {"bare": True}),
             ("train without running statistics", (2, 3, 6, 5), True, {"untracked": True})]
    for label, shape, training, extra in table:
        c, k = shape[1], torch.Size(shape).numel() // shape[1]
        x = randn(*shape)
        shift = "far from zero" in label
        if shift:
            x = f32(x * 0.5 + 100)
        t = {"x": x}
        if not extra.get("bare"):
            t |= {"weight": uniform(0.5, 2, c), "bias": randn(c)}
        if not extra.get("untracked"):
            t |= {"runningMean": randn(c), "runningVar": uniform(0.5, 2, c)}
        options = {n: v for n, v in extra.items() if n in ("eps", "momentum")}
        def fn(x, weight=None, bias=None, runningMean=None, runningVar=None):
            return F.batch_norm(x, runningMean, runningVar, weight, bias, training, **options)
        def budgets(out, g, t=t):
            # x - mean keeps the rounding of x's size: that is the size of the partial results.
            size = max(1.0, rms(t["x"]) / float(t["x"].std()))
            gain = float((t.get("weight", torch.ones(1)).abs().max()) / min(float(t["x"].var(dim=(0, 2, 3)).min()), float(t.get("runningVar", torch.ones(1)).min())) ** 0.5)
            return {"output": Budget(k, 2 * size), "x": Budget(k, rms(g) * gain * 2 * size),
                    "weight": contraction(k, g, torch.full((1,), 2 * size)), "bias": contraction(k, g)}
        after = {"runningMean": Budget(k, 1.0), "runningVar": Budget(k, 1.0)} if training and "runningMean" in t else {}
        family.record("batchNorm", label, t, fn, budgets, {**options, "training": training}, ("runningMean", "runningVar"), after)
    table = [("caffenet", (1, 9, 4, 5), {"size": 5, "alpha": 1e-4, "beta": 0.75, "k": 1}),
             ("strong", (2, 7, 3, 4), {"size": 5, "alpha": 1.5, "beta": 0.75, "k": 1}),
             ("size 3, k 2", (1, 8, 3, 5), {"size": 3, "alpha": 0.7, "beta": 0.5, "k": 2}),
             ("size above the channels", (1, 2, 4, 3), {"size": 5, "alpha": 2.0, "beta": 0.75, "k": 1}),
             ("one channel", (1, 1, 3, 4), {"size": 3, "alpha": 1.0, "beta": 0.75, "k": 1}),
             ("21 channels", (1, 21, 2, 3), {"size": 5, "alpha": 0.5, "beta": 0.75, "k": 1.5})]
    for label, shape, options in table:
        x = randn(*shape) * 2
        # pow is exp2(y * log2(x)): its accuracy dominates.
        family.record("localResponseNorm", label, {"x": x}, lambda x: F.local_response_norm(x, **options),
                      lambda o, g: {"output": Budget(24), "x": Budget(48, rms(g))}, options)
    return family


SGD = [("plain", {"lr": 0.1}), ("momentum", {"lr": 0.05, "momentum": 0.9}), ("weight decay", {"lr": 0.1, "weightDecay": 0.02}),
       ("momentum and weight decay", {"lr": 0.05, "momentum": 0.99, "weightDecay": 5e-3}),
       ("nesterov", {"lr": 0.05, "momentum": 0.9, "nesterov": True}),
       ("nesterov and weight decay", {"lr": 0.03, "momentum": 0.8, "weightDecay": 0.1, "nesterov": True})]
ADAMW = [("defaults but lr", {"lr": 0.01}), ("no decay", {"lr": 0.02, "weightDecay": 0}),
         ("betas, eps, decay", {"lr": 0.05, "betas": [0.8, 0.95], "eps": 1e-4, "weightDecay": 0.1})]
DAMPENED = [("dampening", {"lr": 0.1, "momentum": 0.9, "dampening": 0.3}),
            ("dampening and weight decay", {"lr": 0.05, "momentum": 0.8, "dampening": 0.9, "weightDecay": 0.1})]
ADAM = [("defaults but lr", {"lr": 0.01}), ("betas, eps, decay", {"lr": 0.05, "betas": [0.8, 0.95], "eps": 1e-4, "weightDecay": 0.1})]
AMSGRAD = [("amsgrad", {"lr": 0.02, "betas": [0.7, 0.8], "amsgrad": True})]
RMSPROP = [("defaults", {"lr": 0.01}), ("momentum and weight decay", {"lr": 0.02, "momentum": 0.9, "weightDecay": 0.1, "alpha": 0.9}),
           ("centered", {"lr": 0.02, "centered": True, "eps": 1e-2}),
           ("centered with all", {"lr": 0.03, "alpha": 0.8, "eps": 1e-2, "momentum": 0.5, "centered": True, "weightDecay": 0.05})]
STEPS, PARAMETERS = 6, [(3, 5), (7,), (2, 3, 2, 2)]


def optimisers():
    """Each case gives the gradients of every step; parameter 1 has a group of its own with twice the learning rate and no decay."""
    family = Family("optimisers")
    snake = lambda o: {{"weightDecay": "weight_decay"}.get(k, k): v for k, v in o.items()}
    for kind, cases in (("SGD", SGD), ("AdamW", ADAMW), ("SGD", DAMPENED), ("Adam", ADAM), ("RMSprop", RMSPROP),
                        ("AdamW", AMSGRAD), ("Adam", AMSGRAD)):
        for label, options in cases:
            key = str(len(family.cases))
            params = [randn(*s).requires_grad_() for s in PARAMETERS]
            for i, p in enumerate(params):
                family.store(f"{key}.in.{i}", p)
            second = {"lr": options["lr"] * 2, "weightDecay": 0}
            groups = [{"params": [params[0], params[2]]}, {"params": [params[1]], **snake(second)}]
            optimiser = getattr(torch.optim, kind)(groups, **snake(options))
            for step in range(STEPS):
                for i, p in enumerate(params):
                    p.grad = randn(*p.shape)
                    family.store(f"{key}.gradient.{step}.{i}", p.grad)
                optimiser.step()
                for i, p in enumerate(params):
                    family.store(f"{key}.out.{step}.{i}", p)
            family.cases.append({"key": key, "op": kind, "name": f"{kind} {label}", "options": options, "secondGroup": second,
                                 "steps": STEPS, "parameters": len(params), "budget": Budget(16, 1.0).json()})
    return family
