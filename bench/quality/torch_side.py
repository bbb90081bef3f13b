"""The other side of `npm run quality`: the same net, batches and recipe in PyTorch.

Reads a folder with job.json (the layers of the net, the batches of each seed, the recipe), data.npz (images and labels)
and weights-SEED.npz (the initial values), and prints the confusion matrix of each seed as one JSON object.
"""
import json
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


class Net(nn.Module):
    """The layers of a graph, by PyTorch's own modules and functions."""

    def __init__(self, nodes, out, channels):
        super().__init__()
        self.nodes, self.out = nodes, out
        sizes = {}
        for node in nodes:
            layer, name = node["layer"], node["name"]
            kind = layer["kind"]
            below = sizes.get(node["inputs"][0]) if node["inputs"] else channels
            sizes[name] = layer.get("outChannels", below)
            window = {key: layer[key] for key in ("stride", "padding") if key in layer}
            if kind == "conv":
                self.add_module(name, nn.Conv2d(below, sizes[name], layer["kernelSize"], bias=layer.get("bias", True), **window))
            elif kind == "convTranspose":
                deconv = nn.ConvTranspose2d(
                    below, sizes[name], layer["kernelSize"], groups=layer["groups"], bias=layer["bias"], **window
                )
                deconv.requires_grad_(layer["learned"])
                self.add_module(name, deconv)
            elif kind == "batchNorm":
                self.add_module(name, nn.BatchNorm2d(below))

    def forward(self, x):
        values = {}
        for node in self.nodes:
            layer, name = node["layer"], node["name"]
            kind = layer["kind"]
            inputs = [values[key] for key in node["inputs"]]
            if kind == "input":
                values[name] = x
            elif kind in ("conv", "convTranspose", "batchNorm"):
                values[name] = getattr(self, name)(inputs[0])
            elif kind == "relu":
                values[name] = F.relu(inputs[0])
            elif kind == "maxPool":
                values[name] = F.max_pool2d(inputs[0], layer["kernelSize"], layer["stride"], ceil_mode=layer["ceilMode"])
            elif kind == "add":
                values[name] = inputs[0] + inputs[1]
            elif kind == "crop":
                top, left = node["crop"]
                height, width = inputs[1].shape[2:]
                values[name] = inputs[0][:, :, top : top + height, left : left + width]
            else:
                raise ValueError(f"no layer of kind {kind}")
        return values[self.out]


def run(job, data, weights, batches):
    recipe, classes = job["recipe"], len(job["classes"])
    net = Net(job["nodes"], job["out"], 3)
    state = {key: torch.from_numpy(weights[key].copy()) for key in weights.files}
    missing, unexpected = net.load_state_dict(state, strict=False)
    assert not unexpected and all(key.endswith("num_batches_tracked") for key in missing), (missing, unexpected)
    mean, std = (torch.tensor(job["preprocessing"][key]).view(1, 3, 1, 1) for key in ("mean", "std"))

    def images(part, rows):
        return (torch.from_numpy(data[f"{part}_images"][rows]).permute(0, 3, 1, 2).float() - mean) / std

    def labels(part, rows):
        return torch.from_numpy(data[f"{part}_labels"][rows]).long()

    learning = [p for p in net.parameters() if p.requires_grad]
    sgd = torch.optim.SGD(learning, recipe["learningRate"], recipe["momentum"], weight_decay=recipe["weightDecay"])
    schedule = torch.optim.lr_scheduler.LambdaLR(sgd, lambda t: (1 - t / len(batches)) ** recipe["power"])
    first = None
    net.train()
    for rows in batches:
        loss = F.cross_entropy(net(images("train", rows)), labels("train", rows), ignore_index=255)
        first = loss.item() if first is None else first
        sgd.zero_grad()
        loss.backward()
        sgd.step()
        schedule.step()
    net.eval()
    confusion = np.zeros((classes, classes), dtype=np.int64)
    with torch.no_grad():
        for row in range(len(data["validation_labels"])):
            predicted = net(images("validation", [row])).argmax(1).numpy().ravel()
            truth = data["validation_labels"][row].ravel().astype(np.int64)
            counts = truth < classes
            confusion += np.bincount(classes * truth[counts] + predicted[counts], minlength=classes**2).reshape(classes, -1)
    return {"confusion": confusion.tolist(), "firstLoss": first}


def main(folder):
    job = json.loads((folder / "job.json").read_text())
    data = dict(np.load(folder / "data.npz"))
    seeds = {seed: run(job, data, np.load(folder / f"weights-{seed}.npz"), rows) for seed, rows in job["batches"].items()}
    print(json.dumps({"version": torch.__version__, "seeds": seeds}))


main(Path(sys.argv[1]))
