#!/usr/bin/python3
"""Interrupting, killing and starving axmul never leaves half a file under the final name: robustness.py AXMUL."""
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np

AXMUL = sys.argv[1]


def make_designs(folder, count):
    folder.mkdir()
    exact = np.outer(np.arange(256), np.arange(256))
    random = np.random.default_rng(1)
    for i in range(count):
        np.save(folder / f"mul8u_{i}.npy", (exact + random.integers(-99, 99, (256, 256))).astype(np.int32))


def export(designs, target, **options):
    return subprocess.Popen([AXMUL, "export", str(designs), "-o", str(target), "--threads", "1"],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def wait_for_growth(folder, target):
    """Until the run's temporary file has a few tables in it."""
    for _ in range(2000):
        for path in folder.iterdir():
            if path.name.startswith(target.name) and path.stat().st_size > 300_000:
                return
        time.sleep(0.005)
    raise AssertionError("the run never started writing")


def small_files_only():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))


with tempfile.TemporaryDirectory() as scratch:
    scratch = Path(scratch)
    designs = scratch / "designs"
    make_designs(designs, 250)

    target = scratch / "interrupted.h5"
    run = export(designs, target)
    wait_for_growth(scratch, target)
    run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=60)
    assert run.returncode == 130, (run.returncode, said)
    assert not target.exists()
    partial = scratch / "interrupted.partial.h5"
    assert str(partial) in said, said
    with h5py.File(partial) as file:
        assert file.attrs["complete"] == 0
        done = file["u8u8/product"].shape[0]
        assert 0 < done < 250 and file["u8u8/mae"].shape[0] == done
        name = file["u8u8/multiplier"][done - 1]
        name = name.decode() if isinstance(name, bytes) else name
        assert (file["u8u8/product"][done - 1] == np.load(designs / f"{name}.npy")).all()
    info = subprocess.run([AXMUL, "list", str(partial)], capture_output=True, text=True)
    assert info.returncode == 0, info.stderr

    target = scratch / "killed.h5"
    run = export(designs, target)
    wait_for_growth(scratch, target)
    run.kill()
    run.communicate(timeout=60)
    assert not target.exists()

    target = scratch / "full.h5"
    run = export(designs, target, preexec_fn=small_files_only)
    _, said = run.communicate(timeout=120)
    assert run.returncode == 4, (run.returncode, said)
    assert [p for p in scratch.iterdir() if p.name.startswith("full")] == [], "something was left behind"
    run = subprocess.run([AXMUL, "characterize", str(designs), "-o", str(scratch / "full.json")],
                         preexec_fn=small_files_only, capture_output=True, text=True)
    assert run.returncode == 4, (run.returncode, run.stderr)
    assert [p for p in scratch.iterdir() if p.name.startswith("full")] == [], "something was left behind"

    with open("/dev/full", "w") as full:
        run = subprocess.run([AXMUL, "characterize", "exact"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert run.returncode == 4, (run.returncode, run.stderr)

    hostile = scratch / "hostile.h5"
    data = bytearray(partial.read_bytes())
    for cut in (0, 9, 100, 5000, len(data) // 2, len(data) - 1):
        hostile.write_bytes(data[:cut])
        run = subprocess.run([AXMUL, "characterize", str(hostile)], capture_output=True, text=True)
        assert run.returncode == 3 and "hostile.h5" in run.stderr, (cut, run.returncode, run.stderr)
