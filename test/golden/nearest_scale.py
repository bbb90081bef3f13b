"""Writes nearest_scale.json: what torch.nn.functional.interpolate(mode="nearest", scale_factor=f) reads, over a sweep of sizes and factors.

    python3 test/golden/nearest_scale.py

Run with PyTorch 1.13 on the CPU; the images are in the channels-last format. An entry is [size, factor, reads]: a digit of base 36 for each
input, the number of outputs that read it, which is also the gradient of their sum."""

import json
import pathlib

import torch
import torch.nn.functional as F

FACTORS = [0.3, 0.34, 0.4, 0.5, 0.55, 0.6, 0.75, 0.9, 0.96, 1.0, 1.02, 1.03, 1.1, 1.25, 1.3, 1.5, 1.75, 1.9, 2.0, 2.01, 2.02,
           2.03, 2.05, 2.1, 2.25, 2.3, 2.5, 2.7, 3.0, 3.3, 3.7, 4.0]
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"

rows = []
for size in range(1, 41):
    for factor in FACTORS:
        if int(size * factor) < 1:
            continue
        x = torch.arange(size, dtype=torch.float32).expand(1, 4, 1, size)
        x = x.contiguous(memory_format=torch.channels_last).requires_grad_()
        y = F.interpolate(x, scale_factor=(1.0, factor), mode="nearest")
        y.sum().backward()
        sources = y.detach()[0, 0, 0].int().tolist()
        assert sources == sorted(sources)
        reads = "".join(DIGITS[sources.count(i)] for i in range(size))
        assert reads == "".join(DIGITS[int(g)] for g in x.grad[0, 0, 0])
        rows.append([size, factor, reads])
text = ",\n".join(json.dumps(row) for row in rows)
pathlib.Path(__file__).with_name("nearest_scale.json").write_text(f"[\n{text}\n]\n")
