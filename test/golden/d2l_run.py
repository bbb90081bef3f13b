"""Thirty steps of the training of "Dive into Deep Learning" on a narrow ResNet-18 FCN, on images that a formula gives.

The images are grey and constant on the 8x8 blocks of JPEG, so that every decoder gives the same values; void pixels count as background.
Loss: the sum over the batch of the mean cross-entropy of each image. SGD at 0.001 with weight decay 0.001.
"""
import json
import pathlib

import numpy as np
import torch
from torch import nn
from torchvision.models.resnet import BasicBlock

import d2l
import hash_values as hv

CLASSES, IMAGES, HEIGHT, WIDTH, STEPS, CHANNELS = 21, 4, 64, 96, 30, 16
OPTIONS = {"lr": 1e-3, "weight_decay": 1e-3}
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def stage(inputs, outputs, stride):
    shortcut = None
    if stride > 1 or inputs != outputs:
        shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
    return nn.Sequential(BasicBlock(inputs, outputs, stride, shortcut), BasicBlock(outputs, outputs))


def build():
    """d2l's net with 16 to 128 channels in place of 64 to 512."""
    c = CHANNELS
    stem = [nn.Conv2d(3, c, 7, 2, 3, bias=False), nn.BatchNorm2d(c), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    net = nn.Sequential(*stem, stage(c, c, 1), stage(c, 2 * c, 2), stage(2 * c, 4 * c, 2), stage(4 * c, 8 * c, 2))
    net.add_module("final_conv", nn.Conv2d(8 * c, CLASSES, 1))
    net.add_module("transpose_conv", nn.ConvTranspose2d(CLASSES, CLASSES, 64, padding=16, stride=32))
    return net


def images():
    """uint8 [N, H, W]; the same value on each 8x8 block."""
    n, y, x = np.meshgrid(np.arange(IMAGES), np.arange(HEIGHT) // 8, np.arange(WIDTH) // 8, indexing="ij")
    return ((n * 53 + y * 37 + x * 91 + y * x * 17) % 200 + 28).astype(np.uint8)


def run(dtype):
    net = build().to(dtype)
    entries = d2l.start(net)
    grey = torch.from_numpy(images()).to(dtype)[:, None].expand(-1, 3, -1, -1) / 255
    shape = (1, 3, 1, 1)
    x = (grey - torch.tensor(MEAN, dtype=dtype).reshape(shape)) / torch.tensor(STD, dtype=dtype).reshape(shape)
    target = hv.labels(IMAGES, HEIGHT, WIDTH, CLASSES)
    y = torch.from_numpy(np.where(target == 255, 0, target)).long()
    sgd = torch.optim.SGD(net.parameters(), **OPTIONS)
    net.train()
    losses = []
    for _ in range(STEPS):
        sgd.zero_grad()
        loss = nn.functional.cross_entropy(net(x), y, reduction="none").mean((1, 2)).sum()
        loss.backward()
        sgd.step()
        losses.append(float(loss))
    norms = {name: float(t.double().norm()) for name, t in net.state_dict().items() if not name.endswith("num_batches_tracked")}
    return entries, losses, norms


def write(folder: pathlib.Path):
    entries, losses, norms = run(torch.float64)
    drift = float(np.max(np.abs(np.array(run(torch.float32)[1]) / np.array(losses) - 1)))
    print("d2l_run losses", np.round(losses, 4).tolist(), "relative drift of float32", drift)
    # One step changes the loss by 2e-4 of it; the 1e-5 of the test tells steps apart and is far above rounding.
    assert drift < 2e-6 and losses[-1] < 0.995 * losses[0]
    sizes = {"classes": CLASSES, "images": IMAGES, "height": HEIGHT, "width": WIDTH, "widthMultiplier": CHANNELS / 64}
    golden = {**sizes, "entries": entries, "losses": losses, "norms": norms}
    (folder / "d2l_run.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    write(pathlib.Path(__file__).parent)
