"""What torch.nn and torch.optim give: ranges of initial values, modules as they print, rates and averages.

`/usr/bin/python3 torch_nn.py` writes torch_nn.json.
"""
import json
import pathlib

import torch
from torch import nn


class Shape:
    """A tensor of nothing but a shape, which keeps the numbers that it is to be filled by."""

    def __init__(self, shape):
        self.shape = shape

    def dim(self):
        return len(self.shape)

    ndimension = dim

    def size(self, i):
        return self.shape[i]

    def uniform_(self, low, high):
        self.drawn = {"bound": high}

    def normal_(self, mean, std):
        self.drawn = {"std": std}


def init():
    names = {"leakyRelu": "leaky_relu"}
    gains = [{"nonlinearity": n, "param": p, "gain": nn.init.calculate_gain(names.get(n, n), p)}
             for n, p in [("linear", None), ("sigmoid", None), ("tanh", None), ("relu", None), ("selu", None),
                          ("leakyRelu", None), ("leakyRelu", 0.3)]]
    ranges = []
    for shape in [(64, 32, 3, 3), (16, 96, 4, 2), (200, 50)]:
        for gain in [1, 1.5]:
            for name, call in [("xavierUniform_", nn.init.xavier_uniform_), ("xavierNormal_", nn.init.xavier_normal_)]:
                drawn = Shape(shape)
                call(drawn, gain)
                ranges.append({"name": name, "shape": shape, "options": {"gain": gain}, **drawn.drawn})
        for a, mode, after in [(0, "fanIn", "leakyRelu"), (5 ** 0.5, "fanIn", "leakyRelu"), (0, "fanOut", "relu"),
                               (0, "fanIn", "tanh")]:
            for name, call in [("kaimingUniform_", nn.init.kaiming_uniform_),
                               ("kaimingNormal_", nn.init.kaiming_normal_)]:
                drawn = Shape(shape)
                call(drawn, a, "fan_in" if mode == "fanIn" else "fan_out", names.get(after, after))
                options = {"a": a, "mode": mode, "nonlinearity": after}
                ranges.append({"name": name, "shape": shape, "options": options, **drawn.drawn})
    return {"gains": gains, "ranges": ranges}


def truncated():
    """Moments of many draws, and the share below the mean of the bounds."""
    torch.manual_seed(1)
    cases = []
    for options in [{}, {"std": 0.02, "a": -0.03, "b": 0.03}, {"mean": 1.0, "std": 2.0, "a": 0.5, "b": 4.0},
                    {"mean": -1.0, "std": 0.5, "a": -1.0, "b": 3.0}]:
        t = nn.init.trunc_normal_(torch.zeros(4_000_000), **options).double()
        middle = (options.get("a", -2.0) + options.get("b", 2.0)) / 2
        cases.append({"options": options, "mean": t.mean().item(), "std": t.std().item(), "middle": middle,
                      "below": (t < middle).double().mean().item()})
    return cases


def reprs():
    block = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU())
    modules = {
        "conv": nn.Conv2d(4, 6, (3, 5), stride=(2, 1), padding=(0, 2), dilation=2, groups=2),
        "up": nn.ConvTranspose2d(4, 4, 4, stride=2, padding=1, output_padding=1, groups=4, bias=False),
        "batchNorm": nn.BatchNorm2d(3, eps=1e-3, momentum=0.01), "groupNorm": nn.GroupNorm(2, 4),
        "layerNorm": nn.LayerNorm(7), "layerNorm2": nn.LayerNorm((4, 5), elementwise_affine=False),
        "linear": nn.Linear(5, 3, bias=False), "dropout": nn.Dropout(0.25), "dropout2d": nn.Dropout2d(),
        "leaky": nn.LeakyReLU(0.2), "sigmoid": nn.Sigmoid(), "maxPool": nn.MaxPool2d(3, 2, (1, 0), ceil_mode=True),
        "avgPool": nn.AvgPool2d(2), "adaptive": nn.AdaptiveAvgPool2d((None, 4)), "upsample": nn.Upsample(scale_factor=2, mode="bilinear"),
        "resize": nn.Upsample(size=(5, 6)), "flatten": nn.Flatten(), "identity": nn.Identity(), "loss": nn.CrossEntropyLoss(),
        "nested": nn.Sequential(block, nn.ModuleList([nn.Linear(2, 3), nn.ReLU6()]), nn.ModuleDict({"a": block})),
        "empty": nn.Sequential(), "tanh": nn.Tanh(), "silu": nn.SiLU(), "hardswish": nn.Hardswish(),
        "hardsigmoid": nn.Hardsigmoid(), "gelu": nn.GELU(), "geluTanh": nn.GELU(approximate="tanh"), "softmax": nn.Softmax(dim=1)}
    return {name: repr(module) for name, module in modules.items()}


def snake(options):
    return {"".join(f"_{c.lower()}" if c.isupper() else c for c in name): value for name, value in options.items()}


def one_group(lr):
    return torch.optim.SGD([{"params": [torch.zeros(1)]}], lr=lr)


def one_cycles():
    cases = []
    for options in [{"totalSteps": 10}, {"totalSteps": 37, "pctStart": 0.1, "annealStrategy": "linear", "divFactor": 10.0},
                    {"totalSteps": 20, "threePhase": True, "finalDivFactor": 5.0}, {"totalSteps": 23, "pctStart": 0.5},
                    {"totalSteps": 16, "threePhase": True, "annealStrategy": "linear"}]:
        optimiser = one_group(1.0)
        scheduler = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.3, cycle_momentum=False, **snake(options))
        rates = []
        for step in range(options["totalSteps"]):
            rates.append(optimiser.param_groups[0]["lr"])
            if step + 1 < options["totalSteps"]:
                optimiser.step()
                scheduler.step()
        cases.append({"options": {"maxLr": 0.3, **options}, "rates": rates})
    return cases


def plateaus():
    losses = [1, 0.8, 0.8, 0.79995, 0.81, 0.7, 0.71, 0.72, 0.73, 0.74, float("nan"), 0.75, 0.76, 0.2, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3]
    losses = [None if loss != loss else loss for loss in losses]
    cases = []
    for options in [{"patience": 2}, {"patience": 0, "factor": 0.5, "cooldown": 2}, {"mode": "max", "patience": 1},
                    {"patience": 1, "threshold": 0.1, "thresholdMode": "abs", "minLr": 0.005}, {"patience": 1, "eps": 0.02},
                    {"mode": "max", "patience": 1, "threshold": 0.05, "thresholdMode": "abs"}]:
        optimiser = one_group(0.1)
        scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimiser, **snake(options))
        rates = []
        for loss in losses:
            scheduler.step(float("nan") if loss is None else loss)
            rates.append(optimiser.param_groups[0]["lr"])
        cases.append({"options": options, "rates": rates})
    return {"metrics": losses, "cases": cases}


def averages():
    """The first update of AveragedModel copies the parameters; those after it average."""
    torch.manual_seed(3)
    model = nn.Linear(3, 2)
    average = torch.optim.swa_utils.AveragedModel(model, avg_fn=lambda mean, value, count: 0.8 * mean + 0.2 * value)
    steps = []
    for _ in range(6):
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.copy_(torch.randn(parameter.shape))
        average.update_parameters(model)
        values = lambda module: [parameter.ravel().tolist() for parameter in module.parameters()]
        steps.append({"parameters": values(model), "averages": values(average.module)})
    return {"shapes": [list(parameter.shape) for parameter in model.parameters()], "decay": 0.8, "steps": steps}


FAMILIES = {"init": init, "truncated": truncated, "reprs": reprs, "oneCycles": one_cycles, "plateaus": plateaus, "averages": averages}

if __name__ == "__main__":
    target = pathlib.Path(__file__).with_suffix(".json")
    target.write_text(json.dumps({name: make() for name, make in FAMILIES.items()}) + "\n")
