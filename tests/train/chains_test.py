#!/usr/bin/python3
"""Layers that feed each other directly give what Python computes: in float, and in 8 bits to the bit.

Usage: chains_test.py RUNNER [AXMUL]. RUNNER (chain_runner.cpp) runs folders of modules as axmul
does; AXMUL, where there is one, goes the whole way from the command line. The random chains come
from AXMUL_TEST_SEED, else from a seed that is printed.
"""
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
import unittest
import warnings
from pathlib import Path

try:
    import h5py
    import numpy as np
    import torch
except ImportError as error:
    print("skipped:", error)
    sys.exit(77)
from torch import nn

import chains
from chains import Branch, Loop, Maker, Residual

RUNNER, AXMUL = sys.argv[1], (sys.argv[2:] + [""])[0]
SEED = int(os.environ.get("AXMUL_TEST_SEED", time.time_ns() % 1000000))
RANDOM_CHAINS = 64
CHANNELS, HEIGHT, WIDTH = 3, 8, 8
torch.set_num_threads(1)  # such small tensors lose by more
EXAMPLES = 2  # images that torch.jit.trace and axmul's first pass see


class Case:
    """A chain, its module in Python, and the files under which it is exported."""

    def __init__(self, name, items, model):
        self.name, self.items, self.model = name, items, model

    def variants(self):
        """(file name, the chain with its call sites named) of script and trace."""
        yield f"{self.name}-script", chains.name_sites(self.items)
        yield f"{self.name}-trace", chains.name_sites(chains.as_traced(self.items, EXAMPLES))


def write_modules(folder, named_chains):
    """Exports every chain by script and by trace; the cases."""
    titles = {name: f"Chain{i}" for i, name in enumerate(named_chains)}
    text = "\n\n".join(chains.source(items, titles[name]) for name, items in named_chains.items())
    (folder / "chain_modules.py").write_text(
        "import torch\nimport torch.nn.functional as F\nfrom torch import Tensor, nn\n\n\n" + text)
    spec = importlib.util.spec_from_file_location("chain_modules", folder / "chain_modules.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    cases = []
    for i, (name, items) in enumerate(named_chains.items()):
        torch.manual_seed(i)
        model = getattr(module, titles[name])().eval()
        torch.jit.script(model).save(str(folder / f"{name}-script.pt"))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.jit.trace(model, torch.randn(EXAMPLES, CHANNELS, HEIGHT, WIDTH)).save(
                str(folder / f"{name}-trace.pt"))
        cases.append(Case(name, items, model))
    return cases


class Chains(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.images = torch.randn(5, CHANNELS, HEIGHT, WIDTH,
                                  generator=torch.Generator().manual_seed(7))
        np.save(self.folder / "images.npy", self.images.reshape(5, -1).numpy())

    def check(self, named_chains):
        """Every chain, by script and by trace: names, float outputs, bits of the 8-bit outputs."""
        cases = write_modules(self.folder, named_chains)
        run = subprocess.run([RUNNER, str(self.folder), str(CHANNELS), str(HEIGHT), str(WIDTH)],
                             capture_output=True, text=True)
        self.assertEqual((run.returncode, run.stdout), (0, ""), run.stderr[-4000:])
        for case in cases:
            with torch.no_grad():
                wanted = case.model(self.images)
                for file, sites in case.variants():
                    with self.subTest(file, chain=case.items):
                        self.compare(self.folder / file, case.model, sites, wanted)

    def compare(self, stem, model, sites, wanted):
        read = lambda what: torch.from_numpy(np.load(f"{stem}.{what}.npy"))
        with h5py.File(f"{stem}.h5") as file:
            ranges = {name[:-len(".a_range")]: file[name][()] for name in file
                      if name.endswith(".a_range")}
        as_float = lambda site, layer, x: chains.float_layer(model, layer, x)
        if stem.name.endswith("-script"):  # the reference itself
            torch.testing.assert_close(chains.run(sites, self.images, as_float), wanted)
        else:
            wanted = chains.run(sites, self.images, as_float)
        torch.testing.assert_close(read("float"), wanted, rtol=1e-4, atol=1e-4)
        seen = chains.sites_reached(sites, len(self.images))
        self.assertEqual(set(ranges), chains.sites_reached(sites, EXAMPLES) & seen)

        def in_8_bits(site, layer, x):
            if site not in ranges:
                return chains.float_layer(model, layer, x)
            return chains.quantized_layer(model, layer, x, ranges[site])
        wanted = chains.run(sites, self.images, in_8_bits)
        if seen <= set(ranges):
            self.assertTrue(torch.equal(read("quantized"), wanted))
        else:  # a call that the first pass did not reach runs in float, in another memory layout
            torch.testing.assert_close(read("quantized"), wanted, rtol=1e-4, atol=1e-4)
        self.assertTrue(torch.equal(read("training"), read("quantized")))
        if "AXMUL_TORCH_LIBRARY" in os.environ:
            torch.ops.load_library(os.environ["AXMUL_TORCH_LIBRARY"])
            saved = torch.jit.load(f"{stem}.axmul.pt")
            self.assertTrue(torch.equal(saved(self.images), read("quantized")))

    def test_pairs_of_all_kinds(self):
        kinds = chains.CONVOLUTIONS + chains.MATRICES
        pairs = {}
        for i, first in enumerate(kinds):
            for j, second in enumerate(kinds):
                if first in chains.CONVOLUTIONS or second in chains.MATRICES:
                    pairs[f"{first}-{second}"] = chains.chain_of([first, second], 100 * i + j)
        self.check(pairs)

    def test_two_to_five_of_a_kind(self):
        self.check({f"{kind}-{n}": chains.chain_of([kind] * n, n)
                    for kind in chains.CONVOLUTIONS + chains.MATRICES for n in (2, 3, 4, 5)})

    def test_identities_between(self):
        order = ["conv", "depthwise", "grouped", "pointwise", "linear", "addmm", "addmm_t"]
        self.check({"identities": chains.chain_of(order, 1, "self.identity(x)"),
                    "dropout": chains.chain_of(order, 2, "F.dropout(x, 0.5, False)"),
                    "relu": chains.chain_of(order, 3, "F.relu(x)")})

    def test_blocks_and_repeated_layers(self):
        maker = Maker(11)
        first, a, b, c = (maker.layer(kind, keep=True)
                          for kind in ("conv", "conv", "depthwise", "linear"))
        end = maker.end()
        both = lambda least: [first, Branch(least, [a, b], [b, a]), c] + end
        self.check({
            "used_twice": [first, a, a, b, a] + end,
            "first_branch": both(1), "second_branch": both(9),
            "both_branches": [first, Loop([[a, b], [b, c]]), a] + end,
            "same_layer_in_both": [first, Branch(1, [a], [a]), a, Loop([[a], [a, a]])] + end,
            "unchanged_in_a_branch": [first, Branch(1, [], [a]), b, Branch(9, [a], []), c] + end,
            "unchanged_in_all": [Branch(2, [], []), Loop([[], []]), first] + end,
            "nested": [first, Branch(2, [a, Loop([[b], [Branch(9, [a], [c, c])]])], [b]), c] + end,
            "shared_input": [first, Residual([Residual([a]), b]), Residual([c])] + end,
            "reached_by_larger_batches": [first, a, Branch(4, [b], [c])] + end})

    def test_random_chains(self):
        print(f"chains_test.py: AXMUL_TEST_SEED={SEED}", flush=True)
        self.check({f"random{SEED + i}": chains.random_chain(SEED + i)
                    for i in range(RANDOM_CHAINS)})


class CommandLine(unittest.TestCase):
    def test_evaluate_says_what_python_does(self):
        if not AXMUL:
            self.skipTest("without axmul")
        from script_support import Files

        class Folder(Files):
            program = AXMUL
        Folder.setUpClass()
        self.addCleanup(Folder.tearDownClass)
        torch.manual_seed(3)
        models = [nn.Sequential(nn.Flatten(), nn.Linear(3072, 32), nn.Linear(32, 10)),
                  nn.Sequential(nn.Conv2d(3, 8, 3, 2), nn.Identity(), nn.Conv2d(8, 8, 3, 2),
                                nn.Flatten(), nn.Linear(392, 10))]
        for model in models:
            path = Folder.export(model.eval(), "chain.pt")
            out = Folder.run_axmul("train", "evaluate", "--model", path, "--mode", "float",
                                   "--format", "json")
            with torch.no_grad():
                loss = float(nn.functional.cross_entropy(model(Folder.images), Folder.labels))
            self.assertAlmostEqual(json.loads(out)["evaluations"][0]["loss"], loss, places=5)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
