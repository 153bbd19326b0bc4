#!/usr/bin/python3
"""Natural mistakes: each is answered with what mends it. mistakes_test.py AXMUL SOURCE"""
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

AXMUL, SOURCE = sys.argv[1], Path(sys.argv[2])
LIBRARY = str(SOURCE / "luts/axmul-library.h5")

# words, exit code, what the message says
MISTAKES = [
    (["characterise", "exact"], 2, "did you mean characterize?"),
    (["characterize", "exact", "--agianst", LIBRARY], 2, "did you mean --against?"),
    (["characterize", "exact", "--outptu", "x.csv"], 2, "did you mean --output?"),
    (["characterize", "exact", "--sorted", "mae"], 2, "did you mean --sort?"),
    (["pareto", LIBRARY, "--x", "power"], 2, "did you mean power_rel?"),
    (["pareto", LIBRARY, "--y", "mread"], 2, "did you mean mred?"),
    (["characterize", "exact", "--sort", "wcee"], 2, "did you mean wce?"),
    (["characterize", "exact", "--columns", "mae,error_rat"], 2, "did you mean error_rate?"),
    (["list", LIBRARY, "--sort", "typ"], 2, "did you mean type?"),
    (["characterize", "drumm(k=6)"], 2, "did you mean drum?"),
    (["characterize", "drum(k6)"], 2, "parameter=value"),
    (["characterize", "drum(n=6)"], 2, "it takes k, type"),
    (["characterize", "drum(k=99)"], 2, "must be"),
    (["characterize", "drum:k=99"], 2, "must be"),
    (["info", LIBRARY + ":drum(k=66)"], 3, "drum(k=6)"),
    (["characterize", "mul.NPY"], 3, "there is mul.npy"),
    (["characterize", "mul.bin"], 3, "there is mul.npy"),
    (["characterize", "mull.npy"], 3, "there is mul.npy"),
    (["characterize", "folder/mul.npy"], 3, "there is no folder folder"),
    (["characterize", "exact", "--a", "h.csv"], 2, "file(h.csv)"),
    (["characterize", "exact", "--a", "file(H.csv)"], 3, "there is h.csv"),
    (["characterize", "exact", "--a", "gaussian(std=20)"], 2, "known are"),
    (["characterize", "exact", "--a", "normal(sigma=20)"], 2, "it takes mean"),
    (["characterize", "exact", "--a", "samples(wide.npy)"], 3, "the operand takes integers 0 … 255"),
    (["characterize", "exact", "-o", "out.xlsx"], 2, "--format"),
    (["characterize", "exact", "-o", "taken.json"], 4, "--force"),
    (["characterize", "exact", "--x", "mae"], 2, "--against"),
    (["convert", "mul.npy"], 2, "--output"),
    (["convert", "mul.npy", "a.h", "-o", "b.h"], 2, "two files"),
    (["plot", "heatmp", "exact"], 2, "heatmap"),
    (["plot", "heatmap", LIBRARY], 3, "FILE:NAME"),
    (["plot", "run", "mul.npy"], 3, "run"),
    (["report", "nothing.h5"], 3, "no such file"),
    (["predict", "--library", LIBRARY], 2, "--traces"),
    (["info", "plain.json"], 3, "schema"),
    (["help", "metric"], 2, "help metrics"),
    (["metrics"], 2, "help metrics"),
]


def axmul(folder, words, **environment):
    return subprocess.run([AXMUL, *words], cwd=folder, capture_output=True, text=True, timeout=120,
                          env={**os.environ, **environment})


def works(folder):
    """What people type and what should simply work."""
    def out(*words, **environment):
        done = axmul(folder, words, **environment)
        assert done.returncode == 0, (words, done.stderr)
        return done.stdout

    first = json.loads(out("characterize", "drum(k=6)", "--format", "json"))["multipliers"][0]
    for text in ("DRUM(k=6)", "drum:k=6", "Drum( K = 6 )"):
        again = json.loads(out("characterize", text, "--format", "json"))["multipliers"][0]
        assert again["sha256"] == first["sha256"] and again["name"] == "drum(k=6)", text
    named = json.loads(out("characterize", "exact", "--a", "acts=file(h.csv)", "--format", "json"))
    assert named["multipliers"][0]["distributions"][0]["a"] == "acts=file(h.csv)"
    table = out("characterize", "exact", "--a", "acts=file(h.csv)", "--a", "uniform")
    assert " acts " in table and "file(h.csv)" not in table
    # samples: the histogram of the values, as NumPy counts them
    samples = json.loads(out("characterize", "mul.npy", "--a", "samples(x.npy)", "--format", "json"))
    counted = json.loads(out("characterize", "mul.npy", "--a", "file(counts.csv)", "--format", "json"))
    metrics = [json.dumps(r["multipliers"][0]["distributions"][0]["metrics"]) for r in (samples, counted)]
    assert metrics[0] == metrics[1]
    out("convert", "mul.npy", "copy.h")
    assert (folder / "copy.h").exists()
    # arranged tables, against Python
    rows = json.loads(out("characterize", LIBRARY, "--format", "json"))["multipliers"]
    order = sorted((m["distributions"][0]["metrics"]["mred"], i) for i, m in enumerate(rows))
    text = out("characterize", LIBRARY, "--sort", "mred", "--columns", "mred,wce,area_um2", "--top", "5", "--format", "csv")
    lines = text.splitlines()
    assert lines[0] == "multiplier,mred,wce,area_um2" and len(lines) == 6, lines
    import csv
    assert [row[0] for row in csv.reader(lines[1:])] == [rows[i]["name"] for _, i in order[:5]]
    falling = out("characterize", LIBRARY, "--sort=-mae", "--columns", "mae", "--top", "1", "--format", "csv")
    worst = max(rows, key=lambda m: m["distributions"][0]["metrics"]["mae"])["name"]
    assert worst in falling, (worst, falling)
    for words in (["list", LIBRARY], ["pareto", LIBRARY], ["cost", "exact"], ["compare", "exact", "exact"],
                  ["info", "exact"], ["characterize", "exact", "--against", LIBRARY]):
        text = out(*words, "--format", "csv")
        assert len({len(row) for row in csv.reader(text.splitlines())}) == 1, (words, text)
    assert "14850" not in out("characterize", "exact") and "e+0" not in out("characterize", LIBRARY)
    # 60 columns
    for words in (["characterize", LIBRARY], ["list", LIBRARY], ["pareto", LIBRARY], ["--help"],
                  ["characterize", "--help"], ["predict", "--help"], ["help", "metrics"], ["plot", "pareto", "--help"]):
        wide = [line for line in out(*words, COLUMNS="60").splitlines()
                if len(line) > 60 and len(line.split()) > 1 and "axmul" not in line]
        assert not wide, (words, wide[:3])
    for topic in ("metrics", "distributions", "formats", "orders", "models"):
        assert len(out("help", topic).splitlines()) > 5
    points = len(json.loads((folder / "run.json").read_text())["points"])
    assert re.search(rf"points +{points}\n", out("info", "run.json")), out("info", "run.json")
    assert "rank_error" in out("characterize", "exact", "--rank")
    assert "q0.9" in out("characterize", "drum(k=6)", "--quantile", "0.9")


def terminal(*words, **environment):
    """What a terminal of 70 columns is sent."""
    import fcntl
    import pty
    import struct
    import termios
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 70, 0, 0))
    cleaned = {k: v for k, v in os.environ.items() if k not in ("LC_ALL", "LC_CTYPE", "LANG", "COLUMNS")}
    process = subprocess.Popen([AXMUL, *words], stdout=slave, stderr=subprocess.DEVNULL, env={**cleaned, **environment})
    os.close(slave)
    text = b""
    while True:
        try:
            part = os.read(master, 65536)
        except OSError:
            break
        if not part:
            break
        text += part
    os.close(master)
    assert process.wait() == 0
    return text


def terminals():
    plain = terminal("characterize", "drum(k=6)", LC_ALL="C")
    assert plain.isascii() and b"sigma" in plain, plain
    utf8 = terminal("characterize", "drum(k=6)", "--color", "never", LANG="en_GB.UTF-8").decode()
    assert "σ" in utf8 and all(len(line) <= 70 for line in utf8.splitlines()), utf8


def main():
    terminals()
    failed = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        random = np.random.default_rng(1)
        a = np.arange(256)
        np.save(folder / "mul.npy", (a[:, None] * a[None, :] & ~3).astype(np.int32))
        (folder / "h.csv").write_text("\n".join(str(1 + i % 5) for i in range(256)))
        samples = np.minimum(random.geometric(0.02, (40, 25)), 255)
        np.save(folder / "x.npy", samples.astype(np.uint8))
        (folder / "counts.csv").write_text("\n".join(map(str, np.bincount(samples.ravel(), minlength=256))))
        np.save(folder / "wide.npy", np.array([1, 2, 300]))
        (folder / "taken.json").write_text("{}")
        (folder / "plain.json").write_text("{}")
        (folder / "run.json").write_text((SOURCE / "bench/records/resnet20-lossless.json").read_text())
        assert len(MISTAKES) >= 30
        for words, code, hint in MISTAKES:
            done = axmul(folder, words)
            if done.returncode != code or hint not in done.stderr:
                failed.append(f"{' '.join(words)}: exit code {done.returncode}, not {code}; {done.stderr.strip()!r} lacks {hint!r}")
        works(folder)
    print("\n".join(failed) or "ok")
    sys.exit(bool(failed))


main()
