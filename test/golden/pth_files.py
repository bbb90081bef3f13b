"""Writes small files of torch.save, and what they hold as JSON, into pth/. Usage: python3 pth_files.py

Both formats of torch.save. Values are such that every dtype holds them exactly; expected.json has them by file and name, taken from
the tensors with tolist(), so the reader under test has no part in it. 64-bit integers stand there as strings.
"""
import argparse
import datetime
import json
import pathlib
import statistics
import types
import zipfile
from collections import Counter, OrderedDict, defaultdict

import numpy as np
import torch

FOLDER = pathlib.Path(__file__).parent / "pth"
DTYPES = [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8,
          torch.uint8, torch.bool]


def ramp(*shape, dtype=torch.float32, start=0):
    count = int(np.prod(shape)) if shape else 1
    return (torch.arange(count, dtype=torch.float64) / 2 + start).reshape(shape).to(dtype)


def all_dtypes():
    named = {str(dtype).split(".")[1]: ramp(2, 3, dtype=dtype, start=-1 if dtype.is_floating_point else 0) for dtype in DTYPES}
    named["big"] = torch.tensor([2**62, -(2**63)])
    named["special"] = torch.tensor([float("inf"), float("-inf"), float("nan"), -0.0, 1e-45, 3.4028234663852886e38])
    named["half_special"] = torch.tensor([float("inf"), 65504.0, 2.0**-24, -0.0, -2.0**-15], dtype=torch.float16)
    named["scalar"] = torch.tensor(3.5)
    named["empty"] = torch.zeros(0, 4)
    return named


def views():
    base = ramp(4, 6)
    long = ramp(40)
    return OrderedDict(base=base, transposed=base.t(), column=base[:, 2], rows=base[1:3], every_other=long[1::3],
                       block=base[1:4, 2:5], permuted=ramp(2, 3, 4).permute(2, 0, 1), expanded=ramp(3, 1).expand(3, 4),
                       tied=base, long_transposed=ramp(3, 5, dtype=torch.float64).t(), ones=ramp(1, 3, 1).transpose(0, 2),
                       bytes_transposed=torch.arange(6, dtype=torch.uint8).reshape(2, 3).t())


class Net(torch.nn.Module):
    """A net whose state dict has parameters, buffers and the _metadata attribute."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(3)
        self.conv = torch.nn.Conv2d(2, 3, (2, 1))
        self.bn = torch.nn.BatchNorm2d(3)


def trained():
    net = Net()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    net.bn(net.conv(torch.ones(2, 2, 4, 4))).pow(2).sum().backward()
    optimizer.step()
    return net, optimizer


def checkpoints():
    net, optimizer = trained()
    args = argparse.Namespace(lr=0.1, name="run", path=pathlib.Path("data"), sizes=(1, 2), nothing=None)
    state = net.state_dict()
    torchvision = {"model": state, "optimizer": optimizer.state_dict(), "lr_scheduler": {"last_epoch": 3}, "epoch": 4,
                   "args": args, "model_ema": {"n": torch.tensor(7)}}
    pytorch_fcn = {"epoch": 11, "iteration": 96000, "arch": "FCN32s", "optim_state_dict": optimizer.state_dict(),
                   "model_state_dict": state, "best_mean_iu": np.float64(0.625), "history": defaultdict(list, loss=[1.0, 0.5]),
                   "array": np.arange(3.0), "seen": {1, 2}, "raw": b"\x00\xff"}
    nested = {"checkpoint": {"weights": state}, "note": "é\n"}
    parallel = OrderedDict((f"module.{name}", value) for name, value in state.items())
    two = {"generator": {"w": torch.ones(2)}, "critic": {"w": torch.zeros(2)}}
    return {"torchvision": torchvision, "pytorch_fcn": pytorch_fcn, "nested": nested, "parallel": {"state_dict": parallel},
            "two": two, "parameters": {"w": torch.nn.Parameter(ramp(2, 2)), "b": ramp(2).requires_grad_()},
            "mixed": {"w": ramp(2), "steps": 3, "none": None}}, {name: state for name in
            ["torchvision", "pytorch_fcn", "nested", "parallel"]}


class Marked(torch.Tensor):
    """A tensor of a class of its own."""


class Colour:
    pass


class Shape:
    pass


def odd():
    """Tensors of every kind that is not read, beside one that is."""
    dense = ramp(2, 3)
    named = {"w": dense, "complex": torch.ones(2, dtype=torch.complex64), "sparse": torch.eye(2).to_sparse(),
             "csr": torch.eye(2).to_sparse_csr(), "quantised": torch.quantize_per_tensor(dense, 0.1, 0, torch.quint8),
             "meta": torch.empty(2, device="meta"), "marked": dense.clone().as_subclass(Marked),
             "sparse_parameter": torch.nn.Parameter(torch.eye(2).to_sparse()), "lazy": torch.nn.LazyLinear(2).weight,
             "after": ramp(2, start=7)}
    return named


def wrapped():
    """State dicts as the wrappers of PyTorch and Lightning write them, all of the same net."""
    net, _ = trained()
    state = net.state_dict()
    compiled = {name.replace("conv.", "conv._orig_mod."): value for name, value in state.items()}
    averaged = torch.optim.swa_utils.AveragedModel(net).state_dict()
    lightning = {"epoch": 3, "global_step": 96, "pytorch-lightning_version": "2.0.1",
                 "state_dict": OrderedDict([(f"model.{k}", v) for k, v in state.items()] + [("loss.weight", torch.ones(3))]),
                 "hyper_parameters": {"lr": 0.1}, "callbacks": {}, "version": torch.torch_version.TorchVersion("2.0.1")}
    sharded = {f"module._fsdp_wrapped_module.{name}": value for name, value in state.items()}
    twins = {f"{who}.{name}": value + who.startswith("t") for who in ("student", "teacher") for name, value in state.items()}
    return {"averaged": averaged, "compiled": compiled, "lightning": lightning, "sharded": sharded, "twins": twins}, state


def harmless():
    generator = np.random.default_rng(1)
    return {"state_dict": {"w": ramp(2)}, "version": torch.torch_version.TorchVersion("2.1.0"),
            "space": types.SimpleNamespace(a=1), "generator": generator, "state": np.random.RandomState(1),
            "dtype": np.dtype("f4"), "text": np.str_("x"), "when": datetime.datetime(2024, 1, 2),
            "counter": Counter("aab"), "size": torch.Size([1, 2])}


def as_json(tensor):
    tensor = tensor.detach()
    wide = tensor.to(torch.float32) if tensor.dtype in (torch.float16, torch.bfloat16) else tensor
    flat = wide.contiguous().flatten().tolist()
    values = [str(v) if isinstance(v, int) or not np.isfinite(v) else repr(v) if v == 0 else v for v in flat]
    return {"dtype": str(wide.dtype).split(".")[1], "shape": list(tensor.shape), "values": values}


def write(name, value, expected, record, **options):
    for suffix, zipped in ((".pth", True), (".legacy.pth", False)):
        torch.save(value, FOLDER / f"{name}{suffix}", _use_new_zipfile_serialization=zipped, **options)
    record[name] = {key: as_json(tensor) for key, tensor in expected.items() if isinstance(tensor, torch.Tensor)}


def rewrite(name, target, change, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(FOLDER / name) as source, zipfile.ZipFile(FOLDER / target, "w", method) as out:
        files = {info.filename: source.read(info) for info in source.infolist()}
        for path, data in change(files).items():
            out.writestr(zipfile.ZipInfo(path), data, method)


def main():
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    record = {}
    for name, make in {"dtypes": all_dtypes, "views": views}.items():
        write(name, make(), make(), record)
    saved, states = checkpoints()
    for name, value in saved.items():
        write(name, value, states.get(name, value), record)
    write("protocol4", all_dtypes(), all_dtypes(), record, pickle_protocol=4)
    # Archives that torch.save does not write itself: other byte order, and packed again by a zip tool.
    rewrite("views.pth", "big_endian.pth", lambda files: {**files, "views/byteorder": b"big"})
    rewrite("views.pth", "little_endian.pth", lambda files: {**files, "views/byteorder": b"little"})
    rewrite("views.pth", "deflated.pth", lambda files: files, zipfile.ZIP_DEFLATED)
    torch.jit.save(torch.jit.script(torch.nn.ReLU()), FOLDER / "script.pth")
    torch.save(trained()[0], FOLDER / "module.pth")
    torch.save(torch.ones(2), FOLDER / "tensor.pth")
    for suffix, zipped in ((".pth", True), (".legacy.pth", False)):
        torch.save(odd(), FOLDER / f"odd{suffix}", _use_new_zipfile_serialization=zipped)
    files, state = wrapped()
    for name, value in files.items():
        torch.save(value, FOLDER / f"{name}.pth")
    record["wrapped"] = {key: as_json(tensor) for key, tensor in state.items()}
    torch.save(harmless(), FOLDER / "harmless.pth")
    torch.save({"w": ramp(2), "a": Colour(), "b": [Shape(), statistics.NormalDist(0, 1)], "c": Colour()}, FOLDER / "strange.pth")
    torch.save({"w": torch.ones(2, dtype=torch.complex64)}, FOLDER / "complex.pth")
    torch.save({"w": torch.eye(2).to_sparse()}, FOLDER / "sparse.pth")
    np.savez(FOLDER / "numpy.npz", a=np.arange(6.0).reshape(2, 3), f=np.asfortranarray(np.arange(6, dtype=">i2").reshape(2, 3)),
             scalar=np.float16(1.5))
    np.savez_compressed(FOLDER / "packed.npz", zeros=np.zeros((50, 40), np.float32), b=np.array([True, False]))
    np.savez(FOLDER / "kinds.npz", w=np.arange(3.0), text=np.array(["a", "bc"]), objects=np.array([{}, None], dtype=object),
             complex=np.ones(2, np.complex64), record=np.zeros(2, [("x", "f4"), ("y", "i2")]), bytes=np.array([b"x"]),
             date=np.array(["2024-01-01"], "M8[D]"), last=np.arange(2, dtype=np.int8))
    np.savez(FOLDER / "objects.npz", o=np.array([{}, None], dtype=object))
    (FOLDER / "expected.json").write_text(json.dumps(record))
    print(sum(path.stat().st_size for path in FOLDER.iterdir()), "bytes")


if __name__ == "__main__":
    main()
