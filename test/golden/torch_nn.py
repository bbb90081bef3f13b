"""What torch.nn and torch.optim give: ranges of initial values, and modules as they print.

`/usr/bin/python3 torch_nn.py` writes torch_nn.json.
"""
import json
import pathlib

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
        "empty": nn.Sequential()}
    return {name: repr(module) for name, module in modules.items()}


FAMILIES = {"init": init, "reprs": reprs}

if __name__ == "__main__":
    target = pathlib.Path(__file__).with_suffix(".json")
    target.write_text(json.dumps({name: make() for name, make in FAMILIES.items()}) + "\n")
