#!/usr/bin/python3
"""Networks written in plain Python go through axmul's commands and come back.

Usage: script_test.py AXMUL LIBRARY. The images are made up (ten patterns under noise), so the test
needs no data; script_data_test.py does the same with ResNet-20 and CIFAR-10.
"""
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

try:
    import h5py
    import numpy as np
    import torch
except ImportError as error:
    print("skipped:", error)
    sys.exit(77)
import torch.nn.functional as F
from torch import nn
from torch.nn.utils import remove_weight_norm, weight_norm

import axmul_torch
from commands import run
from script_support import Files, accuracy, axmul, complain, power_of, run_record, write_weights

AXMUL, LIBRARY = sys.argv[1:3]


class Separable(nn.Module):
    """Depthwise and pointwise, as MobileNet's blocks."""

    def __init__(self, channels, out, stride):
        super().__init__()
        self.depth = nn.Conv2d(channels, channels, 3, stride, 1, groups=channels, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.point = nn.Conv2d(channels, out, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)

    def forward(self, x):
        x = F.relu6(self.bn1(self.depth(x)))
        return F.relu6(self.bn2(self.point(x)))


class Grouped(nn.Module):
    """A depthwise and grouped network with batch norm, dropout and every kind of padding."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 3, padding="same")
        self.bn = nn.BatchNorm2d(16)
        self.blocks = nn.ModuleList([Separable(16, 24, 2), Separable(24, 32, 2)])
        self.grouped = nn.Conv2d(32, 32, 4, padding="same", groups=4, padding_mode="zeros")
        self.drop = nn.Dropout(0.2)
        self.head = nn.Linear(32, 10)

    def forward(self, x):
        x = F.relu(self.bn(self.stem(x)))
        for block in self.blocks:
            x = block(x)
        x = F.relu(self.grouped(x))
        x = F.max_pool2d(x, 8)
        return self.head(self.drop(x.view(x.size(0), -1)))


class Everything(nn.Module):
    """Calls that axmul replaces in odd places, and those that it leaves exact."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1)
        self.twice = nn.Conv2d(8, 8, 3, padding=1)
        self.up = nn.ConvTranspose2d(8, 4, 2, stride=2)
        self.line = nn.Conv1d(4, 4, 3)
        self.masked = nn.Linear(16, 16)
        self.mask = nn.Parameter(torch.ones(16, 16))
        self.head = nn.Linear(16, 10)
        self.auxiliary = nn.Linear(16, 10)
        self.w = nn.Parameter(torch.randn(16, 4) * 0.3)
        self.transposed = nn.Parameter(torch.randn(4, 16) * 0.3)
        self.b = nn.Parameter(torch.zeros(16))

    def forward(self, x):
        x = self.twice(F.relu(self.first(x)))
        x = self.twice(F.relu(x))
        for _ in range(3):
            x = self.twice(F.relu(x))
        if bool(x.abs().sum() >= 0):
            x = F.max_pool2d(x, 2)
        else:
            x = F.avg_pool2d(self.twice(x), 2)
        y = F.relu(self.line(self.up(x).flatten(2)).mean(2))
        z = torch.addmm(self.b, y, self.w.t()) + torch.addmm(self.b, y, self.transposed)
        z = F.linear(z, self.masked.weight * self.mask, self.masked.bias)
        z = z + torch.matmul(z.unsqueeze(1), z.unsqueeze(2)).squeeze(2)
        if self.training:
            z = z + self.auxiliary(z).sum() * 0
        return self.head(z.unsqueeze(1)).squeeze(1)


class RoundTrip(Files):
    program = AXMUL

    def test_a_grouped_network_goes_through_trace_match_and_retrain_and_back(self):
        torch.manual_seed(1)
        scripted = self.export(Grouped(), "net.pt")
        base = self.path / "base"
        self.run_axmul("train", "baseline", "--model", scripted, "--epochs", "5", "--lr", "0.05",
                       "--batch", "50", "--augment", "none", "--out", str(base))
        learned = run_record(base)["test"]["top1"]
        self.assertGreater(learned, 0.85)
        statistics = torch.jit.load(str(base / "model.pt"))
        self.assertEqual(int(statistics.bn.num_batches_tracked), 60)  # batch norm was in train mode
        self.assertFalse(statistics.training)

        model = Grouped().eval()  # the same weights, exported by trace
        model.load_state_dict(torch.jit.load(str(base / "model.pt")).state_dict())
        traced = str(self.path / "traced.pt")
        torch.jit.trace(model, self.images[:2]).save(traced)
        scripted = str(base / "model.pt")

        layers = ["stem", "blocks.0.depth", "blocks.0.point", "blocks.1.depth", "blocks.1.point",
                  "grouped", "head"]
        traces = {}
        for name, network in (("s", scripted), ("t", traced)):
            file = str(self.path / f"{name}.h5")
            self.run_axmul("train", "trace", "--model", network, "--images", "32", "--patches",
                           "128", "-o", file)
            with h5py.File(file) as h5:
                (group,) = h5["traces"].values()
                traces[name] = {k: (v["patches"][()], v.attrs["ops"]) for k, v in group.items()}
        self.assertEqual(set(traces["s"]), set(layers))
        for layer in layers:
            np.testing.assert_array_equal(traces["s"][layer][0], traces["t"][layer][0])
            self.assertEqual(traces["s"][layer][1], traces["t"][layer][1])
        self.assertEqual(traces["s"]["blocks.0.depth"][1], 16 * 16 * 16 * 9)
        self.assertEqual(traces["s"]["grouped"][1], 8 * 8 * 32 * 8 * 16)
        self.assertEqual(traces["s"]["blocks.0.depth"][0].shape, (16, 128, 9))

        sigma, assignment = self.path / "sigma.json", str(self.path / "assignment.json")
        sigma.write_text(json.dumps({"schema": "axmul.sigma/1", "layers": [
            {"layer": name, "sigma_l": 0.0 if name == "head" else 0.05} for name in layers]}))
        axmul(AXMUL, "match", "--traces", str(self.path / "s.h5"), "--library", LIBRARY, "--sigma",
              str(sigma), "-o", assignment)
        chosen = {e["layer"]: e["multiplier"]
                  for e in json.loads(Path(assignment).read_text())["layers"]}
        self.assertEqual(chosen["head"], "exact")
        self.assertGreater(len({m for m in chosen.values()}), 1)

        for name, network in (("s", scripted), ("t", traced)):
            run = self.path / f"run_{name}"
            self.run_axmul("train", "retrain", "--model", network, "--library", LIBRARY,
                           "--assignment", assignment, "--fold", "--epochs", "1", "--lr", "1e-3",
                           "--batch", "50", "--augment", "none", "--out", str(run))
            record = run_record(run)
            self.assertLess(record["relative_energy"], 0.9)
            self.check_outputs(run, record)
            converted = axmul_torch.convert(
                Grouped(), axmul_torch.read_assignment(assignment, LIBRARY)).eval()
            axmul_torch.load_weights(converted, str(run / "weights.h5"))
            operators = torch.jit.load(str(run / "model.axmul.pt"))
            with torch.no_grad():
                self.assertTrue(torch.equal(converted(self.images), operators(self.images)))

    def check_outputs(self, run, record):
        """Python's accuracy and loss of both modules are those that axmul reported."""
        top1, loss = accuracy(run / "model.axmul.pt", self.images, self.labels)
        self.assertEqual(top1, record["test"]["top1"])
        self.assertAlmostEqual(loss, record["test"]["loss"], places=4)
        top1, _ = accuracy(run / "model.pt", self.images, self.labels)
        self.assertEqual(top1, record["modules"]["float_top1"])
        for file, wanted in (("model.pt", top1), ("model.axmul.pt", record["test"]["top1"])):
            out = self.run_axmul("train", "evaluate", "--model", str(run / file), "--mode", "float",
                                 "--format", "json")
            self.assertEqual(json.loads(out)["evaluations"][0]["top1"], wanted)

    def test_dropout_and_statistics_survive_an_interruption(self):
        torch.manual_seed(2)
        network = self.export(Grouped(), "resume.pt")
        command = ["train", "baseline", "--model", network, "--epochs", "2", "--batch", "60",
                   "--checkpoint-steps", "3", "--limit", "540"]
        whole, parts = self.path / "whole", self.path / "parts"
        self.run_axmul(*command, "--out", str(whole))
        words = [AXMUL, *command, "--out", str(parts), *self.data]
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        while process.poll() is None and not (parts / "checkpoint.safetensors").exists():
            pass
        process.kill()
        process.communicate()
        self.run_axmul(*command, "--out", str(parts), "--resume")
        with h5py.File(whole / "weights.h5") as a, h5py.File(parts / "weights.h5") as b:
            self.assertIn("bn.num_batches_tracked", a)
            for name in a:
                np.testing.assert_array_equal(a[name][()], b[name][()], err_msg=name)


class Normed(nn.Module):
    """Two layers whose weights are computed in the call, as hooks and parametrizations do."""

    def __init__(self, compute):
        super().__init__()
        self.conv = compute(nn.Conv2d(3, 8, 3))
        self.plain = nn.Conv2d(8, 8, 3)
        self.head = compute(nn.Linear(8, 10))

    def forward(self, x):
        return self.head(F.relu(self.plain(F.relu(self.conv(x)))).mean((2, 3)))


class Coverage(Files):
    program = AXMUL

    def trace(self, model, *more):
        path = self.export(model, "model.pt") if isinstance(model, nn.Module) else model
        return run(AXMUL, "train", "trace", "--model", path, "--images", "16", "--patches", "40", "-o",
                   str(self.path / "o.h5"), "--force", *more, *self.data)

    def test_each_call_site_is_a_layer_and_the_rest_is_listed(self):
        torch.manual_seed(3)
        result = self.trace(Everything().eval())
        self.assertEqual(result.returncode, 0, result.stderr)
        with h5py.File(self.path / "o.h5") as file:
            group = file["traces/model"]
            ops = {name: int(layer.attrs["ops"]) for name, layer in group.items()}
            order = sorted(group, key=lambda name: group[name].attrs["layer_index"])
            site = 32 * 32 * 8 * 8 * 9
            self.assertEqual(ops, {"first": 32 * 32 * 8 * 27, "twice": site, "twice#2": site,
                                   "twice#3": 3 * site, "w": 64, "transposed": 64, "head": 160})
            self.assertEqual(order, ["first", "twice", "twice#2", "twice#3", "w", "transposed",
                                     "head"])
            # ConvTranspose2d: 8·16·16 inputs, each times a 4·2·2 filter; Conv1d: 4·(32·32−2)
            # outputs of 4·3; the masked linear; z·z.
            left = 8 * 256 * 16 + 4 * 1022 * 12 + 256 + 16
            self.assertEqual(group.attrs["ops_not_covered"], left)
            images = group["twice#3"]["image"][()]
            self.assertTrue((images < 16).all() and (np.diff(images) >= 0).all())
        for text in ("up (aten::conv_transpose2d): transposed convolution, 32768 mult",
                     "line (aten::conv1d): not a 2-dimensional convolution",
                     "(aten::linear): dynamic weights: computed in the call",
                     "(aten::matmul): a product of computed tensors, 16 mult",
                     "2 calls are not reached in evaluation: twice#4 (aten::conv2d), "
                     "auxiliary (aten::linear)"):
            self.assertIn(text, result.stderr)

    def test_what_is_not_covered_counts_as_exact_in_every_energy(self):
        torch.manual_seed(4)
        model = self.export(Everything().eval(), "energy.pt")
        out = self.run_axmul("train", "evaluate", "--model", model, "--library", LIBRARY,
                             "--multiplier", "drum(k=4)", "--test-limit", "40", "--limit", "80",
                             "--format", "json")
        report = json.loads(out)
        energy = report["evaluations"][0]["relative_energy"]
        covered = sum(layer["ops"] for layer in report["evaluations"][0]["layers"])
        left = sum(call["ops"] for call in report["not_covered"])
        self.assertEqual(left, 8 * 256 * 16 + 4 * 1022 * 12 + 256 + 16)
        power = power_of(LIBRARY, "drum(k=4)")
        self.assertAlmostEqual(energy, (covered * power + left) / (covered + left), places=12)

        self.trace(model)
        # Pooled noise is the same for all images once it is rounded, and equal sums tell no σ.
        with h5py.File(self.path / "o.h5", "r+") as file:
            for layer in next(iter(file["traces"].values())).values():
                patches = layer["patches"][...]
                if (patches == patches[0]).all():
                    patches[0] = np.where(patches[0] > 0, patches[0] - 1, patches[0] + 1)
                    layer["patches"][...] = patches
                if not layer.attrs["output_std"] > 0:
                    layer.attrs["output_std"] = 1.0
        names = [layer["layer"] for layer in report["evaluations"][0]["layers"]]
        sigma = self.path / "all.json"
        sigma.write_text(json.dumps({"schema": "axmul.sigma/1", "layers": [
            {"layer": name, "sigma_l": 0.0} for name in names]}))
        out = axmul(AXMUL, "match", "--traces", str(self.path / "o.h5"), "--library", LIBRARY,
                    "--sigma", str(sigma), "--format", "json")
        match = json.loads(out)
        self.assertEqual(match["ops_not_covered"], left)
        spent = sum(layer["ops"] * layer["power_rel"] for layer in match["layers"])
        self.assertAlmostEqual(match["relative_energy"], (spent + left) / (covered + left), places=12)

    def test_layers_with_computed_weights_stay_exact_and_learn(self):
        torch.manual_seed(8)
        model = Normed(weight_norm).eval()
        with self.assertRaises(AttributeError):  # PyTorch cannot script its hook
            torch.jit.script(model)
        network = str(self.path / "normed.pt")
        torch.jit.trace(model, self.images[:2]).save(network)
        run = self.path / "normed"
        self.run_axmul("train", "retrain", "--model", network, "--library", LIBRARY, "--multiplier",
                       "drum(k=4)", "--fold", "--epochs", "1", "--lr", "0.05", "--batch", "50",
                       "--augment", "none", "--out", str(run))
        record = run_record(run)
        self.assertEqual([layer["layer"] for layer in record["layers"]], ["plain"])
        exact = {call["name"]: call for call in record["not_covered"]}
        self.assertEqual({name: call["ops"] for name, call in exact.items()},
                         {"conv": 30 * 30 * 8 * 27, "head": 80})
        for call in exact.values():
            self.assertIn("from parameters; take weight_norm", call["reason"])
        left, plain = 30 * 30 * 8 * 27 + 80, 28 * 28 * 8 * 72
        spent = plain * power_of(LIBRARY, "drum(k=4)")
        self.assertAlmostEqual(record["relative_energy"], (spent + left) / (plain + left), places=12)
        learned = torch.jit.load(str(run / "model.pt"))
        after, before = learned.state_dict(), model.state_dict()
        for name in ("conv.weight_v", "conv.weight_g", "plain.weight", "head.weight_v",
                     "head.weight_g"):
            self.assertFalse(torch.equal(after[name], before[name]), name)
        top1, loss = accuracy(run / "model.axmul.pt", self.images, self.labels)
        self.assertEqual(top1, record["test"]["top1"])
        self.assertAlmostEqual(loss, record["test"]["loss"], places=4)

    def test_weights_that_are_computed_for_good_before_exporting_are_layers(self):
        torch.manual_seed(9)
        model = Normed(weight_norm).eval()
        torch.jit.trace(model, self.images[:2]).save(str(self.path / "computed.pt"))
        remove_weight_norm(model.conv)
        remove_weight_norm(model.head)
        losses, layers = [], []
        for network in (str(self.path / "computed.pt"), self.export(model, "removed.pt")):
            report = json.loads(self.run_axmul("train", "evaluate", "--model", network, "--mode",
                                               "float", "--format", "json"))
            losses.append(report["evaluations"][0]["loss"])
            layers.append([layer["layer"] for layer in report["evaluations"][0]["layers"]])
        self.assertAlmostEqual(losses[0], losses[1], places=6)
        self.assertEqual(layers, [["plain"], ["conv", "plain", "head"]])

    def test_what_makes_weights_of_weights_is_not_counted_for_each_image(self):
        class Anchors(nn.Module):
            """The head's weight is the output of a linear layer that sees no image."""

            def __init__(self):
                super().__init__()
                self.plain = nn.Conv2d(3, 8, 3)
                self.make = nn.Linear(4, 8)
                self.anchors = nn.Parameter(torch.randn(10, 4))

            def forward(self, x):
                return F.linear(F.relu(self.plain(x)).mean((2, 3)), self.make(self.anchors))

        computed = 30 * 30 * 8 * 27 + 80
        for model, left in ((Normed(torch.nn.utils.spectral_norm), computed),
                            (Normed(torch.nn.utils.parametrizations.spectral_norm), computed),
                            (Anchors(), 80)):
            torch.jit.trace(model.eval(), self.images[:2]).save(str(self.path / "made.pt"))
            result = self.trace(str(self.path / "made.pt"))
            self.assertEqual(result.returncode, 0, result.stderr)
            with h5py.File(self.path / "o.h5") as file:
                (group,) = file["traces"].values()
                self.assertEqual(list(group), ["plain"])
                self.assertEqual(group.attrs["ops_not_covered"], left)

    def test_a_network_of_computed_weights_has_nothing_to_replace(self):
        model = nn.Sequential(nn.Flatten(), weight_norm(nn.Linear(3072, 10))).eval()
        torch.jit.trace(model, self.images[:2]).save(str(self.path / "none.pt"))
        result = self.trace(str(self.path / "none.pt"))
        self.assertEqual(result.returncode, 3)
        self.assertIn("AX985", result.stderr)
        self.assertIn("take weight_norm, masks and the like out before exporting", result.stderr)

    def test_quantised_layers_stay_exact(self):
        torch.manual_seed(5)
        torch.backends.quantized.engine = "qnnpack"
        inner = nn.Sequential(nn.Flatten(), nn.Linear(3 * 1024, 10)).eval()
        mixed = torch.ao.quantization.quantize_dynamic(inner, {nn.Linear}, torch.qint8)
        model = nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), mixed)
        result = self.trace(model.eval())
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("1.1#2 (quantized::linear_dynamic): a quantised operator of PyTorch, 30720 mult",
                      result.stderr)
        with h5py.File(self.path / "o.h5") as file:
            self.assertEqual(list(file["traces/model"]), ["0"])

    def test_a_frozen_module_has_nothing_to_replace(self):
        model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(3600, 10)).eval()
        path = str(self.path / "frozen.pt")
        torch.jit.freeze(torch.jit.script(model)).save(path)
        result = self.trace(path)
        self.assertEqual(result.returncode, 3)
        self.assertIn("AX985", result.stderr)
        self.assertIn("the module was frozen, export it unfrozen", result.stderr)


class Inputs(Files):
    program = AXMUL

    def refuse(self, model, message, *more):
        path = self.export(model, "bad.pt") if isinstance(model, nn.Module) else str(model)
        complain(self, [AXMUL, "train", "evaluate", "--model", path, *more, *self.data], 3, message)

    def test_modules_that_are_no_classifier_of_these_images(self):
        class Two(nn.Module):
            def forward(self, x, y):
                return x + y

        class Pair(nn.Module):
            def forward(self, x):
                return x, x

        class Small(nn.Module):
            def __init__(self, classes, channels):
                super().__init__()
                self.conv = nn.Conv2d(channels, classes, 3)

            def forward(self, x):
                return self.conv(x).mean((2, 3))

        self.refuse(Two(), 'forward needs "y" too')
        self.refuse(Pair(), "forward returns Tuple, not a tensor")
        self.refuse(nn.Conv2d(3, 4, 3), "of shape [2, 4, 30, 30], not [2, classes]")
        self.refuse(Small(7, 3), "tells 7 classes apart, the data has 10")
        self.refuse(Small(10, 1), "the module fails on images of [2, 3, 32, 32]")
        self.refuse(Small(10, 3).double(), "the module fails")

    def test_what_torch_says_is_one_line_and_all_of_it_with_verbose(self):
        class Wrong(nn.Module):
            """Fails in the interpreter; its own error begins with an empty line."""

            def __init__(self, empty):
                super().__init__()
                self.head = nn.Linear(3072, 10)
                self.empty = empty

            def forward(self, x):
                y = self.head(x.flatten(1))
                if self.empty:
                    raise RuntimeError("\n\n  the reason\nand more of it")
                return self.head(y)

        class InPlace(nn.Module):
            """Has no gradient: sigmoid's is taken from an output that is changed."""

            def __init__(self):
                super().__init__()
                self.head = nn.Linear(3072, 10)

            def forward(self, x):
                y = torch.sigmoid(self.head(x.flatten(1)))
                y.add_(1.0)
                return y

        evaluate = ["train", "evaluate", "--model"]
        train = ["train", "baseline", "--epochs", "1", "--out", str(self.path / "no"), "--model"]
        for words, model, line, more in (
                (evaluate, Wrong(True), "the reason", "and more of it"),
                (evaluate, Wrong(False), "mat1 and mat2 shapes cannot be multiplied (2x10 and 3072x10)",
                 "Traceback of TorchScript"),
                (train, InPlace(), "one of the variables needed for gradient computation has been "
                 "modified by an inplace operation", "modified by an inplace operation")):
            command = [AXMUL, *words, self.export(model, "fails.pt"), *self.data]
            short = run(*command)
            whole = run(*command, "--verbose")
            with self.subTest(line):
                self.assertEqual((short.returncode, whole.returncode), (3, 3), short.stderr)
                message = short.stderr.splitlines()[-1]
                self.assertIn("AX984", message)
                self.assertIn(": " + line, message)
                self.assertIn(message + "\n", whole.stderr)
                self.assertIn(more, whole.stderr.split(message)[-1])

    def test_files_that_are_no_archives(self):
        self.refuse(self.path / "none.pt", "is no file")
        torch.save(Grouped().state_dict(), self.path / "dict.pt")
        self.refuse(self.path / "dict.pt", "is no TorchScript archive")
        (self.path / "text.pt").write_text("no zip")
        self.refuse(self.path / "text.pt", "is no TorchScript archive")

    def test_network_and_model_exclude_each_other(self):
        path = self.export(Grouped(), "net3.pt")
        complain(self, [AXMUL, "train", "evaluate", "lenet5", "--model", path], 2, "not both")
        complain(self, [AXMUL, "train", "evaluate"], 2, "--model FILE.pt")

    def test_state_dicts_in_pytorchs_files(self):
        torch.manual_seed(6)
        model = Grouped()
        network = self.export(model, "arch.pt")
        other = Grouped()
        wanted = {}
        torch.save(dict(other.state_dict()), self.path / "plain.pt")
        torch.save({"state_dict": dict(other.state_dict()), "epoch": 3}, self.path / "nested.pth")
        torch.jit.script(other).save(str(self.path / "script.pt"))
        write_weights(other, self.path / "w.h5")
        torch.save(other.state_dict(), self.path / "ordered.pt")
        for file in ("w.h5", "plain.pt", "nested.pth", "script.pt", "ordered.pt"):
            out = self.run_axmul("train", "evaluate", "--model", network, "--weights",
                                 str(self.path / file), "--format", "json", "--test-limit", "100")
            wanted[file] = json.loads(out)["evaluations"][0]["loss"]
        self.assertEqual(len(set(wanted.values())), 1, wanted)

        torch.save(other, self.path / "pickled.pt")
        torch.save(dict(other.state_dict()), self.path / "old.pt",
                   _use_new_zipfile_serialization=False)
        torch.save({"epoch": 3}, self.path / "nothing.pt")
        bytes_of = (self.path / "plain.pt").read_bytes()
        (self.path / "cut.pt").write_bytes(bytes_of[:len(bytes_of) // 2])
        for file in ("pickled.pt", "nothing.pt"):
            self.refuse(network, "torch.save(model.state_dict(), FILE)", "--weights",
                        str(self.path / file))
        self.refuse(network, "tools/state_dict_to_h5.py", "--weights", str(self.path / "old.pt"))
        self.refuse(network, "is damaged", "--weights", str(self.path / "cut.pt"))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
