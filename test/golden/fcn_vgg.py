"""FCN-32s, 16s and 8s on VGG16 as published by Shelhamer et al., at a small width, written from the layer tables.

Ceil-mode pools, pad 100, fc6 and fc7 as convolutions, dense bilinear deconvolutions without bias, crops by constant offsets.
"""
import json
import pathlib

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import hash_values as hv
from recorder import write_safetensors

CLASSES, BATCH, HEIGHT, WIDTH, STEPS, WIDTH_MULTIPLIER = 5, 2, 45, 61, 3, 0.05
OPTIONS = {"lr": 0.01, "momentum": 0.9, "weightDecay": 5e-4}
TRUNK = [[("conv1_1", 64), ("conv1_2", 64)], [("conv2_1", 128), ("conv2_2", 128)], [("conv3_1", 256), ("conv3_2", 256), ("conv3_3", 256)],
         [("conv4_1", 512), ("conv4_2", 512), ("conv4_3", 512)], [("conv5_1", 512), ("conv5_2", 512), ("conv5_3", 512)]]
WATCHED = ["conv1_1.weight", "conv3_2.bias", "conv5_3.weight", "fc6.bias", "fc7.bias", "score_fr.weight", "score_fr.bias",
           "score_pool4.weight", "score_pool4.bias", "score_pool3.weight", "score_pool3.bias"]


def scaled(channels):
    return max(1, round(channels * WIDTH_MULTIPLIER))


def crop(x, offset, like):
    return x[:, :, offset:offset + like.shape[2], offset:offset + like.shape[3]]


class Fcn(nn.Module):
    def __init__(self, stride):
        super().__init__()
        self.stride, channels = stride, 3
        for block in TRUNK:
            for name, width in block:
                self.add_module(name, nn.Conv2d(channels, scaled(width), 3, padding=100 if name == "conv1_1" else 1))
                channels = scaled(width)
        self.fc6 = nn.Conv2d(channels, scaled(4096), 7)
        self.fc7 = nn.Conv2d(scaled(4096), scaled(4096), 1)
        self.score_fr = nn.Conv2d(scaled(4096), CLASSES, 1)
        up = lambda k, s: nn.ConvTranspose2d(CLASSES, CLASSES, k, stride=s, bias=False)
        if stride == 32:
            self.upscore = up(64, 32)
        else:
            self.score_pool4 = nn.Conv2d(scaled(512), CLASSES, 1)
            self.upscore2 = up(4, 2)
        if stride == 16:
            self.upscore16 = up(32, 16)
        if stride == 8:
            self.score_pool3 = nn.Conv2d(scaled(256), CLASSES, 1)
            self.upscore_pool4 = up(4, 2)
            self.upscore8 = up(16, 8)

    def forward(self, x):
        h, pools = x, []
        for block in TRUNK:
            for name, _ in block:
                h = F.relu(getattr(self, name)(h))
            h = F.max_pool2d(h, 2, 2, ceil_mode=True)
            pools.append(h)
        h = F.relu(self.fc7(F.relu(self.fc6(h))))
        h = self.score_fr(h)
        if self.stride == 32:
            return crop(self.upscore(h), 19, x)
        h = self.upscore2(h)
        h = h + crop(self.score_pool4(pools[3]), 5, h)
        if self.stride == 16:
            return crop(self.upscore16(h), 27, x)
        h = self.upscore_pool4(h)
        h = h + crop(self.score_pool3(pools[2]), 9, h)
        return crop(self.upscore8(h), 31, x)


def kind_of(name, shape):
    return "bilinear" if name.startswith("up") else "he" if len(shape) == 4 else "shift"


def run(net, dtype, kind=kind_of, image_scale=1, options=OPTIONS):
    """Logits, gradients and losses of a net whose fixed layers are called up..."""
    net, entries = net.to(dtype), []
    for name, tensor in net.state_dict().items():
        shape = list(tensor.shape)
        entries.append([name, shape, kind(name, shape)])
        tensor.copy_(torch.from_numpy(hv.start_value(kind(name, shape), f"fcn/{name}", shape)))
    target = hv.labels(BATCH, HEIGHT, WIDTH, CLASSES)
    x = torch.from_numpy(hv.image("fcn/image", target, 3)).to(dtype) * image_scale
    y = torch.from_numpy(target).long()
    sgd = torch.optim.SGD([p for n, p in net.named_parameters() if not n.startswith("up")], lr=options["lr"],
                          momentum=options["momentum"], weight_decay=options["weightDecay"])
    losses, logits, grads = [], None, {}
    for step in range(STEPS + 1):
        out = net(x)
        loss = F.cross_entropy(out, y, ignore_index=255)
        losses.append(float(loss))
        sgd.zero_grad()
        loss.backward()
        if step == 0:
            logits, grads = out.detach(), {n: p.grad.clone() for n, p in net.named_parameters() if not n.startswith("up")}
        sgd.step()
    return {"entries": entries, "losses": losses, "logits": logits, "grads": grads}


def write(folder: pathlib.Path):
    arrays, nets = {}, {}
    for stride in (32, 16, 8):
        result = run(Fcn(stride), torch.float64)
        single = run(Fcn(stride), torch.float32)
        drift = np.max(np.abs(np.array(single["losses"]) / np.array(result["losses"]) - 1))
        print(f"fcn{stride}s losses {np.round(result['losses'], 5).tolist()} float32 drift {drift:.1e}")
        assert drift < 1e-5 and result["losses"][-1] < result["losses"][0]
        arrays[f"{stride}.logits"] = result["logits"].float().numpy()
        for name in WATCHED:
            if name in result["grads"]:
                arrays[f"{stride}.grad.{name}"] = result["grads"][name].float().numpy()
        nets[stride] = {"entries": result["entries"], "losses": result["losses"],
                        "gradNorms": {n: float(g.norm()) for n, g in result["grads"].items()}}
    golden = {"classes": CLASSES, "batch": BATCH, "height": HEIGHT, "width": WIDTH, "widthMultiplier": WIDTH_MULTIPLIER,
              "options": OPTIONS, "nets": nets}
    size = write_safetensors(folder / "fcn_vgg.safetensors", arrays, {"golden": json.dumps(golden, separators=(",", ":"))})
    print(f"{'fcn_vgg':<28}{size:>13} bytes")
    return size
