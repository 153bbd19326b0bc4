#!/usr/bin/python3
"""Whose multiplications an energy speaks of: coverage_test.py AXMUL LIBRARY. axmul counts modules as
Python's axmul_torch.energy() does and as formulas of this file say; what is in no layer, and what
nobody can count, stands in every output of trace, match, evaluate, run and pareto. The images are
made up, as in script_test.py.
"""
import csv
import json
import sys
import unittest

try:
    import h5py
    import torch
except ImportError as error:
    print("skipped:", error)
    sys.exit(77)
from torch import nn

import axmul_torch
from commands import run
from script_support import Files, axmul, power_of, run_record

AXMUL, LIBRARY = sys.argv[1:3]
ROUGH = axmul_torch.Multiplier.open("drum(k=3)")
STEPS, WIDTH = 32, 32  # the images' rows and columns: one channel as a sequence


def of_attention(length, embed):
    """Projections of query, key, value and output; scores and their weighted sum."""
    return 4 * length * embed * embed + 2 * length * length * embed


class Sequence(nn.Module):
    """A layer on sequences [N, 32, 32] and a linear head."""

    def __init__(self, layer, width=WIDTH):
        super().__init__()
        self.layer, self.head = layer, nn.Linear(width, 10)

    def forward(self, x):
        return self.head(self.layer(x[:, 0]).mean(1))


class Recurrent(nn.Module):
    def __init__(self, kind, layers, both):
        super().__init__()
        self.layer = kind(WIDTH, 8, layers, batch_first=True, bidirectional=both)
        self.head = nn.Linear(8 * (1 + both), 10)

    def forward(self, x):
        return self.head(self.layer(x[:, 0])[0].mean(1))

    def ops(self):
        """Each weight matrix meets each step once."""
        return STEPS * sum(p.numel() for p in self.layer.parameters() if p.dim() == 2)


class Cells(nn.Module):
    def __init__(self):
        super().__init__()
        self.cells = nn.ModuleList([nn.LSTMCell(WIDTH, 8), nn.GRUCell(8, 8), nn.RNNCell(8, 8)])
        self.head = nn.Linear(8, 10)

    def forward(self, x):
        h = x.new_zeros(x.shape[0], 8)
        c = h
        for step in range(4):
            h, c = self.cells[0](x[:, 0, step], (h, c))
            h = self.cells[1](h, h)
            h = self.cells[2](h, h)
        return self.head(h)


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(WIDTH, 4, batch_first=True)
        self.head = nn.Linear(WIDTH, 10)

    def forward(self, x):
        rows = x[:, 0]
        return self.head(self.attention(rows, rows, rows)[0].mean(1))


class Products(nn.Module):
    """Each product of its own shape, so that a wrong rule cannot hide; per image of a batch of two."""

    OPS = {"aten::baddbmm": 6 * 6 * 5, "aten::addbmm": 6 * 6 * 5, "aten::addmv": 6 * 5 / 2,
           "aten::outer": 2 * 5 * 6 / 2, "aten::addmm_": 6 * 5 * 7 / 2,
           "aten::conv_tbc": 4 * 4 * 3 * 5, "aten::tensordot": 6 * 5 * 7, "aten::mv": 6 * 5 / 2,
           "aten::dot": 5 / 2}

    def __init__(self):
        super().__init__()
        self.w, self.tbc = nn.Parameter(torch.randn(5, 7)), nn.Parameter(torch.randn(3, 5, 4))
        self.head = nn.Linear(4, 10)

    def forward(self, x):
        a = x[:, 0, :6, :5]
        b = a.transpose(1, 2)
        none = x.new_zeros(1)
        total = torch.baddbmm(none, a, b).sum() + torch.addbmm(none, a, b).sum()
        total = total + torch.addmv(none, a[0], a[0, 0]).sum() + torch.outer(a[0, 0], a[0, :, 0]).sum()
        total = total + torch.ger(a[1, 0], a[1, :, 0]).sum() + torch.dot(a[0, 0], a[0, 1])
        total = total + x.new_zeros(6, 7).addmm_(a[0], self.w).sum() + torch.mv(a[1], a[0, 0]).sum()
        total = total + torch.conv_tbc(a.transpose(0, 1).contiguous(), self.tbc, x.new_zeros(4), 0).sum()
        total = total + torch.tensordot(a, self.w, [[2], [0]]).sum()
        return self.head(x[:, 0, 0, :4]) + 0.0 * total


class Einsums(nn.Module):
    """Products that sum up an index count, once for each point of the index space of what is left
    when an index that only one operand has is summed up; element-wise ones do not."""
    OPS = (6 * 5 * 7 + 6 * 5 + 6 * 6 * 5 + 5 + (6 * 5 * 7 + 6 * 7 * 4) +
           (6 * 5 * 7 + 6 * 7 * 4 + 6 * 4 * 3) + 5 + 0 + 0)

    def __init__(self):
        super().__init__()
        self.w, self.v = nn.Parameter(torch.randn(5, 7)), nn.Parameter(torch.randn(7, 4))
        self.u, self.head = nn.Parameter(torch.randn(4, 3)), nn.Linear(4, 10)

    def forward(self, x):
        a = x[:, 0, :6, :5]
        total = torch.einsum("bij,jk->bik", a, self.w).sum() + torch.einsum("bij,bij->b", a, a).sum()
        total = total + torch.einsum("...ij,...kj", a, a).sum()
        total = total + torch.einsum("bij,jk->b", a, self.w).sum()
        total = total + torch.einsum("bij,jk,kl->bil", a, self.w, self.v).sum()
        total = total + torch.einsum("bij,jk,kl,lm->bim", a, self.w, self.v, self.u).sum()
        total = total + torch.einsum("bii,bi->b", a[:, :5], a[:, 0]).sum()  # of a diagonal
        total = total + torch.einsum("bij,bij->bij", a, a).sum()
        total = total + torch.einsum("bi,bj->bij", a[:, 0], a[:, 1]).sum()
        return self.head(x[:, 0, 0, :4]) + 0.0 * total


class Inverse(nn.Module):
    """A linear layer behind something whose multiplications nobody counts."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(64, 10)

    def forward(self, x):
        square = x[:, 0, :8, :8] + 20 * torch.eye(8)
        return self.head(torch.linalg.inv(square).flatten(1))


class Out(nn.Module):
    """A linear call that writes into a tensor of the module's own."""

    def __init__(self):
        super().__init__()
        self.inner, self.head = nn.Linear(4, 4), nn.Linear(4, 10)

    def forward(self, x):
        y = x.new_zeros(x.shape[0], 4)
        torch._C._nn.linear(x[:, 0, 0, :4], self.inner.weight, self.inner.bias, out=y)
        return self.head(y)


class Counts(Files):
    program = AXMUL

    def evaluate(self, path):
        report = json.loads(self.run_axmul("train", "evaluate", "--model", path, "--mode", "float",
                                           "--test-limit", "4", "--format", "json"))
        evaluation = report["evaluations"][0]
        self.assertEqual(evaluation["ops_covered"], sum(l["ops"] for l in evaluation["layers"]))
        known = [call["ops"] for call in report["not_covered"] if call["ops"] is not None]
        self.assertAlmostEqual(evaluation["ops_not_covered"], sum(known))
        self.assertEqual(evaluation["calls_not_counted"], len(report["not_covered"]) - len(known))
        return report, evaluation

    def check(self, model, wanted, covered=None, traced=True):
        """As many multiplications as the formula and Python say, by script and by trace."""
        model = model.eval()
        with torch.no_grad():
            energy = axmul_torch.energy(axmul_torch.convert(model, ROUGH), self.images[:2])
        self.assertEqual(energy.covered + energy.not_covered, wanted)
        ways = {"script": lambda path: torch.jit.script(model).save(path)}
        if traced:
            ways["trace"] = lambda path: torch.jit.trace(model, self.images[:2],
                                                         check_trace=False).save(path)
        for way, save in ways.items():
            with self.subTest(way):
                path = str(self.path / "counted.pt")
                save(path)
                report, found = self.evaluate(path)
                self.assertEqual(found["ops_covered"] + found["ops_not_covered"], wanted)
                self.assertEqual((found["calls_not_counted"], found["energy_bound"]), (0, "exact"))
                if covered is not None and way == "script":  # tracing takes some of them apart
                    self.assertEqual(found["ops_covered"], covered)
        return report

    def test_recurrent_layers_and_cells(self):
        for kind in (nn.LSTM, nn.GRU, nn.RNN):
            model = Recurrent(kind, 2, True)
            self.check(model, model.ops() + 160, covered=160)
        cells = Cells()
        ops = 4 * sum(p.numel() for p in cells.cells.parameters() if p.dim() == 2)
        self.check(cells, ops + 80, covered=80)

    def test_attention(self):
        covered = 4 * STEPS * WIDTH * WIDTH + 320  # all but what attention does with its projections
        self.check(Attention(), of_attention(STEPS, WIDTH) + 320, covered)

    def test_an_encoder_layer_runs_its_layers_and_not_the_fused_call(self):
        layer = nn.TransformerEncoderLayer(WIDTH, 4, 64, dropout=0.0, batch_first=True)
        model = Sequence(layer)
        ops = of_attention(STEPS, WIDTH) + STEPS * WIDTH * 64 * 2 + 320
        report = self.check(model, ops, traced=False)
        layers = [entry["layer"] for entry in report["evaluations"][0]["layers"]]
        self.assertEqual(layers, ["layer.self_attn.in_proj_weight", "layer.self_attn.out_proj#2",
                                  "layer.linear1", "layer.linear2", "head"])
        # Traced where the fused call was taken, that call is all there is: counted whole, as exact.
        path = str(self.path / "fused.pt")
        with torch.no_grad():
            torch.jit.trace(model.eval(), self.images[:2]).save(path)
        report, found = self.evaluate(path)
        self.assertEqual(found["ops_covered"], 320)
        self.assertEqual(found["ops_covered"] + found["ops_not_covered"], ops)

    def test_products(self):
        report = self.check(Products(), sum(Products.OPS.values()) + 40, covered=40)
        counted = {}
        for call in report["not_covered"]:
            name = call["call"].replace("ger", "outer")  # the same operator
            counted[name] = counted.get(name, 0) + call["ops"]
        self.assertEqual(counted, Products.OPS)

    def test_einsum(self):
        backend = getattr(torch.backends, "opt_einsum", None)
        if backend is not None:  # else the order of three operands depends on what is installed
            backend.enabled = False
        self.check(Einsums(), Einsums.OPS + 40, covered=40)

    def test_a_call_that_writes_into_a_given_tensor_is_no_layer(self):
        torch.manual_seed(5)
        model = Out().eval()
        path = self.export(model, "out.pt")
        report, found = self.evaluate(path)
        self.assertEqual((found["ops_covered"], found["ops_not_covered"]), (40, 16))
        self.assertEqual(report["not_covered"][0]["reason"], "it writes into a given tensor")

    def test_calls_that_are_not_reached_are_one_line(self):
        path = self.export(Attention().eval(), "attention.pt")
        result = run(AXMUL, "train", "evaluate", "--model", path, "--mode", "float", "--test-limit", "4",
                     *self.data)
        self.assertEqual(result.returncode, 0, result.stderr)
        lines = [line for line in result.stderr.splitlines() if "not reached" in line]
        self.assertEqual(len(lines), 1, result.stderr)
        self.assertRegex(lines[0], r"^  \d+ calls are not reached in evaluation: .* and \d+ more$")
        share = 2 * STEPS * STEPS * WIDTH / (of_attention(STEPS, WIDTH) + 320)
        sentence = f"{100 * share:.1f} % of the multiplications are in calls that axmul does not replace"
        self.assertIn("  " + sentence + "\n", result.stderr)
        self.assertIn("energy: " + sentence + "\n", result.stdout)


class Assignments(Files):
    program = AXMUL

    def test_layers_that_an_assignment_leaves_out_are_named(self):
        torch.manual_seed(3)
        model = nn.Sequential(nn.Conv2d(3, 4, 3, 2), nn.Conv2d(4, 4, 3, 2), nn.Conv2d(4, 4, 3), nn.ReLU(),
                              nn.Conv2d(4, 4, 3), nn.Conv2d(4, 4, 3), nn.Flatten(), nn.Linear(4, 10))
        path, file = self.export(model.eval(), "net.pt"), self.path / "part.json"

        def say(chosen, *more):
            file.write_text(json.dumps({"layers": [
                {"layer": layer, "multiplier": name} for layer, name in chosen.items()]}))
            result = run(AXMUL, "train", "evaluate", "--model", path, "--assignment", str(file), "--limit",
                         "50", "--test-limit", "4", *more, *self.data)
            return result.returncode, [l for l in result.stderr.splitlines() if "part.json" in l]

        self.assertEqual(say({"0": "drum(k=4)"}), (0, [
            f"warning: {file} leaves out 5 of 6 layers: 1, 2, 4 and 2 more; they stay exact, in 8 bits"]))
        rest = {name: "exact" for name in ("1", "2", "4")}
        self.assertEqual(say({"0": "drum(k=4)", **rest}, "--exact-layers", "5"), (0, [
            f"warning: {file} leaves out 1 of 6 layers: 7; they stay exact, in 8 bits"]))
        self.assertEqual(say({"0": "drum(k=4)", **rest, "5": "exact", "7": "exact"}), (0, []))
        code, (line,) = say({"9": "exact"})
        self.assertEqual(code, 3)
        self.assertIn('AX954', line)
        self.assertIn('layer "9" is not one of net', line)


class Way(Files):
    """One encoder layer, and one module that nobody can count, from trace to pareto."""
    program = AXMUL

    def go(self, model, name, covered, not_covered, unknown):
        torch.manual_seed(7)
        path = self.export(model.eval(), name + ".pt")
        traces, sigma = str(self.path / f"{name}.h5"), self.path / f"{name}.json"
        share = 100 * not_covered / (not_covered + sum(covered.values()))
        calls = "in calls that axmul does not replace"
        sentence = f"{'at least ' if unknown else ''}{share:.1f} % of the multiplications are {calls}"
        facts = {"ops_covered": sum(covered.values()), "ops_not_covered": not_covered,
                 "calls_not_counted": unknown, "energy_bound": "lower" if unknown else "exact"}

        def check(found, energy=None):
            self.assertEqual({key: found[key] for key in facts}, facts)
            if energy is not None:
                self.assertAlmostEqual(found["relative_energy"], energy, places=12)

        def energy(layers):
            spent = sum(layer["ops"] * layer["power_rel"] for layer in layers)
            return (spent + not_covered) / (not_covered + sum(covered.values()))

        out = self.run_axmul("train", "trace", "--model", path, "--images", "32", "--patches", "64",
                             "-o", traces)
        self.assertIn(sentence, out)
        with h5py.File(traces) as file:
            (group,) = file["traces"].values()
            self.assertEqual({name: layer.attrs["ops"] for name, layer in group.items()}, covered)
            self.assertEqual(group.attrs["calls_not_counted"], unknown)
            self.assertEqual(group.attrs.get("ops_not_covered", 0), not_covered)

        sigma.write_text(json.dumps({"schema": "axmul.sigma/1", "layers": [
            {"layer": layer, "sigma_l": 0.3} for layer in covered]}))
        match = ["match", "--traces", traces, "--library", LIBRARY, "--sigma", str(sigma)]
        table = axmul(AXMUL, *match)
        assignment = str(self.path / f"{name}-assignment.json")
        axmul(AXMUL, *match, "-o", assignment)
        with open(assignment) as file:
            chosen = json.load(file)
        check(chosen, energy(chosen["layers"]))
        figure = f"{'≥ ' if unknown else ''}{chosen['relative_energy']:.4f} of the exact energy"
        self.assertIn("multiplications: " + figure, table)
        self.assertIn(sentence, table)
        self.assertEqual("% less" in table, not unknown)

        evaluate = ["train", "evaluate", "--model", path, "--assignment", assignment, "--library",
                    LIBRARY, "--test-limit", "20", "--limit", "100"]
        check(json.loads(self.run_axmul(*evaluate, "--format", "json"))["evaluations"][0],
              chosen["relative_energy"])
        self.assertIn("energy: " + sentence, self.run_axmul(*evaluate))
        (row,) = csv.DictReader(self.run_axmul(*evaluate, "--format", "csv").splitlines())
        self.assertEqual([float(row["ops_covered"]), float(row["ops_not_covered"]),
                          int(row["calls_not_counted"]), row["energy_bound"]], list(facts.values()))

        run = self.path / name
        out = self.run_axmul("train", "run", "--model", path, "--library", LIBRARY, "--schedule",
                             "short", "--quantize-epochs", "0", "--search-epochs", "1",
                             "--retrain-epochs", "0", "--batch", "25", "--limit", "200",
                             "--test-limit", "60", "--calibrate", "100", "--fold-images", "50",
                             "--trace-images", "40", "--patches", "128", "--augment", "none",
                             "--lambda", "0.3", "--max-loss", "100", "--out", str(run))
        self.assertIn("energy: " + sentence, out)
        record = run_record(run)
        (point,) = record["points"]
        check({**record, **point}, energy(point["layers"]))
        self.assertIn("multiplications: " + ("≥ " if unknown else "") +
                      f"{point['relative_energy']:.4f} of the exact energy", out)
        self.assertEqual("% less" in out, not unknown)
        with open(run / point["name"] / "assignment.json") as file:
            check(json.load(file), point["relative_energy"])
        with h5py.File(run / "run.h5") as file:
            self.assertEqual([file.attrs[key] for key in list(facts)[:3]], list(facts.values())[:3])
            self.assertEqual(file["energy_bound"].asstr()[0], facts["energy_bound"])

        (placed,) = json.loads(axmul(AXMUL, "train", "pareto", str(run), "--format", "json"))["points"]
        check(placed, point["relative_energy"])
        table = axmul(AXMUL, "train", "pareto", str(run))
        self.assertIn("energy: " + sentence, table)
        if unknown:
            self.assertIn(f"≥ {point['relative_energy']:.4f}", table)
            self.assertIn(f"≤ {100 * (1 - point['relative_energy']):.1f}", table)
        return share

    def test_an_encoder_layer(self):
        model = Sequence(nn.TransformerEncoderLayer(WIDTH, 4, 8, dropout=0.0, batch_first=True))
        covered = {"layer.self_attn.in_proj_weight": 3 * STEPS * WIDTH * WIDTH,
                   "layer.self_attn.out_proj#2": STEPS * WIDTH * WIDTH,
                   "layer.linear1": STEPS * WIDTH * 8, "layer.linear2": STEPS * WIDTH * 8, "head": 320}
        self.go(model, "encoder", covered, 2 * STEPS * STEPS * WIDTH, 0)

    def test_what_nobody_can_count(self):
        self.go(Inverse(), "inverse", {"head": 640}, 0, 1)

    def test_traces_that_do_not_say_make_a_bound(self):
        path = self.export(Inverse().eval(), "plain.pt")
        traces, sigma = str(self.path / "old.h5"), self.path / "old.json"
        self.run_axmul("train", "trace", "--model", path, "--images", "32", "-o", traces)
        with h5py.File(traces, "r+") as file:
            (group,) = file["traces"].values()
            del group.attrs["calls_not_counted"]
        sigma.write_text(json.dumps({"schema": "axmul.sigma/1", "layers": [
            {"layer": "head", "sigma_l": 0.3}]}))
        match = ["match", "--traces", traces, "--library", LIBRARY, "--sigma", str(sigma)]
        self.assertIn("; what the network multiplies outside of its layers is not known", axmul(AXMUL, *match))
        found = json.loads(axmul(AXMUL, *match, "--format", "json"))
        self.assertIsNone(found["calls_not_counted"])
        self.assertEqual(found["energy_bound"], "lower")
        self.assertEqual(found["relative_energy"], power_of(LIBRARY, found["layers"][0]["multiplier"]))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
