"""Runs an operator of PyTorch in float64 on float32-exact inputs and writes what went in and came out as float32."""
import json
import math
import struct

import numpy as np
import torch

DTYPES = {np.dtype(np.float32): "F32", np.dtype(np.int32): "I32"}


def write_safetensors(path, arrays, metadata):
    """The format is an 8-byte header length, a JSON header and the bytes of the tensors."""
    header, blobs, offset = {"__metadata__": metadata}, [], 0
    for name, array in arrays.items():
        blob = np.ascontiguousarray(array).tobytes()
        header[name] = {"dtype": DTYPES[array.dtype], "shape": list(array.shape),
                        "data_offsets": [offset, offset + len(blob)]}
        blobs.append(blob)
        offset += len(blob)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(blobs))
    return path.stat().st_size


def host(tensor):
    array = tensor.detach().numpy()
    return array.astype(np.int32 if array.dtype.kind in "iu" else np.float32)


def f32(tensor):
    """Rounds to float32 and returns to float64: what is stored is then exactly what was computed with."""
    return tensor.float().double()


def randn(*shape):
    return f32(torch.randn(shape, dtype=torch.float64))


def uniform(low, high, *shape):
    return f32(torch.rand(shape, dtype=torch.float64) * (high - low) + low)


def rms(tensor):
    return float(tensor.detach().square().mean().sqrt()) if tensor.numel() else 0.0


class Budget:
    """How far a float32 implementation may be off: about sqrt(terms) * eps * max(|want|, scale).

    terms 0 means bit-equal. `scale` is the size of a partial sum, for sums that may cancel.
    """

    def __init__(self, terms, scale=0.0):
        self.terms, self.scale = int(terms), float(scale)

    def json(self):
        return {"terms": self.terms, "scale": self.scale}


EXACT = Budget(0)


# The tolerance is SAFETY * sqrt(terms) * eps * max(|want|, scale); test/support/golden.ts has the same number.
SAFETY, EPS = 8, 2.0 ** -23


def within(got, want, budget):
    """The worst error as a multiple of what the budget allows."""
    error = (got.detach().double() - want.detach().double()).abs()
    if budget.terms == 0:
        return float("inf") if bool((error > 0).any()) else 0.0
    allowed = SAFETY * budget.terms ** 0.5 * EPS * want.detach().double().abs().clamp(min=max(budget.scale, 1e-37))
    return float((error / allowed).max())


def contraction(terms, a, b=None):
    """The budget of a sum of `terms` products of the elements of a and b."""
    return Budget(max(2, terms), math.sqrt(terms) * rms(a) * (rms(b) if b is not None else 1.0))


class Family:
    def __init__(self, name):
        self.name, self.cases, self.arrays, self.ratios = name, [], {}, []

    def store(self, key, tensor):
        self.arrays[key] = host(tensor)

    def record(self, op, label, tensors, fn, budgets, options=None, constants=(), after=None):
        """Runs fn(**tensors), sends a random upstream gradient back and stores everything.

        budgets(out, upstream) gives a Budget by name: "output" and each differentiable input.
        after: names of inputs that the op changes in place (running statistics), with their Budget.
        """
        name = f"{op} {label}".strip()
        leaves = {k: t.clone().requires_grad_(t.is_floating_point() and k not in constants) for k, t in tensors.items()}
        out = fn(**leaves)
        upstream = randn(*out.shape) if out.requires_grad else None
        if upstream is not None:
            out.backward(upstream)
        limits = budgets(out.detach(), upstream)
        self.check_float32(name, tensors, constants, fn, leaves, out, upstream, limits, after or {})
        key = f"{len(self.cases)}"
        for k, t in tensors.items():
            self.store(f"{key}.in.{k}", t)
        self.store(f"{key}.out.output", out)
        if upstream is not None:
            self.store(f"{key}.upstream", upstream)
        checks = {"output": limits["output"].json()}
        grads = [k for k, t in leaves.items() if t.requires_grad]
        for k in grads:
            assert leaves[k].grad is not None, (name, k)
            self.store(f"{key}.grad.{k}", leaves[k].grad)
            checks[f"grad.{k}"] = limits[k].json()
        for k, budget in (after or {}).items():
            self.store(f"{key}.out.{k}", leaves[k])
            checks[k] = budget.json()
        for k, array in self.arrays.items():
            if k.startswith(f"{key}."):
                assert np.isfinite(array).all(), (name, k)
        self.cases.append({"key": key, "op": op, "name": name, "options": options or {}, "inputs": list(tensors),
                           "grads": grads, "after": list(after or {}), "budgets": checks})

    def check_float32(self, name, tensors, constants, fn, leaves, out, upstream, limits, after):
        """A budget that PyTorch's own float32 cannot keep is wrong."""
        single = {k: t.clone().float() if t.is_floating_point() else t for k, t in tensors.items()}
        for k, t in single.items():
            t.requires_grad_(leaves[k].requires_grad)
        result = fn(**single)
        ratios = {"output": within(result, out, limits["output"])}
        if upstream is not None:
            result.backward(upstream.float())
            ratios |= {k: within(t.grad, leaves[k].grad, limits[k]) for k, t in single.items() if t.requires_grad}
        ratios |= {k: within(single[k], leaves[k], budget) for k, budget in after.items()}
        for k, ratio in ratios.items():
            assert ratio <= 1, f"{name}: {k} in float32 is {ratio:.3g} times over its budget"
        self.ratios.append(max(ratios.values()))

    def write(self, folder):
        names = [case["name"] for case in self.cases]
        assert len(names) == len(set(names)), f"{self.name}: two cases of one name"
        metadata = {"cases": json.dumps(self.cases, separators=(",", ":"))}
        size = write_safetensors(folder / f"{self.name}.safetensors", self.arrays, metadata)
        used = f"  float32 uses at most {max(self.ratios):.2f} of a budget" if self.ratios else ""
        print(f"{self.name:<16}{len(self.cases):>4} cases {size:>9} bytes{used}")
        return size
