"""FPN, Semantic FPN, separate predictions and U-Net on torchvision's ResNets, and the U-Net of Ronneberger et al., narrowed to an
eighth, in evaluation.

The backbone is torchvision's own code, the pyramid torchvision.ops.FeaturePyramidNetwork. Stored are evenly spaced values of each output, its norm and
its range; weights and images come from hash_values.py.
"""
import json
import pathlib
import re
from collections import OrderedDict

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torchvision import models
from torchvision.ops import FeaturePyramidNetwork

import hash_values as hv
from recorder import write_safetensors

CLASSES, NARROW, SAMPLES = 5, 8, 1000
SIZES = [(64, 96), (75, 53), (41, 70)]
LAYERS = ["layer1", "layer2", "layer3", "layer4"]


def narrow_resnet(name):
    """torchvision's backbone with an eighth of the channels: its layers are made again from a narrower stem."""
    net = getattr(models, name)(weights=None)
    block, width, strides = type(net.layer1[0]), 64 // NARROW, (1, 2, 2, 2)
    counts = [len(getattr(net, layer)) for layer in LAYERS]
    net.inplanes, net.conv1, net.bn1 = width, nn.Conv2d(3, width, 7, 2, 3, bias=False), nn.BatchNorm2d(width)
    for i, (layer, count, stride) in enumerate(zip(LAYERS, counts, strides)):
        setattr(net, layer, net._make_layer(block, width * 2 ** i, count, stride=stride))
    del net.fc, net.avgpool
    return net


class Trunk(nn.Module):
    def __init__(self, name):
        super().__init__()
        self.backbone = narrow_resnet(name)
        self.channels = [64 // NARROW * 2 ** i * (1 if name in ("resnet18", "resnet34") else 4) for i in range(4)]

    def features(self, x):
        """The stem at stride 2 and the four stages."""
        found = [self.backbone.relu(self.backbone.bn1(self.backbone.conv1(x)))]
        x = self.backbone.maxpool(found[0])
        for layer in LAYERS:
            x = getattr(self.backbone, layer)(x)
            found.append(x)
        return found


def bilinear(x, like):
    return F.interpolate(x, size=like.shape[2:], mode="bilinear", align_corners=False)


class Fpn(Trunk):
    """The levels summed at the resolution of the finest."""

    def __init__(self, name):
        super().__init__(name)
        self.fpn = FeaturePyramidNetwork(self.channels, 256 // NARROW)
        self.score = nn.Conv2d(256 // NARROW, CLASSES, 1)

    def levels(self, x):
        return list(self.fpn(OrderedDict(enumerate(self.features(x)[1:]))).values())

    def forward(self, x):
        levels = self.levels(x)
        return bilinear(self.score(sum(bilinear(level, levels[0]) for level in levels)), x)


class GroupConv(nn.Conv2d):
    """3x3 without bias, group norm of 4 channels a group (32 groups of 128), ReLU."""

    def __init__(self, inputs, outputs):
        super().__init__(inputs, outputs, 3, padding=1, bias=False)
        self.norm = nn.GroupNorm(outputs // 4, outputs)

    def forward(self, x):
        return F.relu(self.norm(super().forward(x)))


class SemanticFpn(Fpn):
    def __init__(self, name):
        super().__init__(name)
        del self.score
        width = 128 // NARROW
        self.sem_seg_head = nn.ModuleDict({"predictor": nn.Conv2d(width, CLASSES, 1)})
        for i in range(4):
            # Upsampling has the odd places in between.
            steps = {str(2 * k): GroupConv(256 // NARROW if k == 0 else width, width) for k in range(max(1, i))}
            self.sem_seg_head[f"p{i + 2}"] = nn.ModuleDict(steps)

    def forward(self, x):
        levels, total = self.levels(x), 0
        for i, level in enumerate(levels):
            for k, step in enumerate(self.sem_seg_head[f"p{i + 2}"].values()):
                level = step(level)
                level = bilinear(level, levels[i - 1 - k]) if i > 0 else level
            total = total + level
        return bilinear(self.sem_seg_head["predictor"](total), x)


def conv_norm(inputs, outputs):
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())


class Hierarchy(Trunk):
    """A prediction on each stage by itself; the scores are summed at the resolution of the finest."""

    def __init__(self, name):
        super().__init__(name)
        width = 128 // NARROW
        self.heads = nn.ModuleList(
            nn.Sequential(*conv_norm(channels, width), nn.Conv2d(width, CLASSES, 1)) for channels in self.channels
        )

    def forward(self, x):
        scores = [head(level) for head, level in zip(self.heads, self.features(x)[1:])]
        return bilinear(sum(bilinear(score, scores[0]) for score in scores), x)


class Unet(Trunk):
    def __init__(self, name):
        super().__init__(name)
        skips = [*reversed(self.channels[:-1]), 64 // NARROW, 0]
        widths = [width // NARROW for width in (256, 128, 64, 32, 16)]
        blocks, channels = [], self.channels[-1]
        for skip, width in zip(skips, widths):
            blocks.append(nn.ModuleDict({"conv1": conv_norm(channels + skip, width), "conv2": conv_norm(width, width)}))
            channels = width
        self.decoder = nn.ModuleDict({"blocks": nn.ModuleList(blocks)})
        self.segmentation_head = nn.Sequential(nn.Conv2d(channels, CLASSES, 3, padding=1))

    def forward(self, x):
        h, *skips = reversed(self.features(x))
        for block, skip in zip(self.decoder["blocks"], [*skips, None]):
            h = F.interpolate(h, size=(x if skip is None else skip).shape[2:], mode="nearest")
            h = block["conv2"](block["conv1"](h if skip is None else torch.cat([h, skip], 1)))
        return self.segmentation_head(h)


class Double(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.double_conv = nn.Sequential(*conv_norm(inputs, outputs), *conv_norm(outputs, outputs))

    def forward(self, x):
        return self.double_conv(x)


class ClassicUnet(nn.Module):
    def __init__(self, _):
        super().__init__()
        widths = [width // NARROW for width in (64, 128, 256, 512, 1024)]
        self.inc = Double(3, widths[0])
        for i, (wide, wider) in enumerate(zip(widths, widths[1:]), 1):
            setattr(self, f"down{i}", nn.ModuleDict({"maxpool_conv": nn.Sequential(nn.MaxPool2d(2, ceil_mode=True), Double(wide, wider))}))
            up = {"up": nn.ConvTranspose2d(wider, wide, 2, stride=2), "conv": Double(2 * wide, wide)}
            setattr(self, f"up{5 - i}", nn.ModuleDict(up))
        self.outc = nn.ModuleDict({"conv": nn.Conv2d(widths[0], CLASSES, 1)})

    def forward(self, x):
        features = [self.inc(x)]
        for i in range(1, 5):
            features.append(getattr(self, f"down{i}")["maxpool_conv"](features[-1]))
        h = features.pop()
        for i in range(1, 5):
            skip, block = features.pop(), getattr(self, f"up{i}")
            h = block["conv"](torch.cat([skip, block["up"](h)[:, :, :skip.shape[2], :skip.shape[3]]], 1))
        return self.outc["conv"](h)


NETS = {f"{prefix}-{backbone}": (make, backbone) for backbone in ("resnet18", "resnet50")
        for prefix, make in (("fpn", Fpn), ("semantic-fpn", SemanticFpn), ("hierarchy", Hierarchy), ("unet", Unet))}
NETS["unet"] = (ClassicUnet, None)


def kind_of(name, shape, backbone):
    if len(shape) == 4:
        return "he"
    # The end of a residual branch is small, so that sums do not grow.
    if re.search(r"layer\d.*bn3\.weight$" if backbone == "resnet50" else r"layer\d.*bn2\.weight$", name):
        return "quarterScale"
    return "scale" if name.endswith(("weight", "running_var")) else "shift"


def start(net, backbone):
    entries = []
    for name, tensor in net.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        shape = list(tensor.shape)
        entries.append([name, shape, kind_of(name, shape, backbone)])
        tensor.copy_(torch.from_numpy(hv.start_value(entries[-1][2], f"pyramid/{name}", shape)))
    return entries


def record(name, arrays):
    make, backbone = NETS[name]
    net = make(backbone).eval()
    entries, outputs = start(net, backbone), []
    with torch.no_grad():
        for height, width in SIZES:
            x = torch.from_numpy(hv.image("pyramid/image", hv.labels(1, height, width, CLASSES), 3))
            found = {}
            for dtype in (torch.float32, torch.float64):
                net.to(dtype)
                found[dtype] = {"out": net(x.to(dtype))}
                if name.startswith("fpn"):
                    found[dtype].update({f"p{i + 2}": level for i, level in enumerate(net.levels(x.to(dtype)))})
            for head, value in found[torch.float64].items():
                spread = float(value.max() - value.min())
                drift = float((found[torch.float32][head].double() - value).abs().max()) / spread
                # The 2e-5 of the test means something only while float32 itself stays far below.
                assert drift < 5e-6, (name, head, drift)
                flat = value.flatten().numpy()
                count = SAMPLES if head == "out" else SAMPLES // 4
                step = max(1, len(flat) // count)
                arrays[f"{name}.{height}x{width}.{head}"] = flat[::step].astype(np.float32)
                outputs.append({"head": head, "height": height, "width": width, "shape": list(value.shape), "step": step,
                                "range": spread, "norm": float(value.norm())})
                print(f"{name} {height}x{width} {head} {list(value.shape)} range {spread:.3g} float32 drift {drift:.1e}")
    return {"entries": entries, "outputs": outputs}


def write(folder: pathlib.Path):
    arrays = {}
    nets = {name: record(name, arrays) for name in NETS}
    golden = {"classes": CLASSES, "narrow": NARROW, "nets": nets}
    size = write_safetensors(folder / "pyramid_nets.safetensors", arrays, {"golden": json.dumps(golden, separators=(",", ":"))})
    print(f"{'pyramid_nets':<28}{size:>13} bytes")
    return size
