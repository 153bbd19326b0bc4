#!/usr/bin/env python3
"""Are the ratios of axmul bench worth something, and does it say so when they are not?

Runs it five times on the machine as it is and five times while another program keeps one core busy.
Without load no run may be called disturbed; under load the ratios of runs that are not called so
may differ by 20 % at most from each other. Exit code 1 when that does not hold.

    bench/bench_under_load.py build/release/axmul [options of axmul bench]
"""
import json
import subprocess
import sys

BUSY = "x = 0\nwhile True: x = (x * 3 + 1) % 1000003"


def run(program, options):
    out = subprocess.run([program, "bench", "--format", "json", *options], check=True,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    return json.loads(out)


def ratios(report):
    for r in report["results"]:
        shape = r["shape"]
        for name, value in r["ratio_to"].items():
            if value is not None:
                yield f"{shape['m']}x{shape['k']}x{shape['n']} {r['lut']} / {name}", value


def show(title, reports):
    print(title)
    for report in reports:
        worst = max(r["largest_difference"] for r in report["results"])
        print(f"  clock {report['clock_ghz']:.2f} GHz, rounds differ by up to {100 * worst:.0f} %"
              f"{', disturbed' if report['disturbed'] else ''}")
    quiet = [report for report in reports if not report["disturbed"]]
    table = {}
    for report in quiet:
        for name, value in ratios(report):
            table.setdefault(name, []).append(value)
    worst = 1.0
    for name, values in table.items():
        spread = max(values) / min(values)
        worst = max(worst, spread)
        print(f"  {name:44} {min(values):7.2f} … {max(values):7.2f}  ×{spread:.2f}")
    return len(quiet), worst


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    program, options = sys.argv[1], sys.argv[2:]
    silent, _ = show("no load", [run(program, options) for _ in range(5)])
    load = subprocess.Popen([sys.executable, "-c", BUSY])
    try:
        reports = [run(program, options) for _ in range(5)]
    finally:
        load.kill()
        load.wait()
    _, worst = show("one core busy", reports)
    good = silent == 5 and worst <= 1.2
    print(f"{silent} of 5 silent without load; ratios under load within ×{worst:.2f}: "
          f"{'holds' if good else 'DOES NOT HOLD'}")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
