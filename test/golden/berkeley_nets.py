"""The VGG16 nets of Shelhamer et al. at a small width, as plain functions on a dict of weights, written from their layer tables.

Logits of every variant; gradients and ten steps in both learning regimes of the four main nets. Weights and images come from
hash_values.py; stored are norms and evenly spaced samples.
"""
import json
import pathlib

import numpy as np
import torch
import torch.nn.functional as F

import hash_values as hv
from recorder import write_safetensors

CLASSES, GEOMETRIC, WIDTH_MULTIPLIER, STEPS = 5, 3, 0.03, 10
SIZES = [(45, 61), (33, 40), (52, 35)]
LOGITS, SAMPLES = 1200, 12
DEPTHS = {1: (64, 2), 2: (128, 2), 3: (256, 3), 4: (512, 3), 5: (512, 3)}
# Bias learning rate doubled without decay in both. Heavy: one image a step, summed loss. CVPR 2015: images accumulated, mean loss.
REGIMES = {"heavy": {"lr": 2e-6, "momentum": 0.99, "weightDecay": 5e-4, "reduction": "sum", "images": 1},
           "cvpr15": {"lr": 2e-3, "momentum": 0.9, "weightDecay": 5e-4, "reduction": "mean", "images": 2}}
CHANNELS = {"rgbd": 4, "hha": 6}

MAIN = [("fcn32s-vgg16", {}), ("fcn16s-vgg16", {}), ("fcn8s-vgg16", {}), ("fcn8s-atonce-vgg16", {})]
OTHERS = [("fcn32s-vgg16-rgbd", {}), ("fcn16s-vgg16-rgbd", {}), ("fcn8s-vgg16-rgbd", {}), ("fcn32s-vgg16-hha", {}),
          ("fcn16s-vgg16-hha", {}), ("fcn8s-vgg16-hha", {}),
          ("fcn32s-vgg16-siftflow", {}), ("fcn16s-vgg16-siftflow", {}), ("fcn8s-vgg16-siftflow", {}),
          ("fcn8s-vgg16", {"fusion": "max"}), ("fcn32s-vgg16", {"backboneStride": 16}),
          ("fcn32s-vgg16", {"backboneStride": 16, "dilate": False}), ("fcn8s-vgg16", {"backboneStride": 16}),
          ("fcn32s-vgg16", {"backboneStride": 8, "padding": 110})]
# Offset of the last crop at padding 100, by the stride of the head and of the backbone and whether the backbone dilates. A pool of stride 1 moves the
# centres by half a cell, fc6 by 3 cells, twice or four times that when dilated.
LAST_CROP = {(32, 32, True): 19, (16, 32, True): 27, (8, 32, True): 31, (32, 16, True): 3, (8, 16, True): 7, (32, 8, True): -5, (32, 16, False): 51}
# float32 may be off by: a loss and a gradient relatively; a movement by a share of itself and the roundings of the weight at each step.
BUDGET = {"loss": 1e-5, "gradient": 5e-5, "moved": 5e-4, "weight": 2 * STEPS ** 0.5 * 2.0 ** -23}


def scaled(channels):
    return max(1, round(channels * WIDTH_MULTIPLIER))


def parse(model, options):
    stride = int(model[3:5].rstrip("s"))
    variant = model.split("-")[-1]
    heads = {"sem": ("_sem", CLASSES), "geo": ("_geo", GEOMETRIC)} if variant == "siftflow" else {"out": ("", CLASSES)}
    return {"stride": stride, "variant": variant, "heads": heads, "channels": CHANNELS.get(variant, 3),
            "scales": (0.01, 0.0001) if "atonce" in model else (1, 1), "max": options.get("fusion") == "max",
            "backbone": options.get("backboneStride", 32), "dilate": options.get("dilate", True), "padding": options.get("padding", 100)}


def skips(net):
    return [pool for pool, stride in ((4, 16), (3, 8)) if net["stride"] <= stride < net["backbone"]]


def kind_of(name):
    if name.startswith("up"):
        return "bilinear"
    if name.endswith("bias"):
        return "shift"
    return "quarterHe" if name.startswith("score") else "he"


def entries(net):
    """[name, shape, kind] of every weight."""
    found = []

    def conv(name, inputs, outputs, kernel):
        found.extend([[f"{name}.weight", [outputs, inputs, kernel, kernel]], [f"{name}.bias", [outputs]]])
        return outputs

    for suffix in ("color", "hha") if net["variant"] == "hha" else ("",):
        channels = 3 if suffix else net["channels"]
        for block, (width, count) in DEPTHS.items():
            for i in range(1, count + 1):
                channels = conv(first_name(net) if (block, i) == (1, 1) and not suffix else f"conv{block}_{i}{suffix}", channels, scaled(width), 3)
        channels = conv(f"fc7{suffix}", conv(f"fc6{suffix}", channels, scaled(4096), 7), scaled(4096), 1)
        if suffix:
            conv(f"score_fr{suffix}", channels, CLASSES, 1)
            for pool in skips(net):
                conv(f"score_pool{pool}{suffix}", scaled(DEPTHS[pool][0]), CLASSES, 1)
    for suffix, classes in net["heads"].values():
        if net["variant"] != "hha":
            conv(f"score_fr{suffix}", scaled(4096), classes, 1)
            for pool in skips(net):
                conv(f"score_pool{pool}{suffix}", scaled(DEPTHS[pool][0]), classes, 1)
        for name, kernel, _ in deconvolutions(net):
            found.append([f"{name}{suffix}.weight", [classes, classes, kernel, kernel]])
    return [[name, shape, kind_of(name)] for name, shape in found]


def deconvolutions(net):
    """Name, kernel and stride of each, the last one to the image."""
    used = skips(net)
    names = ["upscore2" if i == 0 else f"upscore_pool{used[i - 1]}" for i in range(len(used))]
    factor = {(): net["backbone"], (4,): 16, (4, 3): 8, (3,): 8}[tuple(used)]
    return [(name, 4, 2) for name in names] + [(f"upscore{factor}" if used else "upscore", 2 * factor, factor)]


def first_name(net):
    return "conv1_1_bgrd" if net["variant"] == "rgbd" else "conv1_1"


def conv(w, name, x, padding=0, dilation=1):
    return F.conv2d(x, w[f"{name}.weight"], w[f"{name}.bias"], padding=padding * dilation, dilation=dilation)


def backbone(w, net, x, suffix=""):
    """The five pools by number, and fc7."""
    pools, dilation = {}, 1
    for block, (_, count) in DEPTHS.items():
        for i in range(1, count + 1):
            first = (block, i) == (1, 1)
            name = first_name(net) if first and not suffix else f"conv{block}_{i}{suffix}"
            x = F.relu(conv(w, name, x, net["padding"] if first else 1, dilation))
        stride = 1 if 2 ** block > net["backbone"] else 2
        x = pools[block] = F.max_pool2d(x, 2, stride, dilation=dilation, ceil_mode=True)
        dilation *= 2 if stride == 1 and net["dilate"] else 1
    return pools, F.relu(conv(w, f"fc7{suffix}", F.relu(conv(w, f"fc6{suffix}", x, 0, dilation))))


def cut(x, offset, like):
    return x[:, :, offset:offset + like.shape[2], offset:offset + like.shape[3]]


def head(w, net, image, pools, score, suffix, backbone_suffix=""):
    offsets = {4: 5, 3: 9 if net["backbone"] == 32 else 12}
    *ups, (last, _, factor) = deconvolutions(net)
    for (name, _, _), pool in zip(ups, skips(net)):
        score = F.conv_transpose2d(score, w[f"{name}{suffix}.weight"], stride=2)
        skip = conv(w, f"score_pool{pool}{backbone_suffix}{suffix}", pools[pool] * net["scales"][4 - pool])
        skip = cut(skip, offsets[pool], score)
        score = torch.maximum(score, skip) if net["max"] else score + skip
    offset = LAST_CROP[net["stride"], net["backbone"], net["dilate"]] + net["padding"] - 100
    return cut(F.conv_transpose2d(score, w[f"{last}{suffix}.weight"], stride=factor), offset, image)


def forward(w, net, x):
    if net["variant"] == "hha":
        # The mean of two nets that share their upsampling: all behind the scores is linear.
        streams = [(s, *backbone(w, net, part, s)) for s, part in zip(("color", "hha"), (x[:, :3], x[:, 3:]))]
        color, hha = (head(w, net, x, pools, conv(w, f"score_fr{s}", top), "", s) for s, pools, top in streams)
        return {"out": 0.5 * color + 0.5 * hha}
    pools, top = backbone(w, net, x)
    return {name: head(w, net, x, pools, conv(w, f"score_fr{suffix}", top), suffix) for name, (suffix, _) in net["heads"].items()}


def start(net, dtype):
    return {name: torch.from_numpy(hv.start_value(kind, f"berkeley/{name}", shape)).to(dtype) for name, shape, kind in entries(net)}


def image(net, index, dtype):
    height, width = SIZES[index]
    target = hv.labels(1, height, width, CLASSES)
    return torch.from_numpy(hv.image(f"berkeley/image{index}", target, net["channels"])).to(dtype), torch.from_numpy(target).long()


def loss_of(w, net, index, dtype, reduction):
    x, y = image(net, index, dtype)
    return F.cross_entropy(forward(w, net, x)["out"], y, ignore_index=255, reduction=reduction)


def gradients(net, dtype):
    """Of the mean loss of the first image, upsampling included."""
    w = {name: value.requires_grad_() for name, value in start(net, dtype).items()}
    loss_of(w, net, 0, dtype, "mean").backward()
    return {name: value.grad for name, value in w.items()}


def train(net, dtype, regime):
    """Losses of the steps (a mean over their images) and how far each weight moved."""
    w = start(net, dtype)
    before = {name: value.clone() for name, value in w.items()}
    learned = {name: value.requires_grad_() for name, value in w.items() if not name.startswith("up")}
    biases = [value for name, value in learned.items() if name.endswith("bias")]
    weights = [value for name, value in learned.items() if name.endswith("weight")]
    sgd = torch.optim.SGD([{"params": weights, "weight_decay": regime["weightDecay"]}, {"params": biases, "lr": 2 * regime["lr"]}],
                          lr=regime["lr"], momentum=regime["momentum"])
    losses, count = [], regime["images"]
    for step in range(STEPS):
        sgd.zero_grad()
        total = 0.0
        for i in range(count):
            loss = loss_of(w, net, (step * count + i) % len(SIZES), dtype, regime["reduction"]) / count
            loss.backward()
            total += float(loss)
        sgd.step()
        losses.append(total)
    moved = {name: w[name].detach() - before[name] for name in learned}
    return losses, moved, {name: float(before[name].norm()) for name in learned}


def sample(tensor, count):
    flat = tensor.detach().flatten()
    return flat[::max(1, -(-len(flat) // count))]


def summary(tensors):
    """Norms by name, and the samples of all in one array."""
    samples = np.concatenate([sample(t, SAMPLES).float().numpy() for t in tensors.values()])
    return {name: float(t.norm()) for name, t in tensors.items()}, samples


def used(single, double, share, slack=None):
    """The largest part of its budget that the error of any tensor takes, as norms."""
    return max(float((single[n].double() - double[n]).norm() / (share * double[n].norm() + (slack[n] if slack else 0))) for n in double)


def logits_case(model, options, arrays):
    net = parse(model, options)
    key = model + "".join(f",{name}={value}" for name, value in options.items())
    outputs = {}
    for dtype in (torch.float64, torch.float32):
        outputs[dtype] = forward(start(net, dtype), net, image(net, 0, dtype)[0])
    heads = {}
    for name, value in outputs[torch.float64].items():
        spread = float(value.max() - value.min())
        drift = float((outputs[torch.float32][name].double() - value).abs().max()) / spread
        assert drift < 2e-6 and spread > 0.1, (key, name, drift, spread)
        arrays[f"{key}.{name}"] = sample(value, LOGITS).float().numpy()
        heads[name] = {"shape": list(value.shape), "range": spread, "norm": float(value.norm())}
        print(f"{key} {name} {list(value.shape)} range {spread:.3g} float32 drift {drift:.1e}")
    return {"key": key, "model": model, "options": options, "channels": net["channels"], "entries": entries(net), "heads": heads}


def training_case(model, arrays):
    net, case = parse(model, {}), {"regimes": {}}
    double, single = gradients(net, torch.float64), gradients(net, torch.float32)
    case["gradNorms"], arrays[f"{model}.grad"] = summary(double)
    parts = {"gradients": used(single, double, BUDGET["gradient"])}
    for name, regime in REGIMES.items():
        losses, moved, sizes = train(net, torch.float64, regime)
        losses32, moved32, _ = train(net, torch.float32, regime)
        norms, arrays[f"{model}.{name}"] = summary(moved)
        case["regimes"][name] = {"losses": losses, "movedNorms": norms, "weightNorms": sizes}
        parts[f"{name} losses"] = float(np.max(np.abs(np.array(losses32) / np.array(losses) - 1))) / BUDGET["loss"]
        parts[f"{name} moved"] = used(moved32, moved, BUDGET["moved"], {n: BUDGET["weight"] * size for n, size in sizes.items()})
        print(f"{model} {name} losses {np.round(losses, 4).tolist()}")
        # Each image is seen again three steps later.
        assert losses[3 if name == "heavy" else -1] < 0.999 * losses[0]
    print(f"{model} float32 uses of its budget " + " ".join(f"{name} {value:.2f}" for name, value in parts.items()))
    assert max(parts.values()) < 0.5, parts
    return case


def write(folder: pathlib.Path):
    arrays, training = {}, {}
    cases = [logits_case(model, options, arrays) for model, options in MAIN + OTHERS]
    for model, _ in MAIN:
        training[model] = training_case(model, arrays)
    golden = {"classes": CLASSES, "geometricClasses": GEOMETRIC, "widthMultiplier": WIDTH_MULTIPLIER, "sizes": SIZES,
              "samples": SAMPLES, "logits": LOGITS, "budget": BUDGET, "regimes": REGIMES, "cases": cases, "training": training}
    size = write_safetensors(folder / "berkeley_nets.safetensors", arrays, {"golden": json.dumps(golden, separators=(",", ":"))})
    print(f"{'berkeley_nets':<28}{size:>13} bytes")
    return size
