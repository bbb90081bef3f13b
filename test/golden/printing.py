"""Writes printing.json: how PyTorch prints tensors of float32, float16 and int32. Run: python3 printing.py"""

import json
import pathlib

import torch

INF, NAN = float("inf"), float("nan")


def ramp(shape, scale, dtype=torch.float32):
    count = 1
    for size in shape:
        count *= size
    return ((torch.arange(count) * 7 % 23 - 9) * scale).to(dtype).reshape(shape)


CASES = [
    ramp([], 1.0), ramp([], 0.25), ramp([0], 1.0), ramp([2, 0], 1.0), ramp([0], 1, torch.int32),
    ramp([2, 3], 1.0), ramp([2, 3], 0.5), ramp([3, 2, 2], 1 / 3), ramp([2, 3, 1, 2], 1 / 32),
    ramp([40], 0.1), ramp([25], 1, torch.int32), ramp([2, 30], 1, torch.int32), ramp([4], 1 / 3, torch.float16),
    ramp([1000], 0.125), ramp([1001], 0.125), ramp([40, 50], 1.0), ramp([5, 300], 0.5), ramp([300, 5], 1.5),
    ramp([3, 8, 9, 10], 0.25), ramp([2000], 1, torch.int32), ramp([7, 6, 5, 4], 0.5),
    torch.zeros(3), torch.tensor([0.0, -0.0, 1.0]), torch.tensor([-0.0, 0.5]),
    torch.tensor([1.0, INF, -INF, NAN]), torch.tensor([0.5, INF, -INF, NAN]), torch.tensor([NAN]), torch.tensor([-INF, 0.0]),
    torch.tensor([1.0, 1000.0]), torch.tensor([1.0, 1001.0]), torch.tensor([0.5, 500.0]), torch.tensor([0.5, 501.0]),
    torch.tensor([1e8]), torch.tensor([1.5e8, 1e8]), torch.tensor([9e-5]), torch.tensor([2e-4]), torch.tensor([1e-38, 3e38]),
    torch.tensor([1.25e-40]), torch.tensor([100005.0, 3.0, 0.0]), torch.tensor([100015.0, 3.0, NAN]),
    torch.tensor([0.03125, 0.09375, -0.03125, -0.09375, 0.15625]), torch.tensor([2**31 - 1, -(2**31)], dtype=torch.int32),
    torch.tensor([65504.0, 6e-5], dtype=torch.float16), ramp([1, 12], 1e-3, torch.float16),
]


def row(x):
    dtype = str(x.dtype).removeprefix("torch.")
    # JSON has no such numbers.
    data = [value if abs(value) < INF else str(value) for value in x.flatten().tolist()]
    data = ["-0" if value == 0 and str(value) == "-0.0" else value for value in data]
    return {"shape": list(x.shape), "dtype": dtype, "data": data, "text": str(x).replace("torch.", "")}


lines = ",\n".join(json.dumps(row(x)) for x in CASES)
pathlib.Path(__file__).with_name("printing.json").write_text(f"[\n{lines}\n]\n")
