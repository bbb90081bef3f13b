"""DeepLabV3, LR-ASPP and MobileNetV3 of torchvision itself, at full width, from state dicts that a hash gives.

Of each net there are outputs in evaluation, and of some one training pass: outputs with the statistics of the batch, the loss, the
gradients of all parameters and the running statistics after it. Dropout is left out, because its draws differ. Stored are evenly
spaced values, norms and ranges; weights and images come from hash_values.py.
"""
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

CLASSES, SAMPLES = 5, 1000
SIZES = [(64, 64), (75, 53), (97, 130)]
# Three images, so that the average over each image, of which batch norm sees one value an image, has a variance worth the name.
TRAINING = {"batch": 3, "height": 65, "width": 49}
segmentation = models.segmentation
BARE = {"weights": None, "weights_backbone": None, "num_classes": CLASSES}
WITH_AUX = {**BARE, "aux_loss": True}

# Constructor, its arguments, sizes in evaluation, whether it is trained, and the norms that end a residual branch: small, so that sums
# do not grow.
NETS = {
    "mobilenet_v3_large": (lambda **given: models.mobilenet_v3_large(**given).features, {"weights": None}, SIZES, False, None),
    "deeplabv3_mobilenet_v3_large": (segmentation.deeplabv3_mobilenet_v3_large, WITH_AUX, SIZES, True, None),
    "lraspp_mobilenet_v3_large": (segmentation.lraspp_mobilenet_v3_large, BARE, SIZES, True, None),
    "deeplabv3_resnet50": (segmentation.deeplabv3_resnet50, WITH_AUX, SIZES[1:2], True, r"bn3\.weight$"),
    "deeplabv3_resnet101": (segmentation.deeplabv3_resnet101, WITH_AUX, SIZES[1:2], False, r"bn3\.weight$"),
}
# Of these parameters, single values of the gradient are kept too; of all the norm is.
SAMPLED = [
    "backbone.0.0.weight", "backbone.4.block.1.0.weight", "backbone.4.block.2.fc1.weight", "backbone.4.block.2.fc2.bias",
    "backbone.13.block.1.0.weight", "backbone.16.1.weight", "backbone.conv1.weight", "backbone.layer4.2.conv2.weight",
    "classifier.0.convs.0.0.weight", "classifier.0.convs.2.0.weight", "classifier.0.convs.4.1.weight", "classifier.0.project.1.weight",
    "classifier.4.bias", "aux_classifier.0.weight", "classifier.cbr.0.weight", "classifier.scale.1.weight",
    "classifier.low_classifier.weight", "classifier.high_classifier.weight",
]


def kind_of(name, shape, branch_end):
    if len(shape) == 4:
        return "he"
    if branch_end and re.search(branch_end, name):
        return "quarterScale"
    return "scale" if name.endswith(("weight", "running_var")) else "shift"


def start(net, branch_end):
    """Fills the net and returns [name, shape, kind] of each entry that the forward pass reads."""
    entries = []
    for name, tensor in net.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        shape = list(tensor.shape)
        entries.append([name, shape, kind_of(name, shape, branch_end)])
        tensor.copy_(torch.from_numpy(hv.start_value(entries[-1][2], f"dl/{name}", shape)))
    return entries


def heads_of(output):
    return output if isinstance(output, dict) else {"out": output}


class Recorder:
    """Keeps what float64 gives, and stops if PyTorch's own float32 is further from it than a quarter of the test's tolerance."""

    def __init__(self):
        self.arrays = {}

    def keep(self, key, double, single, tolerance, most=SAMPLES):
        spread = float(double.max() - double.min()) or float(double.abs().max())
        drift = float((single.double() - double).abs().max()) / spread
        assert drift < tolerance / 4, (key, drift)
        flat = double.detach().flatten().numpy()
        step = max(1, len(flat) // most)
        self.arrays[key] = flat[::step].astype(np.float32)
        return {"shape": list(double.shape), "step": step, "range": spread, "norm": float(double.norm())}, drift


def evaluate(name, net, sizes, recorder):
    outputs = []
    for height, width in sizes:
        x = torch.from_numpy(hv.image("dl/image", hv.labels(1, height, width, CLASSES), 3))
        with torch.no_grad():
            single, double = (heads_of(net.to(dtype)(x.to(dtype))) for dtype in (torch.float32, torch.float64))
        for head, value in double.items():
            summary, drift = recorder.keep(f"{name}.{height}x{width}.{head}", value, single[head], 2e-5)
            outputs.append({"head": head, "height": height, "width": width, **summary})
            print(f"{name} {height}x{width} {head} {list(value.shape)} float32 drift {drift:.1e}")
    return outputs


def training_pass(net, dtype, branch_end):
    """Outputs, loss, gradients and running statistics of one pass from the start."""
    net.float()
    with torch.no_grad():
        start(net, branch_end)
    net.to(dtype).train()
    for module in net.modules():
        if isinstance(module, nn.Dropout):
            module.eval()
    net.zero_grad(set_to_none=True)
    target = hv.labels(TRAINING["batch"], TRAINING["height"], TRAINING["width"], CLASSES)
    heads = heads_of(net(torch.from_numpy(hv.image("dl/training", target, 3)).to(dtype)))
    wanted = torch.from_numpy(target.astype(np.int64))
    losses = {head: F.cross_entropy(logits, wanted, ignore_index=255) for head, logits in heads.items()}
    loss = losses["out"] + 0.5 * losses.get("aux", 0.0)
    loss.backward()
    gradients = {name: parameter.grad.clone() for name, parameter in net.named_parameters()}
    running = {name: value.clone() for name, value in net.state_dict().items() if "running" in name}
    return {head: logits.detach() for head, logits in heads.items()}, float(loss), gradients, running


def train(name, net, branch_end, recorder):
    single, double = (training_pass(net, dtype, branch_end) for dtype in (torch.float32, torch.float64))
    assert abs(single[1] / double[1] - 1) < 2.5e-6, (name, single[1], double[1])
    outputs = {}
    for head, value in double[0].items():
        outputs[head], drift = recorder.keep(f"{name}.training.{head}", value, single[0][head], 2e-4)
        print(f"{name} training {head} float32 drift {drift:.1e}")
    norms = {parameter: float(gradient.norm()) for parameter, gradient in double[2].items()}
    # The gradient of a shift that the next batch norm takes out again is zero, and in float32 a rounding.
    least = 1e-4 * max(norms.values())
    drifts = {parameter: float((single[2][parameter].double() - gradient).norm()) / max(least, norms[parameter])
              for parameter, gradient in double[2].items()}
    # Where float32 falls on the other side of a kink of ReLU or of max-pooling, gradients before it change by more than roundings.
    tolerance = 4 * max(drifts.values())
    assert tolerance < 0.04, (name, max(drifts, key=drifts.get))
    sampled = {}
    for parameter in (known for known in SAMPLED if known in norms):
        key = f"{name}.gradient.{parameter}"
        sampled[parameter], _ = recorder.keep(key, double[2][parameter], single[2][parameter], 4 * tolerance, 200)
    running = {}
    for key in list(double[3])[:2] + list(double[3])[-2:]:
        running[key], _ = recorder.keep(f"{name}.running.{key}", double[3][key], single[3][key], 2e-5, 64)
    print(f"{name} training loss {double[1]:.4f}, worst drift of a gradient {tolerance / 4:.1e}")
    return {**TRAINING, "loss": double[1], "tolerance": tolerance, "outputs": outputs, "norms": norms, "gradients": sampled,
            "running": running}


def record(name, recorder):
    make, arguments, sizes, is_trained, branch_end = NETS[name]
    net = make(**arguments).eval()
    with torch.no_grad():
        entries = start(net, branch_end)
    recorded = {"entries": entries, "outputs": evaluate(name, net, sizes, recorder)}
    return {**recorded, **({"training": train(name, net, branch_end, recorder)} if is_trained else {})}


def write(folder: pathlib.Path):
    recorder = Recorder()
    golden = {"classes": CLASSES, "nets": {name: record(name, recorder) for name in NETS}}
    size = write_safetensors(folder / "deeplab_nets.safetensors", recorder.arrays, {"golden": json.dumps(golden, separators=(",", ":"))})
    print(f"{'deeplab_nets':<28}{size:>13} bytes")
    return size
