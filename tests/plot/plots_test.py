#!/usr/bin/python3
"""Pictures show the right numbers: positions read back from the SVG, and --data, against NumPy."""
import base64
import json
import re
import struct
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
import zlib
from pathlib import Path

import numpy as np

AXMUL, SOURCE = sys.argv[1], Path(sys.argv[2])
SVG = "{http://www.w3.org/2000/svg}"


def axmul(*words, code=0):
    done = subprocess.run([AXMUL, *map(str, words)], capture_output=True, text=True, timeout=300)
    assert done.returncode == code, (words, done.returncode, done.stderr)
    return done


def axis(group, name):
    """Pixels → values, from the attribute that the series carries."""
    kind, low, high, start, end = group.get(f"data-{name}").split()
    low, high, start, end = map(float, (low, high, start, end))
    if kind == "linear":
        return lambda pixel: low + (high - low) * (pixel - start) / (end - start)
    return lambda pixel: low * (high / low) ** ((pixel - start) / (end - start))


def series(root, name):
    found = [g for g in root.iter(SVG + "g") if g.get("data-series") == name]
    assert len(found) == 1, (name, len(found))
    return found[0]


def columns(path):
    tables = json.loads(Path(path).read_text())["tables"]
    return {name: {key: column["values"] for key, column in table.items()} for name, table in tables.items()}


def png_indices(data):
    """Indices and palette of a PNG of 8 bits without filters or interlacing."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, chunks = 8, {}
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + size]
        assert struct.unpack(">I", data[at + 8 + size:at + 12 + size])[0] == zlib.crc32(kind + body)
        chunks[kind] = body
        at += 12 + size
    width, height = struct.unpack(">II", chunks[b"IHDR"][:8])
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, width + 1)
    assert not rows[:, 0].any()
    return rows[:, 1:], np.frombuffer(chunks[b"PLTE"], np.uint8).reshape(-1, 3)


def heatmap(folder, table, errors):
    axmul("plot", "heatmap", table, "-o", folder / "h.svg", "--data", folder / "h.json")
    data = columns(folder / "h.json")
    assert np.array_equal(np.reshape(data["error"]["error"], (256, 256)), errors)
    assert np.allclose(data["marginals"]["bias_given_a"], errors.mean(1), rtol=1e-12)
    assert np.allclose(data["marginals"]["bias_given_b"], errors.mean(0), rtol=1e-12)
    root = ET.parse(folder / "h.svg").getroot()
    image = [i for i in root.iter(SVG + "image") if i.get("class") == "map"][0]
    index, palette = png_indices(base64.b64decode(image.get("href").split(",")[1]))
    shown = index[::-1].astype(int) - 127  # row 0 of the image is the largest a
    assert np.array_equal(np.sign(shown), np.sign(errors)), "blue below the exact product, red above"
    steps = np.abs(errors) * 127 / np.abs(errors).max()
    assert (np.abs(np.abs(shown) - steps)[steps > 3] <= 0.51).all()
    assert len(set(palette[127])) == 1 and palette[0][2] > palette[0][0] and palette[-1][0] > palette[-1][2]
    csv = np.genfromtxt(axmul_csv(folder, "heatmap", table), delimiter=",", names=True)
    assert np.array_equal(csv["error"].reshape(256, 256), errors)


def axmul_csv(folder, *words):
    path = folder / "numbers.csv"
    axmul("plot", *words, "-o", folder / "again.svg", "--data", path, "--force")
    return path


def pmf(folder, table, errors):
    axmul("plot", "pmf", table, "-o", folder / "p.svg", "--data", folder / "p.json")
    data = columns(folder / "p.json")["pmf"]
    values, counts = np.unique(errors, return_counts=True)
    assert np.array_equal(data["error"], values) and np.allclose(data["probability"], counts / 65536, rtol=1e-13)
    group = series(ET.parse(folder / "p.svg").getroot(), "probability")
    x, y = axis(group, "x"), axis(group, "y")
    width = float(re.search(r"probability per (\S+) values|$", (folder / "p.svg").read_text()).group(1) or 1)
    sums = {}
    for value, count in zip(values, counts):
        if value:
            index = (abs(value) - 1) // width if width > 1 else abs(value)
            key = np.sign(value) * (width * (index + 0.5) if width > 1 else index)
            sums[key] = sums.get(key, 0) + count / 65536
    bars = {}
    for bar in group:
        left, wide, top = (float(bar.get(k)) for k in ("x", "width", "y"))
        bars[x(left + wide / 2)] = y(top)
    assert len(bars) == len(sums), (len(bars), len(sums))
    for (at, height), key in zip(sorted(bars.items()), sorted(sums)):
        assert abs(at - key) < max(width, np.ptp(values) / 300), (at, key)
        assert abs(np.log(height / sums[key])) < 0.02, (key, height, sums[key])


def bits(folder, table, product):
    axmul("plot", "bits", table, "-o", folder / "b.svg")
    a = np.arange(256)
    differ = np.bitwise_xor(product, a[:, None] * a[None, :])
    rates = [100 * ((differ >> bit) & 1).mean() for bit in range(16)]
    group = series(ET.parse(folder / "b.svg").getroot(), "bit_flip_rate")
    y = axis(group, "y")
    for bar, rate in zip(group, rates, strict=True):
        assert abs(y(float(bar.get("y"))) - rate) < 0.05, (rate, y(float(bar.get("y"))))


def pareto(folder):
    library = SOURCE / "luts/axmul-library.h5"
    axmul("plot", "pareto", library, "--y", "mred", "-o", folder / "f.svg", "--data", folder / "f.csv")
    group = series(ET.parse(folder / "f.svg").getroot(), "designs")
    x, y = axis(group, "x"), axis(group, "y")
    text = axmul("characterize", library, "--format", "json").stdout
    figures = {m["name"]: (m["cost"]["power_rel"], m["distributions"][0]["metrics"]["mred"], m["type"])
               for m in json.loads(text)["multipliers"] if m["cost"]["power_rel"] is not None}
    circles = {c.get("data-name"): c for c in group.iter(SVG + "circle") if c.get("data-name")}
    assert set(circles) == set(figures), set(circles) ^ set(figures)
    front = set()
    for name, (cost, error, kind) in figures.items():
        assert abs(x(float(circles[name].get("cx"))) - cost) < 0.01
        if error > 0:
            assert abs(np.log(y(float(circles[name].get("cy"))) / error)) < 0.03, name
        others = [f for f in figures.values() if f[2] == kind]
        if not any(c <= cost and e <= error and (c, e) != (cost, error) for c, e, _ in others):
            front.add(name)
    drawn = {name for name, circle in circles.items() if circle.get("class") != "dot"}
    assert drawn == front, drawn ^ front


def every_kind(folder):
    """Each kind draws; texts keep inside the picture and, on one line, off each other."""
    traces = folder / "traces.h5"
    record = SOURCE / "bench/records/resnet20-lossless.json"
    kinds = [["heatmap", "mitchell"], ["pmf", "mitchell"], ["conditional", "mitchell"], ["bits", "mitchell"],
             ["compare", "mitchell", "drum(k=6)", "truncated(k=4)"],
             ["pareto", "mitchell", "drum(k=6)", "--against", SOURCE / "luts/axmul-library.h5"],
             ["run", record], ["run", record, "--show", "curves"], ["run", record, "--show", "layers"]]
    write_traces(traces)
    designs = ["--library", "mitchell", "--library", "drum(k=6)"]
    kinds += [["layers", "--traces", traces, *designs], ["model", "--traces", traces, *designs]]
    for words in kinds:
        for width in ("column", "full"):
            axmul("plot", *words, "--size", width, "-o", folder / "k.svg", "--force", "--quiet")
            check_texts(words, folder / "k.svg")


def write_traces(path):
    import h5py
    random = np.random.default_rng(1)
    with h5py.File(path, "w") as file:
        file.attrs.update(format="axmul-traces", format_version="1.0")
        for index, name in enumerate(("first", "second")):
            layer = file.create_group(f"traces/network/{name}")
            layer.attrs.update(layer_index=index, type="u8u8", fan_in=9, ops=900, in_channels=1,
                               out_channels=4, groups=1, kernel_h=3, kernel_w=3, output_std=5000.0, a_scale=1.0,
                               b_scale=1.0, a_zero_point=0, b_zero_point=128)
            layer["patches"] = random.integers(0, 256, (40, 9), dtype=np.uint8)
            layer["weights"] = random.integers(60, 200, (9, 4), dtype=np.uint8)


def check_texts(words, path):
    root = ET.parse(path).getroot()
    width, height = (float(v) for v in root.get("viewBox").split()[2:])
    size = {"tick": 9, "label": 10, "name": 8.5, "title": 11, "accent-text": 9}
    boxes = []
    for text in root.iter(SVG + "text"):
        if text.get("transform"):
            continue
        x, y, points = float(text.get("x")), float(text.get("y")), size[text.get("class")]
        wide = sum(0.35 if c in "ijl.,:;|'()[] " else 0.6 for c in text.text) * points
        left = x - {"start": 0, "middle": wide / 2, "end": wide}[text.get("text-anchor", "start")]
        assert left > -3 and left + wide < width + 4 and 5 < y < height + 1, (words, text.text, left, wide, y)
        boxes.append((left, left + wide, y - 0.7 * points, y, text.text))
    for i, p in enumerate(boxes):
        for q in boxes[:i]:
            over = min(p[1], q[1]) - max(p[0], q[0]), min(p[3], q[3]) - max(p[2], q[2])
            assert over[0] < 2 or over[1] < 2, (words, p[4], q[4])


def shipped(folder):
    """README's pictures are what the commands beside them draw (but for the packing of pixels, which is zlib's)."""
    strip = re.compile(r"base64,[^\"]*")
    for words, name in ((["heatmap", "drum(k=6)"], "drum6"),
                        (["pareto", SOURCE / "luts/axmul-library.h5", "--y", "mred"], "front")):
        axmul("plot", *words, "-o", folder / f"{name}.svg", "--force")
        drawn, kept = ((path / f"{name}.svg").read_text() for path in (folder, SOURCE / "src/plot/pictures"))
        assert strip.sub("", drawn) == strip.sub("", kept), f"src/plot/pictures/{name}.svg is stale"


def mistakes(folder):
    said = axmul("plot", "heatmap", "exact", "--data", folder / "x.txt", "-o", folder / "x.svg", code=2).stderr
    assert ".csv or .json" in said
    said = axmul("plot", "compare", *["exact", "mitchell", "drum(k=3)", "drum(k=4)", "drum(k=5)", "drum(k=6)",
                                      "drum(k=7)"], code=2).stderr
    assert "AX1132" in said and "axmul plot pareto" in said
    said = axmul("plot", "run", folder, code=3).stderr
    assert "AX1133" in said and "run.json" in said
    env = {"PATH": "/nowhere"}
    done = subprocess.run([AXMUL, "plot", "bits", "exact", "-o", folder / "x.png"], capture_output=True, text=True,
                          env=env)
    assert done.returncode == 5 and "librsvg2-bin" in done.stderr, done.stderr


def main():
    product = np.fromfunction(lambda a, b: a * b - (a * b) % 7 * (a > b) + (b % 5) * (a > 99), (256, 256)).astype(np.int32)
    errors = product - np.arange(256)[:, None] * np.arange(256)[None, :]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table = folder / "t.npy"
        np.save(table, product)
        heatmap(folder, table, errors)
        pmf(folder, table, errors)
        bits(folder, table, product)
        pareto(folder)
        every_kind(folder)
        shipped(folder)
        mistakes(folder)
    print("ok")


main()
