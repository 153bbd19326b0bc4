#!/usr/bin/python3
"""Training steps of ResNet-20 on an approximate multiplier: in Python against axmul-train, in turns.

    PYTHONPATH=tools AXMUL_DATA=… bench/bench_torch.py build/release/bin/axmul [--rounds 3]

Both train the same network, images, batch and table with the same threads: Python an ordinary loop
around tools/axmul_torch.py, axmul the command retrain (the built-in network, and the same Python
network as a TorchScript module). Prints seconds per epoch and the ratios of the medians. The
normalised batches are ready in Python; axmul-train makes its own, without augmentation.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # as axmul-train does; read when torch loads
import torch  # noqa: E402

import axmul_torch  # noqa: E402

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests/train"))


def python_epoch(model, optimizer, images, labels, batch):
    model.train()
    start = time.perf_counter()
    for x, y in zip(images.split(batch), labels.split(batch)):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(x), y)
        loss.item()  # axmul-train looks at every loss too
        loss.backward()
        optimizer.step()
    return time.perf_counter() - start


def axmul_epoch(program, network, common):
    """Seconds of the second epoch of a run, as its record has them."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([program, "train", "retrain", *network, *common, "--epochs", "2", "--out",
                        f"{folder}/run", "--quiet"], check=True, stdout=subprocess.DEVNULL)
        return json.loads(Path(f"{folder}/run/run.json").read_text())["epochs"][1]["seconds"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("axmul")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--images", type=int, default=768)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--multiplier", default="mul8u_2AC")
    arguments = parser.parse_args()
    sys.argv = [sys.argv[0], arguments.axmul, ""]
    from script_data_test import DATA, ResNet20, shared_weights

    torch.set_num_threads(arguments.threads)
    library = str(DATA / "evoapprox")
    model = ResNet20()
    model.load_state_dict(shared_weights(), strict=False)
    images = torch.randn(arguments.images, 3, 32, 32).contiguous(memory_format=torch.channels_last)
    labels = torch.randint(0, 10, (arguments.images,))
    model.eval()
    with tempfile.TemporaryDirectory() as folder:
        module = f"{folder}/net.pt"
        torch.jit.script(model).save(module)
        multiplier = axmul_torch.Multiplier.open(arguments.multiplier, library)
        approximate = axmul_torch.convert(model, multiplier).to(memory_format=torch.channels_last)
        axmul_torch.calibrate(approximate, images.split(arguments.batch))
        optimizer = torch.optim.SGD(approximate.parameters(), lr=1e-6, momentum=0.9, weight_decay=1e-4)
        common = ["--data", f"cifar10:{DATA / 'cifar10'},test={DATA / 'cifar10/test-1017.bin.xz'}",
                  "--library", library, "--multiplier", arguments.multiplier, "--limit",
                  str(arguments.images), "--test-limit", "1", "--batch", str(arguments.batch), "--lr",
                  "1e-6", "--augment", "none", "--threads", str(arguments.threads)]
        built_in = ["resnet20", "--weights", str(DATA / "networks/resnet20.h5")]
        python_epoch(approximate, optimizer, images, labels, arguments.batch)  # warm
        times = {"Python": [], "axmul-train, built-in": [], "axmul-train, module": []}
        for _ in range(arguments.rounds):
            times["Python"].append(
                python_epoch(approximate, optimizer, images, labels, arguments.batch))
            times["axmul-train, built-in"].append(axmul_epoch(arguments.axmul, built_in, common))
            times["axmul-train, module"].append(
                axmul_epoch(arguments.axmul, ["--model", module], common))
    middle = {name: statistics.median(values) for name, values in times.items()}
    steps = arguments.images / arguments.batch
    for name, value in middle.items():
        print(f"{name:24} {1000 * value / steps:8.1f} ms/step {arguments.images / value:8.1f} images/s")
    for name in list(middle)[1:]:
        print(f"Python / {name}: {middle['Python'] / middle[name]:.3f}")


if __name__ == "__main__":
    main()
