"""FCN-32s on BVLC's GoogLeNet, at a small width, written from table 1 of Szegedy et al. 2014 and the layer names of the Caffe model.

Padding of the classifier, 3x3 pools of stride 2 in ceil mode, normalisation across channels around the second convolution, no
average pool, deconvolution 63/32 without bias, crop by 1.
"""
import json
import pathlib

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import fcn_vgg
from fcn_alexnet import IMAGE_SCALE, norm, pool
from recorder import write_safetensors

WIDTH_MULTIPLIER = 0.25
OPTIONS = {"lr": 2e-3, "momentum": 0.9, "weightDecay": 5e-4}
BLOCKS = [("3a", 64, 96, 128, 16, 32, 32), ("3b", 128, 128, 192, 32, 96, 64), ("4a", 192, 96, 208, 16, 48, 64),
          ("4b", 160, 112, 224, 24, 64, 64), ("4c", 128, 128, 256, 24, 64, 64), ("4d", 112, 144, 288, 32, 64, 64),
          ("4e", 256, 160, 320, 32, 128, 128), ("5a", 256, 160, 320, 32, 128, 128), ("5b", 384, 192, 384, 48, 128, 128)]
WATCHED = ["conv1/7x7_s2.weight", "conv2/3x3.weight", "inception_3a/5x5.weight", "inception_4c/3x3.bias", "inception_5b/pool_proj.weight",
           "score_fr.weight"]


def scaled(channels):
    return max(1, round(channels * WIDTH_MULTIPLIER))


class FcnGoogLeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer("conv1/7x7_s2", 3, scaled(64), 7, stride=2, padding=3)
        self.layer("conv2/3x3_reduce", scaled(64), scaled(64), 1)
        self.layer("conv2/3x3", scaled(64), scaled(192), 3, padding=1)
        channels = scaled(192)
        for block, *widths in BLOCKS:
            one, reduce3, three, reduce5, five, project = (scaled(width) for width in widths)
            name = f"inception_{block}"
            self.layer(f"{name}/1x1", channels, one, 1)
            self.layer(f"{name}/3x3_reduce", channels, reduce3, 1)
            self.layer(f"{name}/3x3", reduce3, three, 3, padding=1)
            self.layer(f"{name}/5x5_reduce", channels, reduce5, 1)
            self.layer(f"{name}/5x5", reduce5, five, 5, padding=2)
            self.layer(f"{name}/pool_proj", channels, project, 1)
            channels = one + three + five + project
        self.layer("score_fr", channels, fcn_vgg.CLASSES, 1)
        self.upscore = nn.ConvTranspose2d(fcn_vgg.CLASSES, fcn_vgg.CLASSES, 63, stride=32, bias=False)

    def layer(self, name, inputs, outputs, kernel, **window):
        self.add_module(name, nn.Conv2d(inputs, outputs, kernel, **window))

    def conv(self, name, x):
        return F.relu(getattr(self, name)(x))

    def forward(self, x):
        h = norm(pool(self.conv("conv1/7x7_s2", x)))
        h = pool(norm(self.conv("conv2/3x3", self.conv("conv2/3x3_reduce", h))))
        for block, *_ in BLOCKS:
            if block in ("4a", "5a"):
                h = pool(h)
            name = f"inception_{block}"
            h = torch.cat([self.conv(f"{name}/1x1", h),
                           self.conv(f"{name}/3x3", self.conv(f"{name}/3x3_reduce", h)),
                           self.conv(f"{name}/5x5", self.conv(f"{name}/5x5_reduce", h)),
                           self.conv(f"{name}/pool_proj", F.max_pool2d(h, 3, 1, 1))], dim=1)
        return fcn_vgg.crop(self.upscore(self.score_fr(h)), 1, x)


def kind_of(name, shape):
    return "quarterHe" if name in ("score_fr.weight", "conv2/3x3.weight", "conv2/3x3_reduce.weight") else fcn_vgg.kind_of(name, shape)


def write(folder: pathlib.Path):
    result, single = (fcn_vgg.run(FcnGoogLeNet(), dtype, kind_of, IMAGE_SCALE, OPTIONS) for dtype in (torch.float64, torch.float32))
    drift = np.max(np.abs(np.array(single["losses"]) / np.array(result["losses"]) - 1))
    print(f"fcn_googlenet losses {np.round(result['losses'], 5).tolist()} float32 drift {drift:.1e}")
    assert drift < 1e-5 and result["losses"][-1] < result["losses"][0]
    arrays = {"32.logits": result["logits"].float().numpy()}
    arrays.update({f"32.grad.{name}": result["grads"][name].float().numpy() for name in WATCHED})
    net = {"entries": result["entries"], "losses": result["losses"], "gradNorms": {n: float(g.norm()) for n, g in result["grads"].items()}}
    golden = {"classes": fcn_vgg.CLASSES, "batch": fcn_vgg.BATCH, "height": fcn_vgg.HEIGHT, "width": fcn_vgg.WIDTH,
              "widthMultiplier": WIDTH_MULTIPLIER, "imageScale": IMAGE_SCALE, "options": OPTIONS, "nets": {"32": net}}
    size = write_safetensors(folder / "fcn_googlenet.safetensors", arrays, {"golden": json.dumps(golden, separators=(",", ":"))})
    print(f"{'fcn_googlenet':<28}{size:>13} bytes")
    return size
