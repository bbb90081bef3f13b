"""Writes the golden files beside this script. Usage: python3 make_golden.py [family ...]"""
import pathlib
import sys

import torch

sys.dont_write_bytecode = True

import berkeley_nets  # noqa: E402
import d2l  # noqa: E402
import deeplab_nets  # noqa: E402
import fcn_alexnet  # noqa: E402
import fcn_googlenet  # noqa: E402
import fcn_vgg  # noqa: E402
import layer_cases  # noqa: E402
import loss_cases  # noqa: E402
import pyramid_nets  # noqa: E402
import torchvision_nets  # noqa: E402
import value_cases  # noqa: E402
import window_cases  # noqa: E402

FAMILIES = {"conv2d": window_cases.convolution, "convTranspose2d": window_cases.transposed_convolution,
            "pools": window_cases.pools, "interpolate": window_cases.interpolation,
            "pointwise": value_cases.unary, "binary": value_cases.binary, "reductions": value_cases.reductions,
            "matmul": value_cases.matmul, "movement": value_cases.movement, "crossEntropy": loss_cases.cross_entropy,
            "normalisation": loss_cases.normalisations, "optimisers": loss_cases.optimisers,
            "layers": layer_cases.layers}


def main():
    folder, wanted, total = pathlib.Path(__file__).parent, set(sys.argv[1:]), 0
    torch.use_deterministic_algorithms(True)
    for index, (name, make) in enumerate(FAMILIES.items()):
        if not wanted or name in wanted:
            torch.manual_seed(1000 + index)
            total += make().write(folder)
    nets = {"d2l": d2l, "fcn_vgg": fcn_vgg, "fcn_alexnet": fcn_alexnet, "fcn_googlenet": fcn_googlenet,
            "torchvision_nets": torchvision_nets, "berkeley_nets": berkeley_nets, "pyramid_nets": pyramid_nets,
            "deeplab_nets": deeplab_nets}
    for name, write in {name: module.write for name, module in nets.items()}.items():
        if not wanted or name in wanted:
            total += write(folder)
    print(f"{'total':<28}{total:>13} bytes")


if __name__ == "__main__":
    main()
