#!/usr/bin/python3
"""The run records that bench/README.md quotes: records_test.py AXMUL SOURCE_DIR. axmul reads them, every
point stands in the page with the figures of its record, and so do command and σ inside; on JPEG no
baseline beats a point of the search.
"""
import json
import pathlib
import subprocess
import sys
import unittest

AXMUL, SOURCE = sys.argv[1], pathlib.Path(sys.argv[2])
FOLDER = SOURCE / "bench/records"


def signed(value):
    return f"{100 * value:+.2f}".replace("-", "−")


def row(point):
    """A point as the page's tables have it."""
    name = point["name"].replace("lambda-", "λ ").replace("uniform-", "uniform ")
    if point["method"] == "greedy":
        name = "greedy"
    report = point["report"]
    return (f"| {name}{' (chosen)' if point['chosen'] else ''} | "
            f"{100 * (1 - point['relative_energy']):.1f} % | "
            f"{signed(point['selection']['difference'])} pp | {signed(report['difference'])} ± "
            f"{100 * report['standard_error']:.2f} pp |")


class Records(unittest.TestCase):
    def test_every_point_stands_in_the_page(self):
        page = (SOURCE / "bench/README.md").read_text()
        records = sorted(FOLDER.glob("*.json"))
        self.assertEqual([r.name for r in records], ["resnet20-jpeg.json", "resnet20-lossless.json"])
        for path in records:
            record = json.loads(path.read_text())
            self.assertIn(record["command"], page.replace(" \\\n  ", " "))
            inside, of = (sum(p[k] for p in record["points"])
                          for k in ("sigma_in_interval", "sigma_intervals"))
            self.assertIn(f"{inside} of {of}", page)
            for point in record["points"]:
                self.assertIn(row(point), page, path.name)

    def test_axmul_places_them_and_no_baseline_beats_the_search_on_jpeg(self):
        for path in FOLDER.glob("*.json"):
            placed = json.loads(subprocess.run(
                [AXMUL, "train", "pareto", str(path), "--format", "json"], check=True,
                capture_output=True, text=True).stdout)["points"]
            for method in ("search", "uniform", "greedy"):
                self.assertGreaterEqual(sum(p["method"] == method for p in placed), 4)
            if "jpeg" not in path.name:
                continue
            for point in [p for p in placed if p["method"] == "search"]:
                for other in placed:
                    if other["method"] != "search":
                        self.assertFalse(other["relative_energy"] <= point["relative_energy"] and
                                         other["difference"] >= point["difference"], other["name"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
