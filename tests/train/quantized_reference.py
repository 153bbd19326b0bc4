"""8-bit arithmetic of a layer as src/train/README.md words it, in NumPy."""
import numpy as np


def effective(kind, encoding, low):
    """The operand type that is looked up (or would be, for the exact product, kind None)."""
    if kind == "s8s8" or encoding == "s8s8" and kind is None:
        return "s8s8"
    if encoding == "affine" and kind in ("u8u8", None):
        return "u8u8"
    return "u8s8" if low >= 0 else "s8s8"


def grid(low, high, operands):
    """Scale, zero point, least and largest operand of activations between low and high."""
    low, high = min(0.0, low), max(0.0, high)
    if low == high:  # always 0: any scale will do, and axmul takes 1
        low, high, scale = 0.0, 0.0, 1.0
    elif operands == "s8s8":
        scale = max(-low, high) / 127.0
    else:
        scale = (high - low) / 255.0 if operands == "u8u8" else high / 255.0
    if operands == "s8s8":
        return scale, 0, -127, 127
    return scale, int(np.rint(-low / scale)) if operands == "u8u8" else 0, 0, 255


def quantized(x, scale, lowest, highest):
    """round half to even of x / scale as float32 arithmetic does it, as integers."""
    t = x.astype(np.float32) * np.float32(1.0 / scale)
    return np.rint(np.clip(t, np.float32(lowest), np.float32(highest))).astype(np.int64)
