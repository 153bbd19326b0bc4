#!/usr/bin/python3
"""Hostile PyTorch files at axmul's door: nothing of them runs, nothing crashes, and honest files
still work. Usage: trust_test.py AXMUL CONVERTER. Exits with 77 without PyTorch."""
import collections
import json
import os
import subprocess
import sys
import unittest
import zipfile
from pathlib import Path
from typing import List, Tuple

try:
    import h5py
    import numpy as np
    import torch
except ImportError as error:
    print("skipped:", error)
    sys.exit(77)
from torch import nn

from commands import run
from script_support import Files

AXMUL, CONVERTER = sys.argv[1:3]


class Honest(nn.Module):
    """A network with much of what TorchScript has: lists, dicts, loops, tuples, submodules."""

    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList([nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)])
        self.bn = nn.BatchNorm2d(4)
        self.drop = nn.Dropout(0.1)
        self.sizes: List[int] = [2, 2]
        self.names = {"a": 1.5, "b": 2.0}
        self.head = nn.Linear(4, 10)
        self.register_buffer("steps", torch.arange(3))

    def forward(self, x, scale: float = 1.0):
        for i, block in enumerate(self.blocks):
            x = torch.relu(block(x)) * scale
        x = nn.functional.interpolate(self.bn(x), scale_factor=0.5)
        x = nn.functional.max_pool2d(x, self.sizes)
        if self.training:
            x = x + self.names["a"]
        return self.head(self.drop(x.mean((2, 3))))


class SetState(nn.Module):
    """Writes a file while it is loaded."""

    def __init__(self, proof):
        super().__init__()
        self.w, self.proof = torch.zeros(3), proof

    @torch.jit.export
    def __getstate__(self) -> Tuple[torch.Tensor, bool, str]:
        return self.w, self.training, self.proof

    @torch.jit.export
    def __setstate__(self, state: Tuple[torch.Tensor, bool, str]):
        torch.save(state[0], state[2])
        self.w, self.training, self.proof = state[0], state[1], state[2]

    def forward(self, x):
        return x.flatten(1)[:, :10] + self.w.sum()


class Plain(nn.Module):
    """What the attacks on the code start from."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(3072, 10)
        self.sizes: List[int] = [1, 2]

    def forward(self, x):
        return self.head(x.flatten(1))


def rewrite(source, target, change):
    """The archive with records changed: change(name, bytes) gives bytes or None."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as new:
        for item in old.infolist():
            data = change(item.filename.split("/", 1)[1], old.read(item.filename))
            if data is not None:
                new.writestr(item.filename, data)


class Trust(Files):
    program = AXMUL

    def setUp(self):
        self.proof = self.path / "CODE-WAS-RUN"
        if self.proof.exists():
            self.proof.unlink()

    def run_it(self, option, file, *more, seconds=60):
        words = [AXMUL, "train", "evaluate", *(["lenet5"] if option == "--weights" else []), option,
                 str(file), "--test-limit", "20", "--mode", "float", *more, *self.data]
        return run(*words, timeout=seconds)

    def refuse(self, option, file, *says):
        result = self.run_it(option, file)
        self.assertEqual(result.returncode, 3, (file, result.stdout, result.stderr))
        for text in (Path(file).name, *says):
            self.assertIn(text, result.stderr)
        self.assertFalse(self.proof.exists())

    def changed(self, change, name="changed.pt"):
        """The archive of a plain module with its records changed."""
        plain = self.path / "plain.pt"
        if not plain.exists():
            torch.jit.script(Plain().eval()).save(str(plain))
        rewrite(plain, self.path / name, change)
        return self.path / name

    def with_code(self, change, name="code.pt"):
        """The plain module with another text of its class."""
        def change_record(record, data):
            if record == "code/__torch__.py":
                after = change(data.decode())
                assert after != data.decode(), data.decode()
                return after.encode()
            return data
        return self.changed(change_record, name)

    def test_honest_modules_and_weights_work(self):
        torch.manual_seed(1)
        model = Honest().eval()
        script, trace = self.export(model, "honest.pt"), str(self.path / "traced.pt")
        torch.jit.trace(model, self.images[:2]).save(trace)
        losses = []
        for words in (["--model", script], ["--model", trace],
                      ["--model", script, "--weights", script], ["--model", script, "--weights", trace]):
            result = self.run_axmul("train", "evaluate", *words, "--mode", "float", "--format", "json")
            losses.append(json.loads(result)["evaluations"][0]["loss"])
        with torch.no_grad():
            wanted = float(nn.functional.cross_entropy(model(self.images), self.labels))
        for loss in losses:
            self.assertAlmostEqual(loss, wanted, places=4)

    def test_weights_never_run_code(self):
        file = self.path / "setstate.pt"
        torch.jit.script(SetState(str(self.proof))).save(str(file))
        self.assertFalse(self.proof.exists())
        self.refuse("--weights", file, "AX920", "__setstate__", "state_dict()")
        self.refuse("--model", file, "AX982", "aten::save", "--allow-native-code")
        result = self.run_it("--model", file, "--allow-native-code")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertTrue(self.proof.exists())  # the sample is a real one

    def test_pickles_never_run_code(self):
        proof = self.proof

        class Payload:
            def __reduce__(self):
                return os.system, (f"touch {proof}",)
        state = Plain().state_dict()
        for name, thing in {"root.pt": Payload(), "value.pt": {"w": state["head.weight"], "x": Payload()},
                            "ordered.pt": collections.OrderedDict(x=Payload(), **state),
                            "pickled.pt": Plain()}.items():
            torch.save(thing, self.path / name)
            self.refuse("--weights", self.path / name, "AX920", "state_dict()")
            done = subprocess.run([sys.executable, CONVERTER, self.path / name, self.path / "o.h5"],
                                  capture_output=True, text=True)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("state_dict()", done.stderr)
            self.assertFalse(self.proof.exists(), name)
        # The same in PyTorch's older format, and a TorchScript archive, which torch.load() would run.
        torch.save({"x": Payload()}, self.path / "old.pt", _use_new_zipfile_serialization=False)
        torch.jit.script(SetState(str(proof))).save(str(self.path / "script.pt"))
        self.refuse("--weights", self.path / "old.pt", "AX920", "tools/state_dict_to_h5.py")
        for name in ("old.pt", "script.pt"):
            done = subprocess.run([sys.executable, CONVERTER, self.path / name, self.path / "o.h5"],
                                  capture_output=True, text=True)
            self.assertNotEqual(done.returncode, 0, done.stderr)
            self.assertFalse(self.proof.exists(), name)
        self.assertFalse((self.path / "o.h5").exists())

    def test_state_dicts_are_read_in_all_their_forms(self):
        """axmul and the converter give PyTorch's values, whatever layout, type and nesting."""
        torch.manual_seed(3)
        model = Honest()
        state = model.state_dict()
        network = self.export(model.eval(), "forms.pt")
        shared = torch.randn(10, 8)
        odd = collections.OrderedDict((k, v.t().contiguous().t() if v.dim() == 2 else v)
                                      for k, v in state.items())
        odd["head.weight"] = shared[:, 2:6]
        odd["head.bias"] = shared.double()[:, 7]
        odd["bn.weight"] = torch.tensor(1.5).expand(4)
        odd["bn.bias"] = torch.tensor([1, 2, 3, 4.]).bfloat16()
        forms = {"ordered.pt": state, "nested.pt": {"epoch": 3, "model": state, "x": [1.5, None]},
                 "odd.pt": odd, "parallel.pt": {"module." + k: v for k, v in state.items()}}
        for name, thing in forms.items():
            torch.save(thing, self.path / name, **({"pickle_protocol": 4} if "odd" in name else {}))
            wanted = thing.get("model", thing)
            subprocess.run([sys.executable, CONVERTER, self.path / name, self.path / "h.h5"], check=True)
            with h5py.File(self.path / "h.h5") as file:
                for key, tensor in wanted.items():
                    np.testing.assert_array_equal(file[key.removeprefix("module.")][()],
                                                  tensor.float().numpy(), err_msg=key)
            losses = []
            for weights in (self.path / name, self.path / "h.h5"):
                result = self.run_axmul("train", "evaluate", "--model", network, "--weights",
                                        str(weights), "--format", "json", "--test-limit", "50")
                losses.append(json.loads(result)["evaluations"][0]["loss"])
            self.assertEqual(losses[0], losses[1], name)

    def test_code_that_reaches_files_is_refused_before_it_runs(self):
        """Ways to a file: while compiling, while loading, while running; under other names."""
        proof = str(self.proof)
        make = f'torch.from_file("{proof}", True, 4)'
        save = f'torch.save(x, "{proof}")'
        def body(text):
            return lambda code: code.replace("    head = self.head\n", f"    {text}\n    head = self.head\n")
        attacks = {
            "default": lambda code: code.replace("x: Tensor)", f"x: Tensor,\n    y: Tensor={make})"),
            "hidden default": lambda code: code.replace(
                "x: Tensor)", f"x: Tensor,\n    y: List[Tensor]=[torch.zeros([1]), {make}])"),
            "class constant": lambda code: code.replace(
                "  training : bool", f"  evil : Final[Tensor] = {make}\n  training : bool"),
            "function": body(f"_0 = {save}"),
            "alias": body(f'f = torch.save\n    _0 = f(x, "{proof}")'),
            "method": body(f'_0 = x.save("{proof}")'),
            "ops": body(f'_0 = ops.aten.save(x, "{proof}")'),
            "getattr": body(f'_0 = getattr(x, "save")("{proof}")'),
            "from_file": body(f"x = torch.add(x, {make})"),
            "in a branch": body(f"if self.training:\n      x = torch.add(x, {make})\n    else:\n      pass"),
            "another function": lambda code: body("x = __torch__.evil(x)")(code) +
                f"def evil(x: Tensor) -> Tensor:\n  y = {make}\n  return y\n",
            "another method": lambda code: body("x = (self).evil(x, )")(code) +
                f"  def evil(self: __torch__.Plain,\n    x: Tensor) -> Tensor:\n    y = {make}\n    return y\n",
            "forked": lambda code: body("_0 = fork(__torch__.evil, x)")(code) +
                f"def evil(x: Tensor) -> Tensor:\n  y = {make}\n  return y\n",
            "print": body("print(x)"),
        }
        for name, change in attacks.items():
            with self.subTest(name):
                file = self.with_code(change, name.replace(" ", "_") + ".pt")
                self.refuse("--model", file, "AX982")
                self.refuse("--weights", file)  # of another network than lenet5, and not run
        # They are real attacks: what the code computes early does write where it is allowed to.
        for name in ("default", "class constant", "from_file"):
            if self.proof.exists():
                self.proof.unlink()
            self.run_it("--model", self.path / (name.replace(" ", "_") + ".pt"), "--allow-native-code")
            self.assertTrue(self.proof.exists(), name)
        self.proof.unlink()

    def test_code_made_to_break_the_compiler_is_refused(self):
        def body(text):
            return lambda code: code.replace("    head = self.head\n", f"{text}    head = self.head\n")
        deep = "(" * 200000 + "1" + ")" * 200000
        calls = "".join(f"def f{i}(x: Tensor) -> Tensor:\n  y = __torch__.f{i + 1}(__torch__.f{i + 1}(x))\n"
                        "  return y\n" for i in range(40)) + \
            "def f40(x: Tensor) -> Tensor:\n  return torch.relu(x)\n"
        chain = "".join(f"def g{i}(x: Tensor) -> Tensor:\n  return __torch__.g{i + 1}(x)\n"
                        for i in range(20000)) + "def g20000(x: Tensor) -> Tensor:\n  return torch.relu(x)\n"
        for name, change in {"nesting": body(f"    y = {deep}\n    x = torch.add(x, y)\n"), "sum": body("    y = 1" + "+1" * 200000 + "\n    x = torch.add(x, y)\n"),
                             "calls": lambda code: body("    x = __torch__.f0(x)\n")(code) + calls,
                             "chain": lambda code: body("    x = __torch__.g0(x)\n")(code) + chain,
                             "no class": lambda code: "x = 1\n" + code,
                             "no python": lambda code: "\x00\xff" + code}.items():
            with self.subTest(name):
                self.refuse("--model", self.with_code(change, name.replace(" ", "_") + ".pt"), "AX982")

    def test_values_that_are_not_what_the_code_takes_them_for_are_refused(self):
        """Compiled code reads attributes by position: another class there would be read beyond its end."""
        def data(old, new, count=1):
            def change(record, bytes_):
                if record != "data.pkl":
                    return bytes_
                assert old in bytes_, bytes_
                return bytes_.replace(old, new, count)
            return change
        linear = b"c__torch__.torch.nn.modules.linear\nLinear\n"
        attacks = {"class": data(linear, b"c__torch__\nPlain\n"),
                   "unknown class": data(linear, b"c__torch__\nNobody\n"),
                   "native class": data(linear, b"c__torch__.torch.classes.quantized\nLinearPackedParamsBase\n"),
                   "stride": data(b"M\x00\x0cK\x01t", b"M\x00\xffK\x01t"),
                   "negative stride": data(b"M\x00\x0cK\x01t", b"J\x00\xff\xff\xffK\x01t"),
                   "list": data(b"build_intlist", b"build_doublelist"),
                   "bool": data(b"\x89", b"K\x01")}
        for name, change in attacks.items():
            with self.subTest(name):
                self.refuse("--model", self.changed(change, name.replace(" ", "_") + ".pt"), "AX982")
        short = self.changed(lambda r, d: d[:4] if r == "data/0" else d, "short.pt")
        self.refuse("--model", short, "AX982", "data/0 holds 4 bytes")
        self.refuse("--weights", short, "AX921", "data/0 holds 4 bytes")
        gone = self.changed(lambda r, d: None if r == "data/1" else d, "gone.pt")
        self.refuse("--model", gone, "AX982", "no record data/1")
        self.refuse("--weights", gone, "AX921", "no record data/1")

    def test_mutants_of_an_archive_end_in_a_sentence(self):
        generator = np.random.default_rng(5)
        plain = self.changed(lambda r, d: d, "seed.pt")
        records = [n.split("/", 1)[1] for n in zipfile.ZipFile(plain).namelist()]
        for trial in range(25):
            chosen = ["data.pkl", "constants.pkl", "code/__torch__.py", records[trial % len(records)]][trial % 4]

            def change(record, data):
                if record != chosen or not data:
                    return data
                data = bytearray(data)
                for _ in range(generator.integers(1, 4)):
                    at = int(generator.integers(len(data)))
                    kind = generator.integers(3)
                    if kind == 0:
                        data[at] = int(generator.integers(256))
                    elif kind == 1:
                        del data[at:at + int(generator.integers(1, 9))]
                    else:
                        data[at:at] = data[at // 2:at // 2 + int(generator.integers(1, 30))]
                    data = data or bytearray(b"x")
                return bytes(data)
            file = self.changed(change, "mutant.pt")
            for option in ("--model", "--weights"):
                result = self.run_it(option, file)
                self.assertIn(result.returncode, (0, 3), (trial, chosen, result.returncode, result.stderr))
                if result.returncode == 3:
                    self.assertIn("axmul train: AX", result.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
