#!/usr/bin/env python3
"""Turn PyTorch weights into the HDF5 state dict that axmul reads: state_dict_to_h5.py IN.pt OUT.h5

IN is what torch.save() wrote of a state dict, of a dict that holds one under "state_dict", "model"
or "net", or of a whole module. OUT gets one dataset per tensor under PyTorch's name. Needs
python3-torch and python3-h5py.
"""
import argparse
import os
import sys


def find_state_dict(thing):
    """The dict of tensors inside what torch.load() returned."""
    import torch

    if hasattr(thing, "state_dict"):
        thing = thing.state_dict()
    if isinstance(thing, dict):
        if thing and all(isinstance(v, torch.Tensor) for v in thing.values()):
            return thing
        for key in ("state_dict", "model", "net", "model_state_dict"):
            if key in thing:
                return find_state_dict(thing[key])
    sys.exit("error: no state dict found; save it with torch.save(model.state_dict(), FILE)")


def write_h5(state, path, attributes):
    """Write tensors (float32, or int64 for counters) to a temporary file and rename it."""
    import h5py

    temporary = path + ".tmp"
    with h5py.File(temporary, "w") as file:
        for name, tensor in state.items():
            if name.startswith("module."):  # DataParallel
                name = name[len("module."):]
            tensor = tensor.detach().cpu()
            array = tensor.float().numpy() if tensor.is_floating_point() else tensor.long().numpy()
            file.create_dataset(name, data=array)
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
    import torch

    loaded = torch.load(arguments.input, map_location="cpu")
    attributes = {"arch": arguments.arch, "norm_mean": arguments.mean, "norm_std": arguments.std}
    write_h5(find_state_dict(loaded), arguments.output,
             {k: v for k, v in attributes.items() if v is not None})


if __name__ == "__main__":
    main()
