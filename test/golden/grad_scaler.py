"""Steps with torch.cuda.amp.GradScaler, some of whose gradients hold an infinity or NaN.

`python3 grad_scaler.py` writes grad_scaler.json. PyTorch 1.13 has the two kernels of the scaler for CUDA only, so they are
written here for the CPU by their documentation; the order of the calls, the optimisers and the stages are PyTorch's.
"""
import json
import pathlib

import numpy as np
import torch
from torch.cuda.amp import grad_scaler

OPTIONS = {"initScale": 1024.0, "growthFactor": 2.0, "backoffFactor": 0.25, "growthInterval": 2}
SHAPES = [(3, 5), (7,), (2, 3, 2, 2)]
# By the number of the step: which parameter gets what. The first step of all is skipped.
BAD = {0: (1, float("inf")), 3: (0, float("-inf")), 7: (2, float("nan"))}
STEPS = 12
CASES = [("SGD", {"lr": 0.1, "momentum": 0.9, "weightDecay": 0.01}), ("SGD", {"lr": 0.1}),
         ("SGD", {"lr": 0.05, "momentum": 0.9, "dampening": 0.3}),
         ("AdamW", {"lr": 0.05, "weightDecay": 0.1}), ("AdamW", {"lr": 0.02, "betas": [0.8, 0.95], "eps": 1e-4}),
         ("Adam", {"lr": 0.05, "weightDecay": 0.1}),
         ("Adam", {"lr": 0.02, "betas": [0.7, 0.8], "amsgrad": True}), ("RMSprop", {"lr": 0.01, "momentum": 0.9, "weightDecay": 0.01}),
         ("RMSprop", {"lr": 0.02, "alpha": 0.9, "eps": 0.01, "centered": True})]


def check_and_unscale(gradients, found_inf, inv_scale):
    for gradient in gradients:
        if not torch.isfinite(gradient).all():
            found_inf.fill_(1.0)
        gradient.mul_(inv_scale)


def update_scale(scale, tracker, found_inf, growth, backoff, interval):
    if found_inf.item():
        scale.mul_(backoff)
        tracker.zero_()
    elif tracker.item() + 1 == interval:
        scale.mul_(growth)
        tracker.zero_()
    else:
        tracker.add_(1)


class OneDevice:
    def __init__(self, tensor):
        self.get = lambda device: tensor
        self._per_device_tensors = {tensor.device: tensor}


torch._amp_foreach_non_finite_check_and_unscale_ = check_and_unscale
torch._amp_update_scale_ = update_scale
grad_scaler.amp_definitely_not_available = lambda: False
grad_scaler._MultiDeviceReplicator = OneDevice
snake = lambda o: {{"weightDecay": "weight_decay"}.get(k, k): v for k, v in o.items()}
bits = lambda t: t.detach().numpy().view(np.uint32).ravel().tolist()


torch.manual_seed(7)
START = [torch.randn(*shape) for shape in SHAPES]
GRADIENTS = [[torch.randn(*shape) for shape in SHAPES] for _ in range(STEPS)]
for step, (at, value) in BAD.items():
    GRADIENTS[step][at].view(-1)[3] = value


def run(kind, options, unscales):
    params = [start.clone().requires_grad_() for start in START]
    optimiser = getattr(torch.optim, kind)(params, **snake(options))
    scaler = grad_scaler.GradScaler(OPTIONS["initScale"], OPTIONS["growthFactor"], OPTIONS["backoffFactor"], OPTIONS["growthInterval"])
    scaler._lazy_init_scale_growth_tracker(torch.device("cpu"))
    steps = []
    for gradients in GRADIENTS:
        for p, gradient in zip(params, gradients):
            p.grad = gradient * scaler.get_scale()
        if unscales:
            scaler.unscale_(optimiser)
            torch.nn.utils.clip_grad_norm_(params, 1.0)
        scaler.step(optimiser)
        scaler.update()
        steps.append({"scale": scaler.get_scale(), "params": [bits(p) for p in params]})
    return {"op": kind, "options": options, "unscales": unscales, "steps": steps}


cases = [run(kind, options, unscales) for kind, options in CASES for unscales in (False, True)]
text = json.dumps({"torch": torch.__version__, "scaler": OPTIONS, "shapes": SHAPES, "start": [bits(p) for p in START],
                   "gradients": [[bits(g) for g in gradients] for gradients in GRADIENTS], "cases": cases})
pathlib.Path(__file__).with_name("grad_scaler.json").write_text(text + "\n")
