#!/usr/bin/python3
"""A report is one whole page: well-formed, no network, legible colours, the figures of the other commands."""
import json
import re
import subprocess
import sys
import tempfile
import time
from html.parser import HTMLParser
from pathlib import Path

AXMUL, SOURCE = sys.argv[1], Path(sys.argv[2])
VOID = {"meta", "img", "br", "link", "input", "hr"}


def axmul(*words, code=0):
    done = subprocess.run([AXMUL, *map(str, words)], capture_output=True, text=True, timeout=300)
    assert done.returncode == code, (words, done.returncode, done.stderr)
    return done


class Page(HTMLParser):
    """Checks nesting; collects ids, links, sources and the cells of tables."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.ids, self.targets, self.sources, self.rows = [], [], [], [], []
        self.cell = False
        self.feed(text)
        assert not self.open, self.open
        assert len(self.ids) == len(set(self.ids)), "an id comes twice"
        assert set(self.targets) <= set(self.ids), set(self.targets) - set(self.ids)
        assert all(source.startswith("data:") for source in self.sources), self.sources

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        if tag not in VOID:
            self.open.append(tag)
        self.ids += [found["id"]] if "id" in found else []
        for name in ("src", "href"):
            if name in found:
                (self.targets.append(found[name][1:]) if found[name].startswith("#") else self.sources.append(found[name]))
        if tag == "tr":
            self.rows.append([])
        self.cell = tag in ("td", "th")
        if self.cell:
            self.rows[-1].append("")

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (tag, self.open[-3:])
        self.open.pop()
        if tag in ("td", "th"):
            self.cell = False

    def handle_data(self, data):
        if self.cell:
            self.rows[-1][-1] += data


def luminance(color):
    color = color.lstrip("#")
    color = "".join(c * 2 for c in color) if len(color) == 3 else color
    parts = [int(color[i:i + 2], 16) / 255 for i in (0, 2, 4)]
    parts = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(x, y):
    low, high = sorted((luminance(x), luminance(y)))
    return (high + 0.05) / (low + 0.05)


def check_colors(text):
    """WCAG AA: 4.5 for text, 3 for marks, in light, dark and print."""
    blocks = re.findall(r":root\{([^}]*)\}", text)
    assert len(blocks) == 3, len(blocks)
    for block in blocks:
        colors = dict(re.findall(r"--([\w-]+):(#[0-9a-f]+)", block))
        for ground in ("ground", "panel"):
            for name in ("ink", "soft", "accent-text", "link"):
                assert contrast(colors[name], colors[ground]) >= 4.5, (name, ground, colors)
        for name in ("accent", "bar", "c1", "c2", "c3", "c4", "c5", "dot"):
            assert contrast(colors[name], colors["ground"]) >= 3, (name, contrast(colors[name], colors["ground"]))


def check_page(text):
    urls = set(re.findall(r"https?://[^\s\"'<>]+", text))
    assert urls <= {"http://www.w3.org/2000/svg"}, urls
    assert "@import" not in text and "url(" not in text
    assert "default-src 'none'" in text
    check_colors(text)
    return Page(text)


def one_design(folder):
    table = folder / "mine <b>.csv"
    table.write_text("\n".join(",".join(str(a * b - (a * b) % 5) for b in range(256)) for a in range(256)))
    page = folder / "one.html"
    axmul("report", table, "--a", "halfnormal(std=40)", "--against", SOURCE / "luts/axmul-library.h5", "--x", "mae",
          "--y", "wce", "-o", page)
    text = page.read_text()
    assert "mine <b>" not in text and "mine &lt;b&gt;" in text
    rows = {row[0]: row[1] for row in check_page(text).rows if len(row) > 1}
    metrics = json.loads(axmul("characterize", table, "--a", "halfnormal(std=40)", "--format", "json").stdout)
    metrics = metrics["multipliers"][0]["distributions"][0]["metrics"]
    for name in ("mae", "bias", "mse", "error_rate", "mred_exclude_zero", "mred_max_one", "wce"):
        shown = rows[name].replace("−", "-")
        shown = float(re.sub(r"·10(.*)", lambda m: "e" + m.group(1).translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")),
                             shown))
        assert abs(shown - metrics[name]) <= 1e-4 * abs(metrics[name]), (name, shown, metrics[name])
    for kind in ("heatmap", "pmf", "conditional", "bits", "pareto"):
        assert f'data-kind="{kind}"' in text, kind


def library(folder):
    page = folder / "library.html"
    start = time.monotonic()
    axmul("report", SOURCE / "luts/axmul-library.h5", "-o", page)
    seconds = time.monotonic() - start
    text = page.read_text()
    check_page(text)
    assert len(text) < 5_000_000, len(text)
    assert text.count("<figcaption>") >= 80
    print(f"library: {len(text)} bytes, {seconds:.2f} s")


def run(folder):
    page = folder / "run.html"
    record = SOURCE / "bench/records/resnet20-lossless.json"
    axmul("report", record, "-o", page)
    text = page.read_text()
    parsed = check_page(text)
    story = json.loads(record.read_text())
    cells = {row[0].removesuffix(" (chosen)"): row for row in parsed.rows if row}
    for point in story["points"]:
        assert abs(float(cells[point["name"]][2]) - point["relative_energy"]) < 1e-4
        difference = float(cells[point["name"]][4].split(" ")[0])
        assert abs(difference - 100 * point["report"]["difference"]) < 0.0051
    for layer in story["layers"]:
        assert layer in cells
    for word in ("covered", "seed", story["command"][:40], "814"):
        assert word in text, word
    for kind in ("run", "run-curves", "run-layers"):
        assert f'data-kind="{kind}"' in text, kind


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        one_design(folder)
        library(folder)
        run(folder)
    print("ok")


main()
