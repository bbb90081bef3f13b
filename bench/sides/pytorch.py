"""PyTorch on the CPU as one side of the bench: commands come as lines of JSON and are answered by lines of JSON.

{"open": FILE}  the d2l net; FILE is safetensors with its state dict, "image" and "label"
{"step": true}  one training step: forward, cross-entropy, backward, plain SGD; answers its loss and milliseconds
{"read": NAME}  values of a parameter, float32 in base64
"""

import base64
import json
import resource
import struct
import sys
import time

import torch
import torchvision

CLASSES, LEARNING_RATE = 21, 1
DTYPES = {"F32": torch.float32, "I32": torch.int32}


def read_safetensors(path):
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        body = file.read()
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        start, end = entry["data_offsets"]
        flat = torch.frombuffer(bytearray(body[start:end]), dtype=DTYPES[entry["dtype"]])
        tensors[name] = flat.reshape(entry["shape"])
    return tensors


class D2l:
    """The ResNet-18 FCN of Dive into Deep Learning, as its chapter builds it, in training mode."""

    def __init__(self, path):
        tensors = read_safetensors(path)
        self.image, self.label = tensors.pop("image"), tensors.pop("label").long()
        self.net = torch.nn.Sequential(*list(torchvision.models.resnet18(weights=None).children())[:-2])
        self.net.add_module("final_conv", torch.nn.Conv2d(512, CLASSES, kernel_size=1))
        up = torch.nn.ConvTranspose2d(CLASSES, CLASSES, kernel_size=64, padding=16, stride=32)
        self.net.add_module("transpose_conv", up)
        self.net.load_state_dict(tensors, strict=False)
        self.net.train()
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=LEARNING_RATE)

    def step(self):
        self.optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(self.net(self.image), self.label)
        loss.backward()
        self.optimizer.step()
        return loss.item()


def main():
    work = None
    print(json.dumps({"version": torch.__version__, "threads": torch.get_num_threads()}), flush=True)
    for line in sys.stdin:
        command = json.loads(line)
        answer = {}
        if "open" in command:
            work = D2l(command["open"])
        elif "step" in command:
            start = time.perf_counter()
            answer = {"loss": work.step(), "ms": 1000 * (time.perf_counter() - start)}
        elif "read" in command:
            values = work.net.state_dict()[command["read"]].contiguous().numpy().tobytes()
            answer = {"base64": base64.b64encode(values).decode()}
        answer["peakBytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(json.dumps(answer), flush=True)


main()
