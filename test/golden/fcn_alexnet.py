"""FCN-AlexNet of Shelhamer et al. on CaffeNet, at a small width, written from the layer table of the reference implementation.

Two groups in conv2, conv4 and conv5, pools before the normalisation across channels, ceil mode, pad 100, deconvolution 63/32 without
bias, crop by 18.
"""
import json
import pathlib

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import fcn_vgg
import hash_values as hv
from recorder import write_safetensors

WIDTH_MULTIPLIER = 0.05
# Pixels as Caffe has them, of some hundred: below that the normalisation hardly differs from 1.
IMAGE_SCALE = 64
OPTIONS = {"lr": 1e-4, "momentum": 0.9, "weightDecay": 5e-4}
WATCHED = ["conv1.weight", "conv2.weight", "conv2.bias", "conv4.weight", "conv5.bias", "fc6.bias", "fc7.bias", "score_fr.weight", "score_fr.bias"]


def scaled(channels):
    return 2 * max(1, round(channels / 2 * WIDTH_MULTIPLIER))


def pool(x):
    return F.max_pool2d(x, 3, 2, ceil_mode=True)


def norm(x):
    """Caffe's formula by itself: x / (1 + alpha / 5 * sum of 5 squares)^0.75."""
    squares = F.pad(x * x, (0, 0, 0, 0, 2, 2))
    total = sum(squares[:, i:i + x.shape[1]] for i in range(5))
    return x / (1 + 1e-4 / 5 * total) ** 0.75


class FcnAlexNet(nn.Module):
    def __init__(self):
        super().__init__()
        c1, c2, c3, c4, c5, c6, c7 = (scaled(c) for c in (96, 256, 384, 384, 256, 4096, 4096))
        self.conv1 = nn.Conv2d(3, c1, 11, stride=4, padding=100)
        self.conv2 = nn.Conv2d(c1, c2, 5, padding=2, groups=2)
        self.conv3 = nn.Conv2d(c2, c3, 3, padding=1)
        self.conv4 = nn.Conv2d(c3, c4, 3, padding=1, groups=2)
        self.conv5 = nn.Conv2d(c4, c5, 3, padding=1, groups=2)
        self.fc6 = nn.Conv2d(c5, c6, 6)
        self.fc7 = nn.Conv2d(c6, c7, 1)
        self.score_fr = nn.Conv2d(c7, fcn_vgg.CLASSES, 1)
        self.upscore = nn.ConvTranspose2d(fcn_vgg.CLASSES, fcn_vgg.CLASSES, 63, stride=32, bias=False)

    def forward(self, x):
        h = norm(pool(F.relu(self.conv1(x))))
        h = norm(pool(F.relu(self.conv2(h))))
        h = F.relu(self.conv4(F.relu(self.conv3(h))))
        h = pool(F.relu(self.conv5(h)))
        h = F.relu(self.fc7(F.relu(self.fc6(h))))
        return fcn_vgg.crop(self.upscore(self.score_fr(h)), 18, x)


def kind_of(name, shape):
    """Small layers behind the backbone keep the logits near 1."""
    small = len(shape) == 4 and name.startswith(("fc", "score"))
    return "quarterHe" if small else fcn_vgg.kind_of(name, shape)


# Both ways in which the published nets were trained, at rates that move this small one: one image a step with the summed loss, and a batch
# of accumulated images with the mean of their mean losses; biases at twice the rate without decay.
REGIMES = {"heavy": {"lr": 1e-9, "momentum": 0.99, "weightDecay": 5e-4, "reduction": "sum", "images": 1},
           "cvpr15": {"lr": 1e-4, "momentum": 0.9, "weightDecay": 5e-4, "reduction": "mean", "images": fcn_vgg.BATCH}}
REGIME_STEPS = 10


def train(dtype, regime):
    """Losses of ten steps, each divided by its images."""
    net = FcnAlexNet().to(dtype)
    for name, tensor in net.state_dict().items():
        shape = list(tensor.shape)
        tensor.copy_(torch.from_numpy(hv.start_value(kind_of(name, shape), f"fcn/{name}", shape)))
    target = hv.labels(fcn_vgg.BATCH, fcn_vgg.HEIGHT, fcn_vgg.WIDTH, fcn_vgg.CLASSES)
    x = torch.from_numpy(hv.image("fcn/image", target, 3)).to(dtype) * IMAGE_SCALE
    y = torch.from_numpy(target).long()
    learned = [(name, p) for name, p in net.named_parameters() if not name.startswith("up")]
    weights, biases = ([p for name, p in learned if name.endswith(ending)] for ending in ("weight", "bias"))
    sgd = torch.optim.SGD([{"params": weights, "weight_decay": regime["weightDecay"]}, {"params": biases, "lr": 2 * regime["lr"]}],
                          lr=regime["lr"], momentum=regime["momentum"])
    losses, count = [], regime["images"]
    for step in range(REGIME_STEPS):
        sgd.zero_grad()
        total = 0.0
        for i in range(count):
            index = (step * count + i) % fcn_vgg.BATCH
            loss = F.cross_entropy(net(x[index:index + 1]), y[index:index + 1], ignore_index=255, reduction=regime["reduction"]) / count
            loss.backward()
            total += float(loss)
        losses.append(total)
        sgd.step()
    return losses


def regimes():
    result = {}
    for name, regime in REGIMES.items():
        double, single = train(torch.float64, regime), train(torch.float32, regime)
        drift = np.max(np.abs(np.array(single) / np.array(double) - 1))
        print(f"fcn_alexnet {name} {np.round(double, 5).tolist()} float32 drift {drift:.1e}")
        assert drift < 1e-5 and double[-1] < double[0]
        result[name] = {**regime, "losses": double}
    return result


def write(folder: pathlib.Path):
    result, single = (fcn_vgg.run(FcnAlexNet(), dtype, kind_of, IMAGE_SCALE, OPTIONS) for dtype in (torch.float64, torch.float32))
    drift = np.max(np.abs(np.array(single["losses"]) / np.array(result["losses"]) - 1))
    print(f"fcn_alexnet losses {np.round(result['losses'], 5).tolist()} float32 drift {drift:.1e}")
    assert drift < 1e-5 and result["losses"][-1] < result["losses"][0]
    arrays = {"32.logits": result["logits"].float().numpy()}
    arrays.update({f"32.grad.{name}": result["grads"][name].float().numpy() for name in WATCHED})
    net = {"entries": result["entries"], "losses": result["losses"], "gradNorms": {n: float(g.norm()) for n, g in result["grads"].items()}}
    golden = {"classes": fcn_vgg.CLASSES, "batch": fcn_vgg.BATCH, "height": fcn_vgg.HEIGHT, "width": fcn_vgg.WIDTH,
              "widthMultiplier": WIDTH_MULTIPLIER, "imageScale": IMAGE_SCALE, "options": OPTIONS, "nets": {"32": net}, "regimes": regimes()}
    size = write_safetensors(folder / "fcn_alexnet.safetensors", arrays, {"golden": json.dumps(golden, separators=(",", ":"))})
    print(f"{'fcn_alexnet':<28}{size:>13} bytes")
    return size
