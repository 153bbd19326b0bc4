#!/usr/bin/env python3
"""The estimate of energy against an independent judge: the table of bench/README.md#energy.

    bench/judge_energy.py build/release/bin/axmul --traces resnet20.h5 --layers layer1.1.conv1,layer3.0.conv2 CIRCUIT...

runs `axmul cost --judge yosys` (yosys, abc, OpenSTA and Icarus Verilog on the Liberty library of Debian's
qflow-tech-osu018) on all circuits and prints, for uniform, traced and held operands, Spearman's correlation and the
relative error of the estimate. --judged FILE.csv keeps the judge's figures, and takes them from there when it exists.
"""

import argparse
import csv
import json
import math
import os
import re
import statistics
import subprocess
import sys


def rank(values):
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0.0] * len(values)
    i = 0
    while i < len(order):
        j = i
        while j + 1 < len(order) and values[order[j + 1]] == values[order[i]]:
            j += 1
        for k in range(i, j + 1):
            ranks[order[k]] = (i + j) / 2
        i = j + 1
    return ranks


def spearman(x, y):
    rx, ry = rank(x), rank(y)
    mx, my = statistics.fmean(rx), statistics.fmean(ry)
    covariance = sum((a - mx) * (b - my) for a, b in zip(rx, ry))
    return covariance / math.sqrt(sum((a - mx) ** 2 for a in rx) * sum((b - my) ** 2 for b in ry))


def estimate(row, part):
    """With that part of the glitches; the file's estimate has its own."""
    return row["estimate"] - row["estimate_glitches"] + part * row["raw_glitches"]


def errors(rows, part):
    """Relative errors once one factor, the median ratio in these rows, has made the units alike."""
    ratios = [math.log(estimate(r, part) / r["judge_fj"]) for r in rows]
    centre = statistics.median(ratios)
    return [math.exp(ratio - centre) - 1 for ratio in ratios]


def quantile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, math.ceil(share * len(values)) - 1)]


def glitch_share(rows, part):
    """Mean distance of the estimate's share of glitches (of energy) from the judge's (of transitions)."""
    return statistics.fmean(abs(part * r["raw_glitches"] / estimate(r, part) -
                                (1 - r["judge_settled_toggles"] / r["judge_toggles"])) for r in rows)


def fit(rows):
    """The part of the glitches that gives the judge's share of them."""
    return min((part / 20 for part in range(0, 41)), key=lambda part: glitch_share(rows, part))


def estimates(options):
    """Of this build: {(design, operands, layer): (energy, glitches)}."""
    text = subprocess.run([options.axmul, "cost", *options.circuits, "--traces", options.traces, "--layers",
                           options.layers, "--format", "json"], check=True, capture_output=True, text=True).stdout
    found = {}
    for design in json.loads(text)["designs"]:
        def add(way, layer, energy):
            found[design["name"], way, layer] = energy["switching_energy"], energy["glitch_energy"]
        add("uniform", "", design["uniform_energy"])
        for layer in design["layers"]:
            add("traced", layer["layer"], layer["traced_energy"])
            add("held", layer["layer"], layer["held_energy"])
    return found


def read(path, part, now):
    rows = []
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            row = {k: (v if k in ("design", "layer", "operands") else float(v)) for k, v in row.items()}
            key = row["design"], row["operands"], row["layer"]
            row["estimate"], row["estimate_glitches"] = now[key]
            row["way"] = " ".join(t for t in (row["operands"], row["layer"]) if t)
            row["raw_glitches"] = row["estimate_glitches"] / part
            rows.append(row)
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("axmul")
    parser.add_argument("circuits", nargs="+")
    parser.add_argument("--traces", required=True)
    parser.add_argument("--layers", required=True)
    parser.add_argument("--changes", default="1500")
    parser.add_argument("--judged", default="judged.csv")
    parser.add_argument("--glitch-part", type=float, required=True, help="of this build: glitch_part() of axmul")
    parser.add_argument("--least", type=float, default=0.01,
                        help="share of the greatest energy below which a circuit is off under those operands: the "
                             "judge counts too few of its transitions")
    options = parser.parse_args()
    if not os.path.exists(options.judged):
        subprocess.run([options.axmul, "cost", *options.circuits, "--judge", "yosys", "--judge-changes",
                        options.changes, "--traces", options.traces, "--layers", options.layers, "--format", "csv",
                        "-o", options.judged], check=True)
    rows = read(options.judged, options.glitch_part, estimates(options))
    most = {}
    for row in rows:
        most[row["way"]] = max(most.get(row["way"], 0), row["judge_fj"])
    tiny = [r for r in rows if r["judge_fj"] < options.least * most[r["way"]]]
    rows = [r for r in rows if r not in tiny]
    ways = list(dict.fromkeys(r["way"] for r in rows))
    designs = sorted({r["design"] for r in rows})
    narrow = sum(not re.match(r"mul8[us]_", d) for d in designs)
    print(f"{len(designs)} circuits: {len(designs) - narrow} of 8 × 8 bits, {narrow} narrower\n")
    for way in ways:
        off = [r["design"] for r in tiny if r["way"] == way]
        print(f"off ({options.least:.0%} of the greatest energy or less), {way}: {len(off)} {' '.join(off)}")
    print("\n| operands | circuits | Spearman | median error | 90 % below | without glitches: Spearman | 90 % below |")
    print("|---|---|---|---|---|---|---|")
    for name, chosen in [(w, [w]) for w in ways] + [("all", ways)]:
        some = [r for r in rows if r["way"] in chosen]
        line = [name, str(len(some))]
        for part in (options.glitch_part, 0.0):
            found = [abs(e) for e in errors(some, part)]
            line.append(f"{spearman([estimate(r, part) for r in some], [r['judge_fj'] for r in some]):.3f}")
            if part:
                line.append(f"{statistics.median(found):.3f}")
            line.append(f"{quantile(found, 0.9):.3f}")
        print("| " + " | ".join(line) + " |")
    print("\nworst five:")
    for way in ways:
        some = [r for r in rows if r["way"] == way]
        worst = sorted(zip(errors(some, options.glitch_part), some), key=lambda e: -abs(math.log1p(e[0])))[:5]
        print(f"  {way}: " + ", ".join(f"{r['design']} {1 + e:.2f}×" for e, r in worst))
    halves = [[r for r in rows if designs.index(r["design"]) % 2 == half] for half in (0, 1)]
    print("\npart of the glitches, fitted on one half of the circuits and tried on the other:")
    for own, other in (halves, halves[::-1]):
        part = fit(own)
        found = [abs(e) for w in ways for e in errors([r for r in other if r["way"] == w], part)]
        print(f"  {part:.2f}: 90 % of the other half's errors below {quantile(found, 0.9):.3f}")
    print(f"  all: {fit(rows):.2f}, mean distance of the shares {glitch_share(rows, fit(rows)):.3f}")


if __name__ == "__main__":
    sys.exit(main())
