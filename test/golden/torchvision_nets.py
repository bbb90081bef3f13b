"""Outputs of torchvision's own nets in evaluation, from state dicts that a hash gives.

Stored are about SAMPLES evenly spaced values of each output, its norm and its range; weights and images come from hash_values.py.
"""
import functools
import json
import pathlib
import re

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torchvision import models

import hash_values as hv
from recorder import write_safetensors

CLASSES, SAMPLES = 5, 1500
SIZES = [(64, 64), (75, 53), (97, 130)]
# For nets without padding, which need a larger image.
LARGER = [(96, 96), (75, 111), (97, 130)]


def resnet_features(net, x):
    x = net.maxpool(net.relu(net.bn1(net.conv1(x))))
    return net.layer4(net.layer3(net.layer2(net.layer1(x))))


def chain(*names):
    def forward(net, x):
        for name in names:
            x = getattr(net, name)(x)
        return x
    return forward


GOOGLENET = chain("conv1", "maxpool1", "conv2", "conv3", "maxpool2", "inception3a", "inception3b", "maxpool3", "inception4a", "inception4b",
                  "inception4c", "inception4d", "inception4e", "maxpool4", "inception5a", "inception5b")
INCEPTION = chain("Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "maxpool1", "Conv2d_3b_1x1", "Conv2d_4a_3x3", "maxpool2", "Mixed_5b",
                  "Mixed_5c", "Mixed_5d", "Mixed_6a", "Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e", "Mixed_7a", "Mixed_7b", "Mixed_7c")
PLAIN = {"weights": None}


class SameConv2d(nn.Conv2d):
    """A convolution with TensorFlow's padding "SAME": the odd zero is behind the image."""

    def forward(self, x):
        pads = []
        for size, kernel, stride in reversed(list(zip(x.shape[2:], self.kernel_size, self.stride))):
            total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
            pads += [total // 2, total - total // 2]
        return F.conv2d(F.pad(x, pads), self.weight, self.bias, self.stride, 0, self.dilation, self.groups)


def mobilenet_v2_same(weights):
    """MobileNetV2 as Keras has it: SAME padding and batch norm with eps 1e-3."""
    net = models.mobilenet_v2(weights=weights, norm_layer=functools.partial(nn.BatchNorm2d, eps=1e-3))
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            module.__class__ = SameConv2d
    return net


FCN = {"weights": None, "weights_backbone": None, "num_classes": CLASSES, "aux_loss": True}

# Constructor, its arguments, forward pass, input sizes, and the layers that end a residual branch: small, so that sums do not grow.
NETS = {
    "vgg16": (models.vgg16, PLAIN, chain("features"), SIZES, None),
    "alexnet": (models.alexnet, PLAIN, chain("features"), LARGER, None),
    "resnet18": (models.resnet18, PLAIN, resnet_features, SIZES, r"bn2\.weight$"),
    "googlenet": (models.googlenet, {"weights": None, "aux_logits": False, "init_weights": False}, GOOGLENET, SIZES, None),
    "mobilenet_v2": (models.mobilenet_v2, PLAIN, chain("features"), SIZES, r"conv\.[23]\.weight$"),
    "mobilenet_v2_same": (mobilenet_v2_same, PLAIN, chain("features"), SIZES, r"conv\.[23]\.weight$"),
    "inception_v3": (models.inception_v3, {"weights": None, "aux_logits": False, "init_weights": False}, INCEPTION, LARGER, None),
    "fcn_resnet50": (models.segmentation.fcn_resnet50, FCN, lambda net, x: net(x), SIZES, r"bn3\.weight$"),
    "fcn_resnet101": (models.segmentation.fcn_resnet101, FCN, lambda net, x: net(x), SIZES[1:2], r"bn3\.weight$"),
}


def kind_of(name, shape, branch_end):
    if len(shape) == 4:
        return "he"
    if branch_end and re.search(branch_end, name):
        return "quarterScale"
    return "scale" if name.endswith("running_var") or (name.endswith("weight")) else "shift"


def start(net, branch_end, heads):
    """Fills the net and returns [name, shape, kind] of each entry that the forward pass reads."""
    entries = []
    for name, tensor in net.state_dict().items():
        unused = not heads and name.split(".")[0] in ("fc", "classifier")
        if unused or name.endswith("num_batches_tracked"):
            continue
        shape = list(tensor.shape)
        kind = kind_of(name, shape, branch_end)
        entries.append([name, shape, kind])
        tensor.copy_(torch.from_numpy(hv.start_value(kind, f"tv/{name}", shape)))
    return entries


def spread(values):
    return float(values.max() - values.min())


def record(name):
    make, arguments, forward, sizes, branch_end = NETS[name]
    net = make(**arguments).eval()
    entries = start(net, branch_end, name.startswith("fcn"))
    arrays, outputs = {}, []
    with torch.no_grad():
        for height, width in sizes:
            x = torch.from_numpy(hv.image("tv/image", hv.labels(1, height, width, CLASSES), 3))
            single, double = forward(net.float(), x), forward(net.double(), x.double())
            heads = double if isinstance(double, dict) else {"out": double}
            for head, value in heads.items():
                other = single[head] if isinstance(single, dict) else single
                drift = float((other.double() - value).abs().max()) / spread(value)
                # The 2e-5 of the test means something only while float32 itself stays far below.
                assert drift < 5e-6, (name, head, drift)
                flat = value.flatten().numpy()
                step = max(1, len(flat) // SAMPLES)
                arrays[f"{name}.{height}x{width}.{head}"] = flat[::step].astype(np.float32)
                outputs.append({"head": head, "height": height, "width": width, "shape": list(value.shape), "step": step,
                                "range": spread(value), "norm": float(value.norm())})
                print(f"{name} {height}x{width} {head} {list(value.shape)} range {spread(value):.3g} float32 drift {drift:.1e}")
    return arrays, {"entries": entries, "outputs": outputs}


def write(folder: pathlib.Path):
    arrays, nets = {}, {}
    for name in NETS:
        samples, nets[name] = record(name)
        arrays.update(samples)
    golden = {"classes": CLASSES, "nets": nets}
    size = write_safetensors(folder / "torchvision_nets.safetensors", arrays, {"golden": json.dumps(golden, separators=(",", ":"))})
    print(f"{'torchvision_nets':<28}{size:>13} bytes")
    return size
