"""Writes MAT-files as the data sets have them, with scipy: test/golden/mat/*.mat. Run: /usr/bin/python3 test/golden/mat_files.py

The value at row y, column x is label(y, x, classes), which the test computes too.
"""

import os

import numpy as np
import scipy.io
import scipy.sparse

HEIGHT, WIDTH = 7, 5
OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "mat")


def label(y, x, classes):
    return (3 * y + 5 * x) % classes


def plane(classes, dtype, first=0):
    return np.array([[label(y, x, classes) + first for x in range(WIDTH)] for y in range(HEIGHT)], dtype=dtype)


def save(name, variables, compress=True):
    scipy.io.savemat(os.path.join(OUT, name + ".mat"), variables, do_compression=compress)


def boundaries():
    cells = np.empty((20, 1), dtype=object)
    for i in range(20):
        cells[i, 0] = scipy.sparse.csc_matrix(np.eye(HEIGHT, WIDTH) * (i == 3))
    return cells


def main():
    os.makedirs(OUT, exist_ok=True)
    segmentation = plane(21, np.uint8)
    categories = np.unique(segmentation[segmentation > 0]).astype(np.uint8)
    record = {"Boundaries": boundaries(), "Segmentation": segmentation, "CategoriesPresent": categories}
    save("sbd", {"GTcls": record})
    save("sbd-plain", {"GTcls": record}, compress=False)
    save("nyud", {"segmentation": plane(41, np.uint16)})
    names = np.array(["awning", "balcony", "bird"], dtype=object)
    save("siftflow-semantic", {"S": plane(34, np.float64), "names": names, "metaData": {"date": "May 2009", "size": [1.5, 2.5]}})
    save("siftflow-geometric", {"S": plane(5, np.int8, first=-1)})
    save("context", {"LabelMap": plane(459, np.uint16, first=1)})
    save(
        "kinds",
        {
            "empty": np.zeros((0, 3)),
            "text": "two words",
            "lines": np.array(["ab", "cd"]),
            "complex": np.array([[1 + 2j, 3 - 4j]]),
            "logical": np.array([[True, False, True]]),
            "big": np.array([[2**40, -(2**40)]], dtype=np.int64),
            "cube": np.arange(24, dtype=np.int32).reshape(2, 3, 4),
            "records": np.array([(1, "x"), (2, "y")], dtype=[("n", "f8"), ("t", object)]),
        },
        compress=False,
    )


if __name__ == "__main__":
    main()
