#!/usr/bin/env python3
"""Turn PyTorch weights into the HDF5 state dict that axmul reads: state_dict_to_h5.py IN.pt OUT.h5

IN is what torch.save() wrote of a state dict, or of a dict that holds one under "state_dict",
"model", "net" or "model_state_dict". It is read as data: no class it names is built and nothing in
it is run, so whole pickled modules and TorchScript archives are refused. OUT gets one dataset per
tensor under PyTorch's name. Needs python3-h5py; for files older than PyTorch 1.6 also python3-torch
1.13 or newer.
"""
import argparse
import collections
import os
import pickle
import sys
import zipfile

import numpy as np

# The element types that weights have; bfloat16 is the upper half of a float32.
STORAGES = {"HalfStorage": "f2", "BFloat16Storage": "u2", "FloatStorage": "f4", "DoubleStorage": "f8",
            "CharStorage": "i1", "ByteStorage": "u1", "ShortStorage": "i2", "IntStorage": "i4",
            "LongStorage": "i8", "BoolStorage": "?"}
LIMIT = 8  # all arrays together hold at most this many times the file's size in elements


class Refused(Exception):
    """The file cannot be turned into weights; says why."""


class Archive:
    """A zip file of torch.save(), whose tensors are read without PyTorch."""

    def __init__(self, path):
        self.zip = zipfile.ZipFile(path)
        self.left = LIMIT * os.path.getsize(path) + 2 ** 20
        names = self.zip.namelist()
        self.records = {name.split("/", 1)[-1]: name for name in names}
        if "constants.pkl" in self.records:
            raise Refused("is a TorchScript archive, which holds code; axmul reads its weights "
                          "itself: --weights FILE.pt")
        if "data.pkl" not in self.records:
            raise Refused("is a zip file, but none that torch.save() wrote")

    def load(self):
        with self.zip.open(self.records["data.pkl"]) as file:
            return DataUnpickler(file, self).load()

    def storage(self, kind, key, count):
        """The elements of a storage; its record must hold them all."""
        if f"data/{key}" not in self.records or not 0 <= count:
            raise Refused(f"has no record data/{key}")
        info = self.zip.getinfo(self.records[f"data/{key}"])
        if info.file_size < count * np.dtype(STORAGES[kind]).itemsize:
            raise Refused(f"record data/{key} holds {info.file_size} bytes, not {count} elements")
        if info.file_size > 2 ** 26 and info.file_size > 16 * info.compress_size:
            raise Refused(f"record data/{key} unpacks to more than 16 times its size")
        array = np.frombuffer(self.zip.read(info), STORAGES[kind], count)
        if kind == "BFloat16Storage":
            array = (array.astype("u4") << 16).view("f4")
        return array

    def tensor(self, storage, offset, size, stride, *_):
        """torch._utils._rebuild_tensor_v2 on an array; the tensor must lie in its storage."""
        if not isinstance(storage, np.ndarray) or len(size) != len(stride):
            raise Refused("describes a tensor in a way that PyTorch does not")
        numbers = [offset, *size, *stride]
        if not all(isinstance(n, int) and 0 <= n < 2 ** 40 for n in numbers):
            raise Refused("has a tensor of an absurd shape")
        count = int(np.prod(size, dtype=object))
        last = offset + sum((n - 1) * step for n, step in zip(size, stride))
        self.left -= count
        if (count and last >= len(storage)) or self.left < 0:
            raise Refused("has a tensor that reaches beyond its storage, or many on one storage")
        if count == 0:
            return np.zeros(size, storage.dtype)
        strides = [step * storage.itemsize for step in stride]
        return np.lib.stride_tricks.as_strided(storage[offset:], size, strides).copy()


class DataUnpickler(pickle.Unpickler):
    """Knows the names of tensors and dicts; any other name ends it before it is looked up."""

    def __init__(self, file, archive):
        super().__init__(file)
        self.archive = archive

    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return self.archive.tensor
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return lambda data, *_: data
        if module == "torch" and name in STORAGES:
            return name
        raise Refused(f"holds a {module}.{name}, which is code or needs code; in Python, write the "
                      "tensors alone: torch.save(model.state_dict(), FILE)")

    def persistent_load(self, pid):
        if not isinstance(pid, tuple) or len(pid) != 5 or pid[0] != "storage" \
                or pid[1] not in STORAGES or not isinstance(pid[4], int):
            raise Refused("describes a storage in a way that PyTorch does not")
        return self.archive.storage(pid[1], pid[2], pid[4])


def load_old(path):
    """The format from before PyTorch 1.6, through PyTorch, which runs nothing of it either."""
    import torch

    loaded = torch.load(path, map_location="cpu", weights_only=True)

    def arrays(thing):
        if isinstance(thing, torch.Tensor):
            thing = thing.detach()
            return (thing.float() if thing.dtype == torch.bfloat16 else thing).numpy()
        return {k: arrays(v) for k, v in thing.items()} if isinstance(thing, dict) else thing
    return arrays(loaded)


def load(path):
    """What torch.save() wrote, its tensors as arrays. Exits with a sentence where it cannot be."""
    try:
        with open(path, "rb") as file:  # PyTorch tells zip files by their start
            is_zip = file.read(2) == b"PK"
        return Archive(path).load() if is_zip else load_old(path)
    except Refused as error:
        sys.exit(f"error: {path} {error}")
    except pickle.UnpicklingError:  # PyTorch's text would lead to loading it without care
        sys.exit(f"error: {path} holds more than tensors, or is damaged; in Python, write the "
                 "tensors alone: torch.save(model.state_dict(), FILE)")
    except Exception as error:  # a damaged file: whatever zipfile, pickle and NumPy make of it
        sys.exit(f"error: {path} cannot be read: {type(error).__name__}: "
                 f"{(str(error).splitlines() or [''])[0]}")


def find_state_dict(thing):
    """The dict of arrays inside what was saved."""
    if isinstance(thing, dict):
        if thing and all(isinstance(k, str) and isinstance(v, np.ndarray) for k, v in thing.items()):
            return thing
        for key in ("state_dict", "model", "net", "model_state_dict"):
            if key in thing:
                return find_state_dict(thing[key])
    sys.exit("error: no state dict found; save it with torch.save(model.state_dict(), FILE)")


def write_h5(state, path, attributes):
    """Write arrays (float32, or int64 for counters) to a temporary file and rename it."""
    import h5py

    temporary = path + ".tmp"
    with h5py.File(temporary, "w") as file:
        for name, array in state.items():
            if name.startswith("module."):  # DataParallel
                name = name[len("module."):]
            file.create_dataset(name, data=array.astype("f4" if array.dtype.kind == "f" else "i8"))
        for key, value in attributes.items():
            file.attrs[key] = value
    os.replace(temporary, path)


def numbers(text):
    return [float(x) for x in text.split(",")]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("input", help="file written by torch.save()")
    parser.add_argument("output", help="HDF5 file to write")
    parser.add_argument("--arch", help="name of the network, e.g. resnet20")
    parser.add_argument("--mean", type=numbers, help="normalisation of the training, e.g. 0.5,0.5,0.5")
    parser.add_argument("--std", type=numbers)
    arguments = parser.parse_args()
    attributes = {"arch": arguments.arch, "norm_mean": arguments.mean, "norm_std": arguments.std}
    write_h5(find_state_dict(load(arguments.input)), arguments.output,
             {k: v for k, v in attributes.items() if v is not None})


if __name__ == "__main__":
    main()
