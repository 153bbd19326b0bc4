#!/usr/bin/python3
"""`axmul train run`, `search` and the way by hand with a TorchScript module: script_run_test.py
AXMUL LIBRARY. One call of the module is in no layer (a transposed convolution), so every relative
energy has to count it at 1. The images are made up, as in script_test.py.
"""
import json
import sys
import unittest

try:
    import h5py
    import numpy as np
    import torch
except ImportError as error:
    print("skipped:", error)
    sys.exit(77)
import torch.nn.functional as F
from torch import nn

import axmul_torch  # noqa: F401  (the operators of model.axmul.pt)
from script_support import Files, accuracy, axmul, power_of, run_record

AXMUL, LIBRARY = sys.argv[1:3]
LAYERS = {"stem": 16 * 16 * 8 * 27, "down": 16 * 16 * 16 * 72, "head": 2560}
LEFT = 8 * 16 * 16 * (8 * 2 * 2)  # each input of ConvTranspose2d times its 8 filters of 2·2


class Upsampling(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.bn = nn.BatchNorm2d(8)
        self.up = nn.ConvTranspose2d(8, 8, 2, stride=2)
        self.down = nn.Conv2d(8, 16, 3, stride=2, padding=1)
        self.head = nn.Linear(256, 10)

    def forward(self, x):
        x = F.relu(self.up(F.relu(self.bn(self.stem(x)))))
        return self.head(F.max_pool2d(F.relu(self.down(x)), 4).flatten(1))


def energy(layers):
    """Relative energy by hand, of dicts with ops and power_rel: what no layer holds counts 1."""
    spent = sum(layer["ops"] * layer["power_rel"] for layer in layers)
    return (spent + LEFT) / (sum(layer["ops"] for layer in layers) + LEFT)


class Run(Files):
    program = AXMUL

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        torch.manual_seed(1)
        cls.base = cls.path / "base"
        cls.run_axmul("train", "baseline", "--model", cls.export(Upsampling(), "net.pt"),
                      "--epochs", "3", "--lr", "0.05", "--batch", "25", "--augment", "none",
                      "--out", str(cls.base))
        cls.model = str(cls.base / "model.pt")

    def test_what_no_layer_holds_goes_from_the_traces_to_the_assignment(self):
        self.assertGreater(run_record(self.base)["test"]["top1"], 0.85)
        traces, sigma = str(self.path / "traces.h5"), self.path / "sigma.json"
        self.run_axmul("train", "trace", "--model", self.model, "--images", "32", "--patches", "64",
                       "-o", traces)
        with h5py.File(traces) as file:
            (group,) = file["traces"].values()
            self.assertEqual({name: layer.attrs["ops"] for name, layer in group.items()}, LAYERS)
            self.assertEqual(group.attrs["ops_not_covered"], LEFT)
        predicted = json.loads(axmul(AXMUL, "predict", "--traces", traces, "--library", "drum(k=4)",
                                     "--format", "json"))
        self.assertEqual({p["layer"]: p["ops"] for p in predicted["layers"]}, LAYERS)
        sigma.write_text(json.dumps({"schema": "axmul.sigma/1", "layers": [
            {"layer": "stem", "sigma_l": 0.03, "loss_curvature": 1.0},
            {"layer": "down", "sigma_l": 0.2, "loss_curvature": 0.1},
            {"layer": "head", "sigma_l": 0.0, "loss_curvature": 1.0}]}))
        energies = {}
        for rule in ("tolerance", "budget"):
            assignment = self.path / f"{rule}.json"
            match = ["match", "--traces", traces, "--library", LIBRARY, "--sigma", str(sigma),
                     "--rule", rule]
            self.assertIn("(in no layer)", axmul(AXMUL, *match))
            axmul(AXMUL, *match, "-o", str(assignment))
            chosen = json.loads(assignment.read_text())
            self.assertEqual(chosen["ops_not_covered"], LEFT)
            energies[rule] = chosen["relative_energy"]
            self.assertAlmostEqual(energies[rule], energy(chosen["layers"]), places=12)
            for layer in chosen["layers"]:
                self.assertEqual(layer["ops"], LAYERS[layer["layer"]])
                self.assertEqual(layer["power_rel"], power_of(LIBRARY, layer["multiplier"]))

            evaluation = json.loads(self.run_axmul(
                "train", "evaluate", "--model", self.model, "--library", LIBRARY, "--assignment",
                str(assignment), "--limit", "100", "--test-limit", "40", "--format", "json"))
            self.assertEqual([call["name"] for call in evaluation["not_covered"]], ["up"])
            self.assertAlmostEqual(evaluation["evaluations"][0]["relative_energy"], energies[rule],
                                   places=12)
        self.assertLessEqual(energies["budget"], energies["tolerance"])
        self.assertLess(energies["tolerance"], 0.7)
        self.assertGreater(energies["budget"], LEFT / (LEFT + sum(LAYERS.values())))

    def test_search_learns_levels_and_gives_the_module_back(self):
        out = self.path / "search"
        self.run_axmul("train", "search", "--model", self.model, "--epochs", "2", "--batch", "25",
                       "--lr", "1e-3", "--lambda", "0.3", "--augment", "none", "--out", str(out))
        record = run_record(out)
        levels = {e["layer"]: e for e in json.loads((out / "sigma.json").read_text())["layers"]}
        self.assertEqual(list(levels), list(LAYERS))
        with h5py.File(out / "weights.h5") as file:
            for name, level in levels.items():
                self.assertGreater(level["sigma_l"], 0.1)  # --sigma-init; noise is rewarded
                self.assertGreater(level["loss_curvature"], 0)
                self.assertIn(f"{name}.sigma_l", file)
            self.assertNotIn("up.sigma_l", file)
            learned = torch.jit.load(str(out / "model.pt")).state_dict()
            before = torch.jit.load(self.model).state_dict()
            for name, tensor in learned.items():
                np.testing.assert_array_equal(tensor, file[name][()], err_msg=name)
            for name in ("stem.weight", "up.weight", "bn.running_mean"):  # exact layers learn too
                self.assertFalse(torch.equal(learned[name], before[name]), name)
        self.assertEqual(len(record["epochs"][1]["sigma_l"]), 3)
        self.assertEqual(record["relative_energy"], 1)
        self.assertEqual([call["name"] for call in record["not_covered"]], ["up"])
        self.assertGreater(record["test"]["top1"], 0.8)
        top1, loss = accuracy(out / "model.axmul.pt", self.images, self.labels)
        self.assertEqual(top1, record["test"]["top1"])
        self.assertAlmostEqual(loss, record["test"]["loss"], places=4)
        top1, _ = accuracy(out / "model.pt", self.images, self.labels)
        self.assertEqual(top1, record["modules"]["float_top1"])

    def test_run_goes_the_whole_way_and_gives_a_module_for_every_point(self):
        out = self.path / "run"
        self.run_axmul("train", "run", "--model", self.model, "--library", LIBRARY, "--schedule",
                       "short", "--quantize-epochs", "1", "--search-epochs", "2",
                       "--retrain-epochs", "1", "--batch", "25", "--calibrate", "100",
                       "--fold-images", "50", "--trace-images", "40", "--patches", "128",
                       "--augment", "none", "--lambda", "0.3", "--uniform", "drum(k=4)",
                       "--baselines", "uniform", "--exact-layers", "head", "--out", str(out))
        record = run_record(out)
        self.assertEqual(record["layers"], list(LAYERS))
        self.assertEqual(record["ops_not_covered"], LEFT)
        with h5py.File(out / "run.h5") as file:
            self.assertEqual(file.attrs["ops_not_covered"], LEFT)
        self.assertEqual(record["baseline_epochs"], [])  # the module's weights are the baseline
        in_float = json.loads((out / "baseline/evaluation.json").read_text())["evaluations"][0]
        self.assertEqual(in_float["top1"], run_record(self.base)["test"]["top1"])
        self.assertEqual([p["name"] for p in record["points"]], ["lambda-0.3", "uniform-drum(k=4)"])
        with h5py.File(out / "lambda-0.3/traces.h5") as file:
            self.assertEqual(file["traces/model"].attrs["ops_not_covered"], LEFT)
        for point in record["points"]:
            folder = out / point["name"]
            self.assertAlmostEqual(point["relative_energy"], energy(point["layers"]), places=12)
            for layer in point["layers"]:
                self.assertEqual(layer["ops"], LAYERS[layer["layer"]])
                self.assertEqual(layer["power_rel"], power_of(LIBRARY, layer["multiplier"]))
            self.assertEqual(point["layers"][2]["multiplier"], "exact")
            self.assertLess(point["relative_energy"], 0.8)
            assignment = json.loads((folder / "assignment.json").read_text())
            self.assertEqual(assignment["ops_not_covered"], LEFT)
            self.assertEqual(assignment["relative_energy"], point["relative_energy"])
            self.assertEqual([e["multiplier"] for e in assignment["layers"]],
                             [e["multiplier"] for e in point["layers"]])
            self.check_modules(folder, point)

    def check_modules(self, folder, point):
        """Image by image the module answers as the evaluation says, and so the accuracies agree."""
        evaluation = json.loads((folder / "evaluation.json").read_text())["evaluations"][0]
        module = torch.jit.load(str(folder / "model.axmul.pt"))
        with torch.no_grad():
            predicted = torch.cat([module(batch) for batch in self.images.split(64)]).argmax(1)
        np.testing.assert_array_equal(predicted.numpy(), evaluation["predicted"])
        right = int((predicted == self.labels).sum())
        self.assertGreater(right, 0.8 * len(self.labels))
        self.assertAlmostEqual(right, sum(point[part]["images"] * point[part]["top1"]
                                          for part in ("selection", "report")), places=6)
        operators = str(module.inlined_graph)
        self.assertEqual(operators.count("axmul::lut_conv2d"), 2)
        self.assertEqual(operators.count("axmul::lut_linear"), 1)
        self.assertEqual(operators.count("aten::conv_transpose2d"), 1)
        weights = torch.jit.load(str(folder / "model.pt")).state_dict()
        with h5py.File(folder / "retrain/weights.h5") as file:
            for name, tensor in weights.items():
                np.testing.assert_array_equal(tensor, file[name][()], err_msg=name)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
