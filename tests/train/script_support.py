"""What the tests of TorchScript networks share: running axmul, made-up images, PyTorch's figures."""
import json
import tempfile
import unittest
from pathlib import Path

import h5py
import numpy as np
import torch

from commands import run


def axmul(program, *words):
    """Runs axmul; its standard output. AssertionError with its messages where it fails."""
    result = run(program, *words)
    assert result.returncode == 0, f"{' '.join(words)}\n{result.stdout}{result.stderr}"
    return result.stdout


def complain(case, words, code, message):
    """The command ends with that exit code and says the message on standard error."""
    result = run(*words)
    case.assertEqual(result.returncode, code, result.stdout + result.stderr)
    case.assertIn(message, result.stderr)


def write_images(path, count, seed):
    """CIFAR-10 records: ten fixed random patterns under noise."""
    patterns = np.random.default_rng(0).integers(0, 256, (10, 3, 8, 8)).repeat(4, 2).repeat(4, 3)
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 10, count)
    noise = generator.normal(0, 60, (count, 3, 32, 32))
    images = np.clip(patterns[labels] + noise, 0, 255).astype(np.uint8)
    records = np.concatenate([labels[:, None].astype(np.uint8), images.reshape(count, -1)], 1)
    path.write_bytes(records.tobytes())


def images_and_labels(path, mean, std, raw=None):
    """The images of a CIFAR-10 file as PyTorch users normalise them."""
    records = np.frombuffer(raw or path.read_bytes(), np.uint8).reshape(-1, 3073)
    images = torch.from_numpy(records[:, 1:].reshape(-1, 3, 32, 32).copy()).float() / 255
    column = lambda values: torch.tensor(values).view(1, -1, 1, 1)
    return (images - column(mean)) / column(std), torch.from_numpy(records[:, 0].astype(np.int64))


def accuracy(path, images, labels):
    """Top-1 and cross entropy of a saved module, in batches of another size than axmul's."""
    module = torch.jit.load(str(path))
    with torch.no_grad():
        logits = torch.cat([module(batch) for batch in images.split(96)])
    right = int((logits.argmax(1) == labels).sum())
    return right / len(labels), float(torch.nn.functional.cross_entropy(logits, labels))


class Files(unittest.TestCase):
    """A folder with a small CIFAR-10, made up, and axmul with it as its data."""
    program = ""  # the path of axmul

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.path = Path(cls.folder.name)
        write_images(cls.path / "train.bin", 600, 1)
        write_images(cls.path / "test.bin", 300, 2)
        cls.data = ["--data", f"cifar10:{cls.path}", "--mean", "0.5", "--std", "0.25", "--threads",
                    "2"]
        cls.images, cls.labels = images_and_labels(cls.path / "test.bin", [0.5], [0.25])

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    @classmethod
    def run_axmul(cls, *words):
        return axmul(cls.program, *words, *cls.data)

    @classmethod
    def export(cls, model, name):
        path = cls.path / name
        torch.jit.script(model).save(str(path))
        return str(path)


def power_of(library, multiplier):
    """power_rel of a multiplier in an HDF5 library; 1 for the exact one."""
    if multiplier == "exact":
        return 1
    with h5py.File(library) as file:
        (power,) = {float(group["power_rel"][list(group["multiplier"].asstr()).index(multiplier)])
                    for group in file.values() if "multiplier" in group
                    and multiplier in list(group["multiplier"].asstr())}
    return power


def run_record(folder):
    return json.loads((folder / "run.json").read_text())


def write_weights(model, path):
    """Writes a model's state dict as HDF5, as tools/state_dict_to_h5.py does."""
    with h5py.File(path, "w") as file:
        for name, tensor in model.state_dict().items():
            file[name] = tensor.numpy()
