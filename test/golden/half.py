"""What PyTorch makes of float16 values on the CPU: conversions and arithmetic, bit by bit.

`python3 half.py` writes half.json: lists of the bits of float32 numbers, so that infinities, NaN and signs of zeros are kept.
"""
import json
import pathlib

import numpy as np
import torch

COUNT = 500


def bits(values):
    return values.to(torch.float32).numpy().view(np.uint32).tolist()


def numbers(seed, low, high):
    generator = torch.Generator().manual_seed(seed)
    signs = torch.randint(0, 2, (COUNT,), generator=generator) * 2 - 1
    return signs * 2.0 ** (torch.rand(COUNT, generator=generator) * (high - low) + low)


inf = float("inf")
ties = [1 + k * 2.0 ** -11 for k in range(8)] + [2049.0, 2051.0, 65504.0, 65519.0, 65519.996, 65520.0, 1e9]
small = [k * 2.0 ** -26 for k in range(1, 12)] + [2.0 ** -14, 2.0 ** -14 - 2.0 ** -25, 2.0 ** -40]
corners = torch.tensor(ties + small + [0.0, inf], dtype=torch.float32)
x = torch.cat([corners, -corners, torch.tensor([float("nan")]), numbers(1, -30, 18)]).to(torch.float32)
a, b = numbers(2, -10, 7).half(), numbers(3, -10, 7).half()
whole = torch.tensor([0, 1, -1, 2047, 2049, 2051, -4099, 65504, 65519, 65520, 100000], dtype=torch.int32)
cases = {
    "x": bits(x), "half": bits(x.half()),
    "a": bits(a), "b": bits(b), "add": bits(a + b), "sub": bits(a - b), "mul": bits(a * b), "neg": bits(-a),
    "addNumber": bits(a + 0.25), "mulNumber": bits(a * 3),
    "whole": whole.tolist(), "wholeHalf": bits(whole.half()), "truncated": a.to(torch.int32).tolist(),
}
text = json.dumps({"torch": torch.__version__, **cases})
pathlib.Path(__file__).with_name("half.json").write_text(text + "\n")
