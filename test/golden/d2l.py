"""Twenty steps of SGD on the ResNet-18 FCN of "Dive into Deep Learning", from start values that a hash gives."""
import json
import pathlib

import numpy as np
import torch
import torchvision
from torch import nn

import hash_values as hv
from recorder import write_safetensors

CLASSES, BATCH, HEIGHT, WIDTH, STEPS = 21, 2, 64, 96, 20
OPTIONS = {"lr": 0.05, "momentum": 0.9, "weightDecay": 1e-3}
WATCHED = ["0.weight", "1.running_mean", "1.running_var", "4.0.bn1.bias", "7.1.bn2.running_var", "final_conv.bias", "transpose_conv.bias"]


def build():
    backbone = torchvision.models.resnet18(weights=None)
    net = nn.Sequential(*list(backbone.children())[:-2])
    net.add_module("final_conv", nn.Conv2d(512, CLASSES, kernel_size=1))
    net.add_module("transpose_conv", nn.ConvTranspose2d(CLASSES, CLASSES, kernel_size=64, padding=16, stride=32))
    return net


def kind_of(name, shape):
    if name == "transpose_conv.weight":
        return "bilinear"
    # Small residual branches and scores: without them rounding grows a hundredfold over the run.
    if name == "final_conv.weight":
        return "quarterHe"
    if name.endswith("bn2.weight"):
        return "quarterScale"
    if len(shape) == 4:
        return "he"
    if name.endswith("running_var"):
        return "ones"
    if name.endswith("running_mean"):
        return "zeros"
    return "scale" if name.endswith("weight") else "shift"


def start(net):
    """Fills the net and returns [name, shape, kind] of each entry of its state dict."""
    entries, state = [], net.state_dict()
    for name, tensor in state.items():
        if name.endswith("num_batches_tracked"):
            continue
        shape = list(tensor.shape)
        kind = kind_of(name, shape)
        entries.append([name, shape, kind])
        tensor.copy_(torch.from_numpy(hv.start_value(kind, f"d2l/{name}", shape)))
    return entries


def run(dtype, nudge=0.0):
    net = build().to(dtype)
    entries = start(net)
    if nudge:
        net[0].weight.data *= 1 + nudge
    target = hv.labels(BATCH, HEIGHT, WIDTH, CLASSES)
    x = torch.from_numpy(hv.image("d2l/image", target, 3)).to(dtype)
    y = torch.from_numpy(target).long()
    net.train()
    sgd = torch.optim.SGD(net.parameters(), lr=OPTIONS["lr"], momentum=OPTIONS["momentum"], weight_decay=OPTIONS["weightDecay"])
    losses, first = [], None
    for _ in range(STEPS):
        logits = net(x)
        first = logits.detach() if first is None else first
        loss = nn.functional.cross_entropy(logits, y, ignore_index=255)
        sgd.zero_grad()
        loss.backward()
        sgd.step()
        losses.append(float(loss))
    return {"entries": entries, "losses": losses, "first": first, "net": net}


def write(folder: pathlib.Path):
    result = run(torch.float64)
    losses = np.array(result["losses"])
    drift = {name: float(np.max(np.abs(np.array(other) - losses) / losses)) for name, other in
             {"float32": run(torch.float32)["losses"], "nudged by 1e-5": run(torch.float64, 1e-5)["losses"]}.items()}
    print("d2l losses", np.round(losses, 4).tolist(), "relative drift", drift)
    # The 1e-3 of the test means something only while the trajectory does not amplify rounding.
    assert max(drift.values()) < 2e-4 and losses[-1] < 0.7 * losses[0]
    state = result["net"].state_dict()
    norms = {name: float(tensor.double().norm()) for name, tensor in state.items() if not name.endswith("num_batches_tracked")}
    arrays = {f"final.{name}": state[name].float().numpy() for name in WATCHED}
    first = result["first"].float()
    arrays["logits"] = first[:, :, ::7, ::5].contiguous().numpy()
    golden = {"classes": CLASSES, "batch": BATCH, "height": HEIGHT, "width": WIDTH, "options": OPTIONS, "entries": result["entries"],
              "losses": result["losses"], "norms": norms, "logitsNorm": float(result["first"].norm())}
    size = write_safetensors(folder / "d2l.safetensors", arrays, {"golden": json.dumps(golden, separators=(",", ":"))})
    print(f"{'d2l':<28}{size:>13} bytes")
    return size
