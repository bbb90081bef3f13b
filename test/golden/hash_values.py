"""Start values that need no storage: a 32-bit integer hash of (name, element index).

test/support/golden.ts computes the same bits. Every value is k * 2^-23 * bound with k a 24-bit integer,
rounded once to float32, so both languages agree exactly.
"""
import numpy as np


def name_hash(name: str) -> int:
    """FNV-1a, 32 bits."""
    value = 0x811C9DC5
    for byte in name.encode():
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value


def hash_u32(name: str, count: int) -> np.ndarray:
    """MurmurHash3's finaliser over a Weyl sequence that starts at the name's hash."""
    with np.errstate(over="ignore"):
        z = np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B9) + np.uint32(name_hash(name))
        z ^= z >> np.uint32(16)
        z *= np.uint32(0x85EBCA6B)
        z ^= z >> np.uint32(13)
        z *= np.uint32(0xC2B2AE35)
        z ^= z >> np.uint32(16)
    return z


def uniform(name: str, shape, bound: float) -> np.ndarray:
    """float32 in [-bound, bound)."""
    count = int(np.prod(shape)) if len(shape) else 1
    k = (hash_u32(name, count) >> np.uint32(8)).astype(np.int64) - (1 << 23)
    unit = (k.astype(np.float64) / (1 << 23)).astype(np.float32)
    return (unit * np.float32(bound)).reshape(shape)


def start_value(kind: str, name: str, shape) -> np.ndarray:
    """The rules by which a state dict is filled; `kind` is stored in the golden file."""
    if kind == "he":
        fan_in = int(np.prod(shape[1:]))
        return uniform(name, shape, np.float32(np.sqrt(6.0 / fan_in)))
    if kind in ("quarterHe", "quarterScale"):
        return np.float32(0.25) * start_value({"quarterHe": "he", "quarterScale": "scale"}[kind], name, shape)
    if kind == "scale":
        return np.float32(1.0) + uniform(name, shape, 0.25)
    if kind == "shift":
        return uniform(name, shape, 0.125)
    if kind == "zeros":
        return np.zeros(shape, np.float32)
    if kind == "ones":
        return np.ones(shape, np.float32)
    if kind == "bilinear":
        return bilinear_kernel(shape)
    raise ValueError(kind)


def bilinear_kernel(shape) -> np.ndarray:
    """[in, out, k, k], the same tent on each matching pair of channels, zero elsewhere."""
    channels_in, channels_out, k, _ = shape
    factor = (k + 1) // 2
    centre = factor - 1 if k % 2 else factor - 0.5
    tent = 1 - np.abs(np.arange(k) - centre) / factor
    weight = np.zeros(shape, np.float32)
    for c in range(min(channels_in, channels_out)):
        weight[c, c] = np.outer(tent, tent)
    return weight


def labels(batch: int, height: int, width: int, classes: int) -> np.ndarray:
    """int32 blocks of one class with a void (255) lattice and a void top row in the second image."""
    n, y, x = np.meshgrid(np.arange(batch), np.arange(height), np.arange(width), indexing="ij")
    label = (y // 11 * 5 + x // 13 * 3 + n * 7) % classes
    label[(y * 3 + x * 5) % 29 == 0] = 255
    label[(n == 1) & (y == 0)] = 255
    return label.astype(np.int32)


def image(name: str, target: np.ndarray, channels: int) -> np.ndarray:
    """float32 [N, C, H, W]: hash noise in [-0.5, 0.5) plus a class colour in quarters."""
    n, h, w = target.shape
    noise = uniform(name, (n, channels, h, w), 0.5)
    c = np.arange(channels).reshape(1, channels, 1, 1)
    colour = ((target[:, None].astype(np.int64) * 7 + c * 5) % 11 - 5).astype(np.float32) / np.float32(4)
    return noise + colour
