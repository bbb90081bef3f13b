"""Convolutions and pools."""
import torch
import torch.nn.functional as F

from recorder import EXACT, Budget, Family, contraction, randn, rms


def convolution():
    family = Family("conv2d")
    #        label                     N  Cin H   W   Cout KH KW options                              bias
    table = [("3x3 same", 2, 4, 9, 11, 8, 3, 3, {"padding": 1}, True),
             ("rgb stem 7x7 stride 2", 1, 3, 23, 30, 16, 7, 7, {"stride": 2, "padding": 3}, False),
             ("rgb 3x3", 1, 3, 17, 16, 9, 3, 3, {"padding": 1}, True),
             ("1x1", 2, 16, 7, 9, 12, 1, 1, {}, True),
             ("1x1 stride 2", 1, 8, 9, 8, 6, 1, 1, {"stride": 2}, False),
             ("score 1x1 to 21 classes", 1, 32, 5, 7, 21, 1, 1, {}, True),
             ("1x1 padded", 1, 5, 4, 3, 3, 1, 1, {"padding": 2}, True),
             ("from 21 channels", 1, 21, 8, 9, 21, 3, 3, {"padding": 1}, True),
             ("one channel", 1, 1, 8, 7, 1, 3, 3, {}, True),
             ("stride greater than kernel", 2, 3, 13, 17, 5, 2, 2, {"stride": 3}, True),
             ("padding beyond the kernel", 1, 3, 4, 5, 4, 3, 3, {"padding": 5}, True),
             ("dilation 2", 1, 6, 12, 13, 7, 3, 3, {"dilation": 2, "padding": 2}, True),
             ("dilation 3 by 2, stride 2 by 1", 1, 4, 15, 14, 5, 3, 3,
              {"dilation": [3, 2], "stride": [2, 1], "padding": [3, 1]}, True),
             ("groups 2", 1, 8, 10, 9, 6, 3, 3, {"groups": 2, "padding": 1}, True),
             ("groups 3, stride 2", 2, 9, 9, 10, 12, 3, 3, {"groups": 3, "stride": 2}, False),
             ("depthwise", 1, 12, 10, 11, 12, 3, 3, {"groups": 12, "padding": 1}, True),
             ("depthwise stride 2 multiplier 2", 1, 6, 11, 10, 12, 3, 3, {"groups": 6, "stride": 2, "padding": 1}, True),
             ("width 1", 2, 4, 9, 1, 5, 3, 1, {"padding": [1, 0]}, True),
             ("height and width 1", 3, 7, 1, 1, 5, 1, 1, {}, True),
             ("kernel 1x5", 1, 4, 6, 12, 6, 1, 5, {"padding": [0, 2]}, True),
             ("kernel 5x2", 1, 4, 9, 8, 6, 5, 2, {"stride": [1, 2]}, True),
             ("kernel covers the input", 2, 6, 7, 7, 10, 7, 7, {}, True),
             ("pad 100 corner", 1, 3, 2, 3, 2, 3, 3, {"padding": 20}, True),
             ("tile of 64 channels and one", 1, 65, 5, 5, 33, 3, 3, {"padding": 1}, True)]
    for label, n, cin, h, w, cout, kh, kw, options, with_bias in table:
        groups = options.get("groups", 1)
        t = {"x": randn(n, cin, h, w), "w": randn(cout, cin // groups, kh, kw)}
        if with_bias:
            t["b"] = randn(cout)
        def budgets(out, g, t=t):
            area = out.shape[0] * out.shape[2] * out.shape[3]
            return {"output": contraction(cin // groups * kh * kw + 1, t["x"], t["w"]),
                    "x": contraction(cout // groups * kh * kw, g, t["w"]),
                    "w": contraction(area, g, t["x"]), "b": contraction(area, g)}
        family.record("conv2d", label, t, lambda x, w, b=None: F.conv2d(x, w, b, **options), budgets, options)
    return family


def transposed_convolution():
    family = Family("convTranspose2d")
    table = [("4x4 stride 2", 1, 5, 5, 7, 5, 4, 4, {"stride": 2}, False),
             ("4x4 stride 2 pad 1 with bias", 2, 4, 6, 5, 6, 4, 4, {"stride": 2, "padding": 1}, True),
             ("4x4 stride 2, 21 classes", 1, 21, 3, 4, 21, 4, 4, {"stride": 2}, False),
             ("4x4 stride 2 channel-wise", 1, 7, 5, 6, 7, 4, 4, {"stride": 2, "groups": 7}, False),
             ("64x64 stride 32 channel-wise", 1, 2, 2, 3, 2, 64, 64, {"stride": 32, "padding": 16, "groups": 2}, False),
             ("64x64 stride 32 dense with bias", 1, 2, 2, 1, 3, 64, 64, {"stride": 32, "padding": 16}, True),
             ("16x16 stride 8 channel-wise", 1, 3, 4, 3, 3, 16, 16, {"stride": 8, "groups": 3}, False),
             ("63x63 stride 32", 1, 1, 2, 2, 1, 63, 63, {"stride": 32, "padding": 20}, False),
             ("3x3 stride 1", 1, 4, 7, 6, 5, 3, 3, {"padding": 1}, True),
             ("1x1", 1, 6, 4, 5, 3, 1, 1, {}, True),
             ("stride greater than kernel", 1, 3, 4, 5, 4, 2, 2, {"stride": 3}, True),
             ("output padding", 1, 3, 5, 4, 4, 3, 3, {"stride": 2, "padding": 1, "outputPadding": 1}, True),
             ("output padding on one side", 1, 3, 5, 4, 2, 3, 3, {"stride": [3, 2], "outputPadding": [2, 0]}, True),
             ("dilation 2", 1, 4, 5, 6, 3, 3, 3, {"dilation": 2, "padding": 1}, True),
             ("dilation 2, stride 3, output padding", 1, 2, 4, 5, 3, 3, 2,
              {"dilation": 2, "stride": 3, "outputPadding": 1, "padding": [2, 1]}, True),
             ("groups 2", 1, 6, 5, 4, 8, 3, 3, {"groups": 2, "stride": 2, "padding": 1}, True),
             ("groups 3, two to one", 2, 6, 4, 4, 3, 4, 4, {"groups": 3, "stride": 2}, True),
             ("width 1", 1, 4, 5, 1, 3, 3, 1, {"stride": [2, 1]}, True),
             ("one pixel", 1, 5, 1, 1, 4, 5, 5, {"stride": 4}, True),
             ("5x3 stride 2 by 3", 1, 3, 4, 6, 4, 5, 3, {"stride": [2, 3], "padding": [2, 0]}, False)]
    for label, n, cin, h, w, cout, kh, kw, options, with_bias in table:
        groups = options.get("groups", 1)
        t = {"x": randn(n, cin, h, w), "w": randn(cin, cout // groups, kh, kw)}
        if with_bias:
            t["b"] = randn(cout)
        names = {"outputPadding": "output_padding"}
        def fn(x, w, b=None):
            return F.conv_transpose2d(x, w, b, **{names.get(k, k): v for k, v in options.items()})
        def budgets(out, g, t=t):
            return {"output": contraction(cin // groups * kh * kw + 1, t["x"], t["w"]),
                    "x": contraction(cout // groups * kh * kw, g, t["w"]),
                    "w": contraction(n * h * w, g, t["x"]),
                    "b": contraction(n * out.shape[2] * out.shape[3], g)}
        family.record("convTranspose2d", label, t, fn, budgets, options)
    return family


POOL_NAMES = {"kernelSize": "kernel_size", "ceilMode": "ceil_mode", "countIncludePad": "count_include_pad"}


def pool_options(options):
    return {POOL_NAMES.get(k, k): v for k, v in options.items()}


def area(kernel):
    return kernel * kernel if isinstance(kernel, int) else kernel[0] * kernel[1]


def pools():
    family = Family("pools")
    table = [("2x2", (2, 5, 8, 10), {"kernelSize": 2, "stride": 2}),
             ("2x2 odd, floor", (1, 4, 7, 9), {"kernelSize": 2, "stride": 2}),
             ("2x2 odd, ceil", (1, 4, 7, 9), {"kernelSize": 2, "stride": 2, "ceilMode": True}),
             ("3x3 stride 2 pad 1", (2, 3, 11, 12), {"kernelSize": 3, "stride": 2, "padding": 1}),
             ("3x3 stride 2 ceil", (1, 6, 10, 12), {"kernelSize": 3, "stride": 2, "ceilMode": True}),
             ("3x3 stride 1 pad 1", (1, 5, 6, 7), {"kernelSize": 3, "stride": 1, "padding": 1}),
             ("default stride", (1, 3, 9, 10), {"kernelSize": 3}),
             ("dilation 2", (1, 3, 9, 11), {"kernelSize": 3, "stride": 1, "dilation": 2}),
             ("dilation, padding, ceil", (1, 2, 10, 13),
              {"kernelSize": [2, 3], "stride": [3, 2], "padding": [1, 1], "dilation": [2, 3], "ceilMode": True}),
             ("stride greater than kernel", (1, 3, 11, 13), {"kernelSize": 2, "stride": 3}),
             ("last window starts in the padding", (1, 2, 5, 5), {"kernelSize": 2, "stride": 3, "padding": 1, "ceilMode": True}),
             ("width 1", (2, 3, 8, 1), {"kernelSize": [2, 1], "stride": [2, 1]}),
             ("21 channels", (1, 21, 5, 5), {"kernelSize": 2, "stride": 2, "ceilMode": True})]
    for label, shape, options in table:
        def budgets(out, g, options=options):
            return {"output": EXACT, "x": contraction(area(options["kernelSize"]), g)}
        fn = lambda x, o=options: F.max_pool2d(x, **pool_options(o))
        family.record("maxPool2d", label, {"x": randn(*shape)}, fn, budgets, options)
    ties = [("ties go to the first", (1, 3, 8, 9), {"kernelSize": 2, "stride": 2}, 2),
            ("ties, overlapping windows", (1, 3, 9, 9), {"kernelSize": 3, "stride": 2, "padding": 1}, 3),
            ("all equal, ceil", (1, 2, 5, 7), {"kernelSize": 2, "stride": 2, "ceilMode": True}, 1)]
    for label, shape, options, levels in ties:
        x = torch.randint(0, levels, shape).double() - 5
        def budgets(out, g, options=options):
            return {"output": EXACT, "x": contraction(area(options["kernelSize"]), g)}
        fn = lambda x, o=options: F.max_pool2d(x, **pool_options(o))
        family.record("maxPool2d", label, {"x": x}, fn, budgets, options)
    table = [("2x2", (2, 5, 8, 10), {"kernelSize": 2, "stride": 2}),
             ("global", (2, 6, 7, 9), {"kernelSize": [7, 9]}),
             ("3x3 pad 1 counted", (1, 4, 8, 9), {"kernelSize": 3, "stride": 2, "padding": 1, "countIncludePad": True}),
             ("3x3 pad 1 not counted", (1, 4, 8, 9), {"kernelSize": 3, "stride": 2, "padding": 1, "countIncludePad": False}),
             ("ceil, pad counted", (1, 3, 8, 11),
              {"kernelSize": 3, "stride": 2, "padding": 1, "ceilMode": True, "countIncludePad": True}),
             ("ceil, pad not counted", (1, 3, 8, 11),
              {"kernelSize": 3, "stride": 2, "padding": 1, "ceilMode": True, "countIncludePad": False}),
             ("ceil without padding", (1, 3, 7, 10), {"kernelSize": 2, "stride": 2, "ceilMode": True}),
             ("stride greater than kernel", (1, 3, 11, 13), {"kernelSize": 2, "stride": 3}),
             ("kernel 1x3", (1, 2, 5, 8), {"kernelSize": [1, 3], "stride": [1, 2], "padding": [0, 1]}),
             ("width 1", (2, 3, 8, 1), {"kernelSize": [2, 1], "stride": [2, 1]})]
    for label, shape, options in table:
        def budgets(out, g, options=options):
            terms = area(options["kernelSize"])
            return {"output": contraction(terms, out), "x": contraction(terms, g / terms)}
        fn = lambda x, o=options: F.avg_pool2d(x, **pool_options(o))
        family.record("avgPool2d", label, {"x": randn(*shape)}, fn, budgets, options)
    return family


def interpolation():
    family = Family("interpolate")
    down = {"mode": "bilinear", "alignCorners": False}
    table = [("nearest x2", (1, 3, 4, 5), {"scaleFactor": 2, "mode": "nearest"}),
             ("nearest to a size up", (2, 2, 5, 4), {"size": [13, 9], "mode": "nearest"}),
             ("nearest to a size down", (1, 3, 13, 9), {"size": [5, 4], "mode": "nearest"}),
             ("nearest x0.5", (1, 2, 6, 10), {"scaleFactor": 0.5, "mode": "nearest"}),
             ("half-pixel x2", (1, 3, 5, 6), {"scaleFactor": 2, **down}),
             ("half-pixel to a size up", (2, 2, 5, 7), {"size": [12, 11], **down}),
             ("half-pixel to a size down", (1, 3, 13, 12), {"size": [5, 7], **down}),
             ("half-pixel x1.5 of an odd side", (1, 2, 5, 7), {"scaleFactor": 1.5, **down}),
             ("half-pixel x0.5", (1, 2, 9, 8), {"scaleFactor": 0.5, **down}),
             ("half-pixel from one pixel", (1, 4, 1, 1), {"size": [3, 5], **down}),
             ("half-pixel same size", (1, 2, 4, 5), {"size": [4, 5], **down}),
             ("half-pixel mixed up and down", (1, 2, 4, 15), {"size": [9, 6], **down}),
             ("corners up", (2, 2, 5, 7), {"size": [12, 11], "mode": "bilinear", "alignCorners": True}),
             ("corners down", (1, 3, 13, 12), {"size": [5, 7], "mode": "bilinear", "alignCorners": True}),
             ("corners x2", (1, 3, 4, 5), {"scaleFactor": 2, "mode": "bilinear", "alignCorners": True}),
             ("corners to one pixel", (1, 2, 5, 4), {"size": [1, 1], "mode": "bilinear", "alignCorners": True}),
             ("corners from one column", (1, 2, 4, 1), {"size": [7, 3], "mode": "bilinear", "alignCorners": True}),
             ("half-pixel x8, 21 classes", (1, 21, 2, 3), {"scaleFactor": 8, **down})]
    names = {"scaleFactor": "scale_factor", "alignCorners": "align_corners"}
    for label, shape, options in table:
        x = randn(*shape)
        torch_options = {names.get(k, k): v for k, v in options.items()}
        def budgets(out, g, options=options, x=x):
            if options["mode"] == "nearest":
                return {"output": EXACT, "x": contraction(max(2, out.numel() // x.numel()), g)}
            # float32 weights near 1 carry the rounding of a coordinate of up to W pixels.
            terms = 4 * max(*x.shape[2:], *out.shape[2:])
            return {"output": Budget(terms, rms(x)), "x": contraction(terms, g)}
        family.record("interpolate", label, {"x": x}, lambda x: F.interpolate(x, **torch_options), budgets, options)
    return family
