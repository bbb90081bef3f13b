"""Writes the TIFF files of test/golden/tiff, and their values as numpy has them (expected.json); PIL reads back what it can.

python3 test/golden/tiff_files.py test/golden/tiff
"""

import json
import os
import struct
import sys

import numpy as np
from PIL import Image

H, W = 5, 7
UNITS = {2: 1, 3: 2, 4: 4}


def write(path, array, photometric=1, extra=None, big=False, tiled=False, planar=False, nodata=None, pages=1):
    """An uncompressed little-endian TIFF of one strip or tile a plane."""
    array = np.ascontiguousarray(array if array.ndim == 3 else array[:, :, None])
    height, width, bands = array.shape
    planes = [np.ascontiguousarray(array[:, :, c]).tobytes() for c in range(bands)] if planar else [array.tobytes()]
    if tiled:
        tile = np.zeros((16, 16, bands), array.dtype)
        tile[:height, :width] = array
        planes = [tile.tobytes()]
    kind = {"u": 1, "i": 2, "f": 3}[array.dtype.kind]
    head, entry, count_size, inline = (16, 20, 8, 8) if big else (8, 12, 2, 4)
    places = [f"@{i}" for i in range(len(planes))]
    sizes = [len(plane) for plane in planes]
    tags = [
        (256, 3, [width]), (257, 3, [height]), (258, 3, [array.dtype.itemsize * 8] * bands), (259, 3, [1]),
        (262, 3, [photometric]), (277, 3, [bands]), (284, 3, [2 if planar else 1]), (339, 3, [kind] * bands),
    ]
    if tiled:
        tags += [(322, 3, [16]), (323, 3, [16]), (324, 4, places), (325, 4, sizes)]
    else:
        tags += [(273, 4, places), (278, 3, [height]), (279, 4, sizes)]
    if extra is not None:
        tags.append((338, 3, extra))
    if nodata is not None:
        tags.append((42113, 2, list((nodata + "\0").encode())))
    tags.sort()
    after = head + count_size + entry * len(tags) + inline
    first = after + sum(len(v) * UNITS[t] for _, t, v in tags if len(v) * UNITS[t] > inline)
    starts = [first + sum(sizes[:i]) for i in range(len(sizes))]
    directory, block = struct.pack("<Q" if big else "<H", len(tags)), b""
    for tag, kind, values in tags:
        form = {2: "<B", 3: "<H", 4: "<I"}[kind]
        raw = b"".join(struct.pack(form, starts[int(v[1:])] if isinstance(v, str) else v) for v in values)
        directory += struct.pack("<HHQ" if big else "<HHI", tag, kind, len(values))
        if len(raw) > inline:
            directory += struct.pack("<Q" if big else "<I", after + len(block))
            block += raw
        else:
            directory += raw.ljust(inline, b"\0")
    directory += b"\0" * inline
    header = b"II" + (struct.pack("<HHHQ", 43, 8, 0, 16) if big else struct.pack("<HI", 42, 8))
    with open(path, "wb") as file:
        file.write(header + directory + block + b"".join(planes))


def main(folder):
    os.makedirs(folder, exist_ok=True)
    ramp = np.arange(H * W).reshape(H, W)
    deep = ramp * 120
    rgb = np.stack([deep, deep // 2, 4080 - deep], -1)
    four = np.dstack([rgb, ramp * 9])
    holed = (ramp / (H * W - 1)).astype(np.float32)
    holed[0, 0], holed[1, 1], holed[2, 2] = np.nan, np.inf, -np.inf
    files = {
        "uint16": (deep.astype(np.uint16), {}),
        "int16": ((deep - 1000).astype(np.int16), {}),
        "int32": ((deep - 1000).astype(np.int32), {}),
        "uint32": ((deep * 1000000).astype(np.uint32), {}),
        "int8": ((ramp * 5 - 100).astype(np.int8), {}),
        "float32": ((ramp / 7 - 2).astype(np.float32), {}),
        "float32-holes": (holed, {}),
        "uint16-rgb": (rgb.astype(np.uint16), {"photometric": 2}),
        "int16-rgb": ((rgb - 1000).astype(np.int16), {"photometric": 2}),
        "int32-rgb": ((rgb - 1000).astype(np.int32), {"photometric": 2}),
        "float32-rgb": ((rgb / 4080).astype(np.float32), {"photometric": 2}),
        "uint16-rgba": (four.astype(np.uint16), {"photometric": 2, "extra": [2]}),
        "uint16-rgb-and-more": (four.astype(np.uint16), {"photometric": 2, "extra": [0]}),
        "uint16-three-grey": (rgb.astype(np.uint16), {"extra": [0, 0]}),
        "uint16-three-unexplained": (rgb.astype(np.uint16), {}),
        "int16-three-grey": ((rgb - 1000).astype(np.int16), {"extra": [0, 0]}),
        "float32-three-grey": ((rgb / 4080).astype(np.float32), {"extra": [0, 0]}),
        "uint8-three-grey": ((rgb // 16).astype(np.uint8), {"extra": [0, 0]}),
        "uint16-tiled": (deep.astype(np.uint16), {"tiled": True}),
        "uint16-big": (deep.astype(np.uint16), {"big": True}),
        "uint16-planar": (rgb.astype(np.uint16), {"photometric": 2, "planar": True}),
        "uint16-nodata": (deep.astype(np.uint16), {"nodata": "0"}),
        # Those that are refused.
        "float16": ((ramp / 7).astype(np.float16), {}),
        "float64": (ramp / 7, {}),
        "uint16-two": (rgb[:, :, :2].astype(np.uint16), {"extra": [0]}),
        "uint8-two": ((rgb[:, :, :2] // 16).astype(np.uint8), {"extra": [0]}),
        "uint8-four-grey": ((four // 16).astype(np.uint8), {"extra": [0, 0, 0]}),
        "uint16-five": (np.dstack([four, ramp]).astype(np.uint16), {"extra": [0] * 4}),
        "uint8-six": ((np.dstack([rgb, rgb]) // 16).astype(np.uint8), {"photometric": 2, "extra": [0] * 3}),
    }
    expected = {}
    for name, (array, options) in files.items():
        path = os.path.join(folder, f"{name}.tif")
        write(path, array, **options)
        expected[name] = {
            "shape": list(array.shape),
            "values": [float(v) if np.isfinite(v) else str(v) for v in array.ravel().astype(np.float64)],
        }
        if name in ("uint16", "int32", "float32", "uint16-tiled"):
            assert np.array_equal(np.asarray(Image.open(path)).astype(np.float64), array.astype(np.float64)), name
    pages = [Image.fromarray((rgb // 16 + 10 * i).astype(np.uint8)) for i in range(3)]
    pages[0].save(os.path.join(folder, "pages.tif"), save_all=True, append_images=pages[1:])
    pages[0].quantize(16).save(os.path.join(folder, "palette.tif"))
    for name, image in (("pages", pages[0]), ("palette", pages[0].quantize(16).convert("RGB"))):
        array = np.asarray(image)
        expected[name] = {"shape": list(array.shape), "values": array.ravel().astype(int).tolist()}
    with open(os.path.join(folder, "expected.json"), "w") as file:
        json.dump(expected, file)
        file.write("\n")


main(sys.argv[1])
