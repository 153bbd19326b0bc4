#!/usr/bin/python3
"""ResNet-20 as plain PyTorch, with the shared weights and images: script_data_test.py AXMUL LIBRARY.

Exported by script and by trace it goes through axmul train trace, match and retrain and back; the
built-in resnet20 of the same weights is the yardstick. Skipped without AXMUL_DATA.
"""
import json
import lzma
import os
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
if not os.environ.get("AXMUL_DATA"):
    print("skipped: AXMUL_DATA is not set")
    sys.exit(77)
import torch.nn.functional as F
from torch import nn

import axmul_torch  # noqa: F401  (the operators of model.axmul.pt)
from script_support import accuracy, axmul, images_and_labels, run_record

AXMUL, LIBRARY = sys.argv[1:3]
DATA = Path(os.environ["AXMUL_DATA"])
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
COMMON = ["--data", f"cifar10:{DATA / 'cifar10'}", "--mean", "0.485,0.456,0.406", "--std",
          "0.229,0.224,0.225", "--threads", "2"]
IMAGES = 250  # of the 1017, evenly spaced as --test-limit takes them


class Block(nn.Module):
    def __init__(self, channels, out, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.narrow = stride != 1
        self.add = (out - channels) // 2

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        if self.narrow:
            x = F.pad(x[:, :, ::2, ::2], [0, 0, 0, 0, self.add, self.add])
        return F.relu(y + x)


class ResNet20(nn.Module):
    """He et al. 2015, option-A shortcuts, under the names of the shared weights."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        for i, (channels, out) in enumerate([(16, 16), (16, 32), (32, 64)], 1):
            blocks = [Block(channels, out, 1 if i == 1 else 2), Block(out, out, 1), Block(out, out, 1)]
            setattr(self, f"layer{i}", nn.Sequential(*blocks))
        self.linear = nn.Linear(64, 10)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        x = F.avg_pool2d(x, 8)
        return self.linear(x.view(x.size(0), -1))


def shared_weights():
    state = {}
    with h5py.File(DATA / "networks/resnet20.h5") as file:
        file.visititems(lambda name, item: state.__setitem__(
            name.replace("/", "."), torch.as_tensor(item[()])) if isinstance(item, h5py.Dataset) else None)
    return state


class ResNet(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.path = Path(cls.folder.name)
        model = ResNet20()
        model.load_state_dict(shared_weights(), strict=False)
        model.eval()
        torch.jit.script(model).save(str(cls.path / "script.pt"))
        torch.jit.trace(model, torch.randn(2, 3, 32, 32)).save(str(cls.path / "trace.pt"))
        raw = lzma.open(DATA / "cifar10/test-1017.bin.xz").read()
        images, labels = images_and_labels(None, MEAN, STD, raw)
        chosen = torch.arange(IMAGES) * len(labels) // IMAGES
        cls.images, cls.labels = images[chosen], labels[chosen]

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def evaluation(self, *words):
        out = axmul(AXMUL, "train", "evaluate", *words, *COMMON, "--test-limit", str(IMAGES),
                    "--format", "json")
        return json.loads(out)["evaluations"][0]

    def test_it_equals_the_built_in_network(self):
        for more in ([], ["--library", str(DATA / "evoapprox"), "--multiplier", "mul8u_2AC",
                          "--fold", "--limit", "512"]):
            own = self.evaluation("resnet20", "--weights", str(DATA / "networks/resnet20.h5"), *more)
            for name in ("script", "trace"):
                module = self.evaluation("--model", str(self.path / f"{name}.pt"), *more)
                same = np.equal(module["predicted"], own["predicted"]).sum()
                # In float only the last mean is rounded differently. In 8 bits the built-in network
                # takes norm and activation along with the sums, so operands at a half may differ.
                self.assertGreaterEqual(same, len(own["predicted"]) - (3 if more else 1))
                self.assertAlmostEqual(module["loss"], own["loss"], delta=0.01 if more else 0.001)

    def test_it_goes_through_trace_match_and_retrain_and_back(self):
        sigma, assignment = self.path / "sigma.json", str(self.path / "assignment.json")
        for name in ("script", "trace"):
            network = str(self.path / f"{name}.pt")
            traces = str(self.path / f"{name}.h5")
            axmul(AXMUL, "train", "trace", "--model", network, *COMMON, "--images", "32", "--patches",
                  "128", "-o", traces)
            with h5py.File(traces) as file:
                (group,) = file["traces"].values()
                self.assertEqual(len(group), 20)
                sigma.write_text(json.dumps({"schema": "axmul.sigma/1", "layers": [
                    {"layer": layer, "sigma_l": 0.03} for layer in group]}))
            axmul(AXMUL, "match", "--traces", traces, "--library", LIBRARY, "--sigma", str(sigma),
                  "-o", assignment, "--force")
            run = self.path / f"run-{name}"
            axmul(AXMUL, "train", "retrain", "--model", network, *COMMON, "--library", LIBRARY,
                  "--assignment", assignment, "--fold", "--epochs", "1", "--lr", "1e-4", "--limit",
                  "256", "--test-limit", str(IMAGES), "--out", str(run))
            record = run_record(run)
            self.assertLess(record["relative_energy"], 0.6)
            self.assertGreater(record["test"]["top1"], 0.88)
            top1, loss = accuracy(run / "model.axmul.pt", self.images, self.labels)
            self.assertEqual(top1, record["test"]["top1"])
            self.assertAlmostEqual(loss, record["test"]["loss"], places=4)
            top1, _ = accuracy(run / "model.pt", self.images, self.labels)
            self.assertEqual(top1, record["modules"]["float_top1"])
            self.assertEqual(top1, self.evaluation("--model", str(run / "model.pt"))["top1"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
