#!/usr/bin/python3
"""Metrics that axmul prints and stores, against NumPy on the same asymmetric tables: brute_force.py AXMUL."""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import h5py
import numpy as np

AXMUL = sys.argv[1]
LOW = {"u8u8": (0, 0), "s8s8": (-128, -128), "u8s8": (0, -128)}


def run(*words):
    return subprocess.run([AXMUL, *map(str, words)], check=True, capture_output=True, text=True).stdout


def close(name, ours, wanted, scale):
    assert abs(ours - wanted) <= 1e-11 * scale, (name, ours, wanted)


def check(metrics, table, a, b, p):
    """table, p: 256x256, row = a."""
    exact = np.outer(a, b)
    error = (table - exact).astype(np.float64)
    bias = (p * error).sum()
    absolute = np.abs(error)
    rmse = np.sqrt((p * error**2).sum())
    close("bias", metrics["bias"], bias, (p * absolute).sum())
    close("mae", metrics["mae"], (p * absolute).sum(), (p * absolute).sum())
    close("rmse", metrics["rmse"], rmse, rmse)
    close("error_std", metrics["error_std"], np.sqrt((p * (error - bias) ** 2).sum()), rmse)
    close("error_rate", metrics["error_rate"], p[error != 0].sum(), 1)
    close("nmed", metrics["nmed"], (p * absolute).sum() / np.abs(exact).max(), 1)
    nonzero = exact != 0
    relative = np.zeros_like(error)
    relative[nonzero] = absolute[nonzero] / np.abs(exact[nonzero])
    close("mred", metrics["mred_exclude_zero"], (p * relative).sum() / p[nonzero].sum(), relative.max())
    at_least_one = absolute / np.maximum(1, np.abs(exact))
    close("mred_max_one", metrics["mred_max_one"], (p * at_least_one).sum(), at_least_one.max())
    seen = np.where(p > 0, absolute, -1)
    row, col = np.unravel_index(np.argmax(seen), seen.shape)
    assert metrics["wce"] == seen.max()
    assert (metrics["wce_a"], metrics["wce_b"]) == (a[row], b[col])
    if "joint" not in metrics:
        pa, pb = p.sum(1), p.sum(0)
        r = (error @ pb) - bias
        c = (pa @ error) - bias
        interaction = error - bias - r[:, None] - c[None, :]
        for name, part in (("anova_row", (pa * r**2).sum()), ("anova_col", (pb * c**2).sum()),
                           ("anova_interaction", (p * interaction**2).sum())):
            close(name, metrics[name], part, rmse**2)


with tempfile.TemporaryDirectory() as folder:
    folder = Path(folder)
    random = np.random.default_rng(7)
    for kind, (low_a, low_b) in LOW.items():
        a, b = np.arange(low_a, low_a + 256), np.arange(low_b, low_b + 256)
        table = (np.outer(a, b) + random.integers(-900, 700, (256, 256))).astype(np.int32)
        np.save(folder / "t.npy", table)
        pa = random.random(256) * (random.random(256) < 0.3)
        counts = random.integers(0, 1000, 256)
        (folder / "a.csv").write_text("\n".join(repr(float(x)) for x in pa / pa.sum()) + "\n")
        np.save(folder / "b.npy", counts)
        pa, pb = pa / pa.sum(), counts / counts.sum()
        options = ["--type", kind, "--index", "value", "--order", "ab"]
        text = run("characterize", folder / "t.npy", "--a", f"file({folder}/a.csv)", "--b",
                   f"file({folder}/b.npy)", "--format", "json", *options)
        figures = json.loads(text)["multipliers"][0]["distributions"][0]["metrics"]
        check(figures, table, a, b, np.outer(pa, pb))
        joint = random.random((256, 256)) * (random.random((256, 256)) < 0.1)
        joint /= joint.sum()
        np.save(folder / "joint.npy", joint)
        text = run("characterize", folder / "t.npy", "--joint", folder / "joint.npy", "--format", "json",
                   *options)
        figures = json.loads(text)["multipliers"][0]["distributions"][0]["metrics"]
        assert figures["anova_row"] is None
        check({**figures, "joint": True}, table, a, b, joint)

        run("export", folder / "t.npy", "-o", folder / "t.h5", "--force", *options)
        with h5py.File(folder / "t.h5") as file:
            group = file[kind]
            assert group["product"].dtype == np.int32 and group["error"].dtype == np.int32
            assert (group["product"][0] == table).all()
            assert (group["error"][0] == table - np.outer(a, b)).all()
            assert (group["operand_a"][:] == a).all() and (group["operand_b"][:] == b).all()
            assert [d.label for d in group["error"].dims] == ["multiplier", "operand_a", "operand_b"]
            close("h5 mae", group["mae"][0, 0], np.abs(table - np.outer(a, b)).mean(), 1000)
