#!/usr/bin/python3
"""Holds run() to the command: run_example_test.py EXAMPLE SOURCE PAGE AXMUL_TRAIN. The program that the
page shows is SOURCE, has at most 40 lines, prints what its record says, and `axmul train run` with the
same options writes the same files."""
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

DATA = Path("/usr/share/datasets/fashion-mnist")


def points_of(folder):
    points = json.loads((folder / "run.json").read_text())["points"]
    for point in points:
        for epochs in ("search_epochs", "retrain_epochs"):
            for epoch in point[epochs]:
                del epoch["seconds"]  # wall clock
    return points


def main():
    example, source, page, program = map(Path, sys.argv[1:])
    text = source.read_text()
    assert len(text.splitlines()) <= 40
    assert text in re.findall(r"^```cpp\n(.*?)^```", page.read_text(), re.M | re.S), page
    if not DATA.is_dir():
        print("skipped: needs Debian's dataset-fashion-mnist")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as scratch:
        folder, typed = Path(scratch) / "called", Path(scratch) / "typed"
        called = subprocess.run([example, folder], check=True, capture_output=True, text=True)
        points = points_of(folder)
        assert [p["name"] for p in points] == ["lambda-0.1", "lambda-0.5"], points
        lines = ["%s: energy %.4f, top-1 %.2f %%, %+.2f pp" %
                 (p["name"], p["relative_energy"], 100 * p["report"]["top1"],
                  100 * p["report"]["difference"]) for p in points]
        for chosen in (p for p in points if p["chosen"]):
            lines += [f"{layer['layer']} {layer['multiplier']}" for layer in chosen["layers"]]
        assert called.stdout.splitlines() == lines, called.stdout
        # Better than guessing, cheaper than exact; more worth, more noise, less energy.
        assert all(p["report"]["top1"] > 0.5 and p["report"]["images"] == 400 for p in points), points
        assert points[1]["relative_energy"] < points[0]["relative_energy"] < 1, points
        assert "lambda-0.5/search:" in called.stderr.splitlines(), called.stderr

        options = ("run lenet5 --schedule short --limit 1000 --test-limit 500 --lambda 0.1,0.5 --threads 2 "
                   "--quiet")
        subprocess.run([program, *options.split(), "--out", typed], check=True, capture_output=True)
        assert points_of(typed) == points
        for file in ("settings.json", "quantized/evaluation.json", "lambda-0.5/sigma.json",
                     "lambda-0.5/assignment.json", "lambda-0.5/evaluation.json"):
            assert (folder / file).read_bytes() == (typed / file).read_bytes(), file
        # Either goes on with what the other left.
        again = subprocess.run([program, *options.split(), "--resume", "--out", folder], check=True,
                               capture_output=True, text=True)
        assert points_of(folder) == points and "lambda-0.5" in again.stdout


if __name__ == "__main__":
    main()
