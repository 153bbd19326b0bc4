#!/usr/bin/python3
"""tools/axmul_torch.py: what convert() takes and refuses, torch's fused calls, and whose
multiplications an energy speaks of, against counts by formulas of this file."""
import itertools
import json
import sys
import tempfile
import unittest
import warnings
from pathlib import Path

try:
    import torch
except ImportError as error:
    print("skipped:", error)
    sys.exit(77)
from torch import nn

import axmul_torch

ROUGH = axmul_torch.Multiplier.open("drum(k=3)")


def of_einsum(equation, *shapes):
    """Multiplications of an einsum of two operands, all of whose indices are in the output or in
    both: one for each point of the index space."""
    sizes = {}
    for term, shape in zip(equation.split("->")[0].split(","), shapes):
        sizes.update(zip(term, shape))
    return len(list(itertools.product(*(range(n) for n in sizes.values()))))


def of_attention(batch, queries, keys, embed):
    """Projections of query, key and value, scores, weighted sum, projection of the output; heads
    split the embedding and change nothing."""
    project = batch * (queries + 2 * keys) * embed * embed
    return project + 2 * batch * queries * keys * embed + batch * queries * embed * embed


def of_recurrent(gates, steps, batch, inputs, hidden, layers=1, directions=1):
    total = 0
    for layer in range(layers):
        width = inputs if layer == 0 else directions * hidden
        for _ in range(directions * steps * batch):
            total += gates * hidden * (width + hidden)
    return total


class Wrapped(nn.Module):
    """A function of the input beside one linear layer [4 → 3] on its own input."""

    def __init__(self, function):
        super().__init__()
        self.function, self.head = function, nn.Linear(4, 3)

    def forward(self, x):
        self.function(x)
        return self.head(x.new_ones(2, 4))


def counted(function, x):
    """(multiplications of the function for the whole batch, calls that are not counted)"""
    energy = axmul_torch.energy(axmul_torch.convert(Wrapped(function), ROUGH), x)
    assert abs(energy.covered * len(x) - 2 * 4 * 3) < 1e-9
    assert abs(sum(ops for _, _, ops in energy.calls) - energy.not_covered) < 1e-9
    return round(energy.not_covered * len(x), 6), energy.not_counted


class Counts(unittest.TestCase):
    def check(self, function, x, wanted):
        self.assertEqual(counted(function, x), (wanted, []))

    def test_products_and_convolutions(self):
        x, w = torch.randn(2, 6, 5), torch.randn(5, 7)
        self.check(lambda x: x @ w, x, 2 * 6 * 5 * 7)
        self.check(lambda x: torch.bmm(x, x.transpose(1, 2)), x, 2 * 6 * 6 * 5)
        self.check(lambda x: torch.baddbmm(torch.zeros(1), x, x.transpose(1, 2)), x, 2 * 6 * 6 * 5)
        self.check(lambda x: torch.addbmm(torch.zeros(1), x, x.transpose(1, 2)), x, 2 * 6 * 6 * 5)
        self.check(lambda x: torch.mv(x[0], torch.ones(5)), x, 6 * 5)
        self.check(lambda x: torch.addmv(torch.zeros(6), x[0], torch.ones(5)), x, 6 * 5)
        self.check(lambda x: torch.zeros(6, 7).addmm_(x[0], w), x, 6 * 5 * 7)
        self.check(lambda x: torch.tensordot(x, w, 1), x, 2 * 6 * 5 * 7)
        self.check(nn.Conv1d(6, 4, 3, groups=2), x, 2 * 4 * 3 * 3 * 3)
        self.check(nn.ConvTranspose1d(6, 4, 3, groups=2), x, 2 * 6 * 5 * 2 * 3)
        self.check(lambda x: torch.cdist(x, x), x, 2 * 6 * 6 * 5)
        self.check(lambda x: torch.outer(x[0, 0], x[0, :, 0]) + x[0, 0].ger(x[1, :, 0]), x, 2 * 5 * 6)
        self.check(lambda x: torch.conv_tbc(x, torch.ones(2, 5, 3), torch.ones(3), 0), x,
                   1 * 6 * 3 * 2 * 5)
        self.check(lambda x: x * x + torch.softmax(x, 1), x, 0)

    def test_einsum(self):
        x, y, z = torch.randn(2, 3, 4), torch.randn(4, 5), torch.randn(5, 6)
        for equation, other in (("bij,jk->bik", y), ("bij,bij->b", x), ("bij,bkj->bik", x)):
            wanted = of_einsum(equation, x.shape, other.shape)
            self.check(lambda x, e=equation, o=other: torch.einsum(e, x, o), x, wanted)
        # i and k are summed up before anything is multiplied; what sums up nothing is element-wise.
        self.check(lambda x: torch.einsum("bij,jk->b", x, y), x, 2 * 4)
        self.check(lambda x: torch.einsum("bij,bij->bij", x, x), x, 0)
        # Three operands: from left to right, or in the cheapest order where opt_einsum finds it.
        from_left, cheapest = 2 * 3 * 4 * 5 + 2 * 3 * 5 * 6, 4 * 5 * 6 + 2 * 3 * 4 * 6
        backend = getattr(torch.backends, "opt_einsum", None)
        ordered = backend is not None and backend.is_available() and backend.enabled
        self.check(lambda x: torch.einsum("bij,jk,kl->bil", x, y, z), x,
                   cheapest if ordered else from_left)

    def test_recurrent_layers(self):
        x = torch.randn(2, 6, 5)  # batch, steps, inputs
        for kind, gates in ((nn.RNN, 1), (nn.GRU, 3), (nn.LSTM, 4)):
            for layers, both in ((1, False), (2, False), (2, True)):
                module = kind(5, 7, layers, batch_first=True, bidirectional=both)
                self.check(module, x, of_recurrent(gates, 6, 2, 5, 7, layers, 1 + both))
        self.check(lambda x: nn.LSTMCell(5, 7)(x[:, 0]), x, of_recurrent(4, 1, 2, 5, 7))

    def test_attention_fused_and_not(self):
        x = torch.randn(2, 6, 8)
        for embed_first in (True, False):  # fused only where the batch comes first
            module = nn.MultiheadAttention(8, 2, batch_first=embed_first)
            batch, length = (2, 6) if embed_first else (6, 2)
            self.check(lambda x, m=module: m(x, x, x), x, of_attention(batch, length, length, 8))
        layer = nn.TransformerEncoderLayer(8, 2, 20, dropout=0.0, batch_first=True)
        fused = [layer.eval()]  # in a list: no module of the model, so not converted
        self.check(lambda x: fused[0](x), x, of_attention(2, 6, 6, 8) + 2 * 2 * 6 * 8 * 20)
        key = torch.randn(2, 9, 8)
        self.check(lambda x: torch.ops.aten._scaled_dot_product_attention(x, key, key), x,
                   2 * 2 * 6 * 9 * 8)

    def test_what_nobody_can_count_makes_the_energy_a_bound(self):
        x = torch.randn(2, 3, 3)
        ops, unknown = counted(lambda x: torch.linalg.inv(x + 3 * torch.eye(3)), x)
        self.assertEqual(ops, 0)
        self.assertTrue(unknown)
        model = axmul_torch.convert(Wrapped(torch.linalg.inv), ROUGH)
        energy = axmul_torch.energy(model, x)
        self.assertTrue(energy.is_bound)
        self.assertAlmostEqual(energy.relative, ROUGH.power_rel)
        self.assertIn("≥", str(energy))
        self.assertIn("at least 0.0 % of the multiplications are in calls that axmul does not "
                      "replace", str(energy))

    def test_relative_energy(self):
        torch.manual_seed(1)
        model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 8, 3), nn.Flatten(),
                              nn.Linear(8 * 16, 10))
        x = torch.randn(5, 3, 8, 8)
        converted = axmul_torch.convert(model, ROUGH, exact=["3"])
        first, second, last = 36 * 4 * 27, 16 * 8 * 36, 8 * 16 * 10
        energy = axmul_torch.energy(converted, x)
        self.assertEqual((energy.covered, energy.not_covered), (first + second + last, 0))
        self.assertAlmostEqual(energy.relative, (ROUGH.power_rel * (first + second) + last) /
                               (first + second + last), places=12)
        self.assertNotIn("does not replace", str(energy))


class FusedCalls(unittest.TestCase):
    """torch computes a TransformerEncoderLayer without gradients in one call on its weights."""

    def check(self, model, *inputs):
        model = model.eval()
        converted = axmul_torch.convert(model, ROUGH)
        axmul_torch.calibrate(converted, [inputs[0]])
        with torch.no_grad():
            without, plain = converted(*inputs), model(*inputs)
        torch.testing.assert_close(converted(*inputs), without)
        self.assertGreater(float((without - plain).abs().max()), 0.01)
        torch.testing.assert_close(model(*inputs), plain, rtol=1e-4, atol=1e-4)  # left as it was
        return converted

    def test_converted_layers_run_with_and_without_gradients(self):
        torch.manual_seed(2)
        x = torch.randn(3, 6, 16)
        for activation in ("relu", "gelu"):
            layer = nn.TransformerEncoderLayer(16, 2, 32, 0.0, activation, batch_first=True)
            converted = self.check(layer, x)
            self.assertEqual([name for name, _ in axmul_torch.lut_layers(converted)],
                             ["linear1", "linear2"])
            self.assertIn(("self_attn", "MultiheadAttention"), axmul_torch.uncovered(converted))
            covered = 6 * 16 * 32 * 2
            energy = axmul_torch.energy(converted, x)
            self.assertEqual(energy.covered, covered)
            self.assertEqual(energy.not_covered, of_attention(1, 6, 6, 16))
            share = 100 * energy.not_covered / (covered + energy.not_covered)
            self.assertIn(f"{share:.1f} % of the multiplications are in calls", str(energy))

    def test_encoders_with_padding_do_not_nest_their_tensors(self):
        torch.manual_seed(3)
        layer = nn.TransformerEncoderLayer(16, 2, 32, 0.0, batch_first=True)
        encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=True)

        class Padded(nn.Module):
            def __init__(self):
                super().__init__()
                self.encoder = encoder

            def forward(self, x):
                mask = torch.zeros(x.shape[:2], dtype=torch.bool)
                mask[0, 4:] = True
                y = self.encoder(x, src_key_padding_mask=mask)
                return y.masked_fill(mask[:, :, None], 0.0)
        self.check(Padded(), torch.randn(3, 6, 16))

    def test_a_scripted_copy_runs_them_too(self):
        layer = nn.TransformerEncoderLayer(16, 2, 32, 0.0, batch_first=True)
        x = torch.randn(3, 6, 16)
        converted = self.check(layer, x)
        with torch.no_grad():
            torch.testing.assert_close(torch.jit.script(converted)(x), converted(x))


class Refusals(unittest.TestCase):
    def test_a_design_may_be_a_text_and_nothing_else_is_a_multiplier(self):
        model = nn.Sequential(nn.Linear(4, 3))
        self.assertEqual(axmul_torch.convert(model, "drum(k=4)")[0].multiplier_name,
                         axmul_torch.Multiplier.open("drum(k=4)").name)
        self.assertEqual(axmul_torch.convert(model, {"0": "drum(k=4)"})[0].type, "u8u8")
        for wrong in (4, torch.zeros(256, 256), {"0": 4}):
            with self.assertRaisesRegex(TypeError, "is no multiplier: give .*Multiplier.open"):
                axmul_torch.convert(model, wrong)

    def test_layers_that_are_left_out_are_named(self):
        model = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 3), nn.Linear(3, 2))
        with self.assertWarnsRegex(UserWarning, "leave out 1, 2: exact products in 8 bits"):
            axmul_torch.convert(model, {"0": ROUGH})
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            axmul_torch.convert(model, {"0": ROUGH, "1": None}, exact=["2"])

    def test_assignments_that_are_none(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "a.json"
            for text, message in (
                    ("no json", "is no assignment"), ("[]", 'it has no list "layers"'),
                    ('{"layers": 3}', 'it has no list "layers"'),
                    ('{"layers": [{"multiplier": "exact"}]}', 'entry 1 of "layers" has no "layer"'),
                    ('{"layers": [{"layer": "fc"}]}', 'layer "fc" has no "multiplier"'),
                    ('{"layers": [{"layer": "fc", "multiplier": 3}]}', "has no \"multiplier\"")):
                path.write_text(text)
                with self.assertRaisesRegex(ValueError, "a.json: .*" + message):
                    axmul_torch.read_assignment(path)
            path.write_text(json.dumps({"layers": [{"layer": "fc", "multiplier": "drum(k=3)"},
                                                   {"name": "head", "multiplier": None}]}))
            chosen = axmul_torch.read_assignment(path)
            self.assertEqual((chosen["fc"].sha256, chosen["head"]), (ROUGH.sha256, None))

    def test_a_layer_that_no_batch_reaches_is_told_why(self):
        class Aside(nn.Module):
            def __init__(self):
                super().__init__()
                self.head = nn.Linear(4, 3)

            def forward(self, x):
                return x @ self.head.weight.t()
        with self.assertRaisesRegex(ValueError, "through head: .*computes with its weight by itself"):
            axmul_torch.calibrate(axmul_torch.convert(Aside(), ROUGH), [torch.randn(2, 4)])


if __name__ == "__main__":
    unittest.main()
