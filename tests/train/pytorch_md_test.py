#!/usr/bin/python3
"""Runs the examples of src/train/pytorch.md: pytorch_md_test.py PAGE BIN, as their text says
for a model and images that are given."""
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import torch
except ImportError as error:
    print("skipped:", error)
    sys.exit(77)
from torch import nn

import axmul_torch
from script_support import images_and_labels, write_images


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 12, 3, 2, 1)
        self.conv2 = nn.Conv2d(12, 16, 3, 2, 1)
        self.fc = nn.Linear(16 * 16, 10)

    def forward(self, x):
        x = torch.relu(self.conv2(torch.relu(self.conv1(x))))
        x = torch.max_pool2d(x, 2)
        return self.fc(x.view(x.size(0), -1))


def trained(images, labels):
    torch.manual_seed(1)
    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    for _ in range(8):
        for x, y in zip(images.split(50), labels.split(50)):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
    return model.eval()


def accuracy(model, images, labels):
    with torch.no_grad():
        return float((model.eval()(images).argmax(1) == labels).float().mean())


def main():
    page, binaries = Path(sys.argv[1]).read_text(), Path(sys.argv[2]).resolve()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        data = Path(folder) / "data"
        data.mkdir()
        write_images(data / "train.bin", 600, 1)
        write_images(data / "test.bin", 300, 2)
        names = {}
        names["train_images"], names["train_labels"] = images_and_labels(data / "train.bin", [0.5], [0.25])
        names["test_images"], names["test_labels"] = images_and_labels(data / "test.bin", [0.5], [0.25])
        names["model"] = trained(names["train_images"], names["train_labels"])
        in_float = accuracy(names["model"], names["test_images"], names["test_labels"])
        Path("assignment.json").write_text(json.dumps({"layers": [
            {"layer": "conv1", "multiplier": "drum(k=4)"},
            {"layer": "conv2", "multiplier": "drum(k=3)"}, {"layer": "fc", "multiplier": "exact"}]}))
        environment = dict(os.environ, DATA=str(data), PATH=f"{binaries}:{os.environ['PATH']}")
        blocks = re.findall(r"^```(python|sh)\n(.*?)^```", page, re.M | re.S)
        # How the operators are built is train/build_torch_slow's; here they are there.
        assert blocks[0][0] == "sh" and blocks[0][1].startswith("tools/build-torch "), blocks[0]
        del blocks[0]
        assert [kind for kind, _ in blocks] == [
            "python", "python", "python", "sh", "sh", "python", "python"], blocks
        for kind, text in blocks:
            print("---", text, flush=True)
            if kind == "sh":
                subprocess.run(["bash", "-euc", text], check=True, env=environment)
            else:
                exec(text, names)
            if "approximate" in names:  # examples 1 and 3 leave a model that still works
                layers = dict(axmul_torch.lut_layers(names["approximate"]))
                assert set(layers) == {"conv1", "conv2", "fc"}, layers
                top1 = accuracy(names["approximate"], names["test_images"], names["test_labels"])
                assert top1 > in_float - 0.1 > 0.7, (top1, in_float)
        assert layers["conv2"].multiplier_name == "drum(k=3)" and layers["fc"].lut is None
        for file in ("traces.h5", "retrained/model.pt", "retrained/model.axmul.pt"):
            assert Path(file).stat().st_size > 1000, file
        reported = json.loads(Path("retrained/run.json").read_text())["test"]["top1"]
        assert accuracy(names["retrained"], names["test_images"], names["test_labels"]) - reported < 1e-6


if __name__ == "__main__":
    main()
