#!/usr/bin/python3
"""The PyTorch operators and tools/axmul_torch.py against NumPy loops and PyTorch's own gradients."""
import copy
import io
import itertools
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

try:
    import numpy as np
    import torch
except ImportError as error:
    print("skipped:", error)
    sys.exit(77)
import axmul_torch
from quantized_reference import effective, grid, quantized

OPS = torch.ops.axmul
LIBRARY = sys.argv.pop(1) if len(sys.argv) > 1 and sys.argv[1].endswith(".h5") else ""
FIRST = {"u8u8": (0, 0), "s8s8": (-128, -128), "u8s8": (0, -128)}


def random_lut(kind, seed, largest=70000):
    """An asymmetric table: products near a·b, random errors, lut(0, b) ≠ 0."""
    a0, b0 = FIRST[kind]
    a, b = np.arange(a0, a0 + 256), np.arange(b0, b0 + 256)
    noise = np.random.default_rng(seed).integers(-largest // 100, largest // 100, (256, 256))
    return np.outer(a, b) + noise + 3 * a[:, None]


def exact_lut(kind):
    a0, b0 = FIRST[kind]
    return torch.from_numpy(np.outer(np.arange(a0, a0 + 256), np.arange(b0, b0 + 256))).int()


def brute_force(x, w, bias, lut, kind, a_range, encoding, per_channel, mean_acc, stride=(1, 1),
                padding=(0, 0), dilation=(1, 1), groups=1):
    """Convolution by loops over outputs; integer sums, then the float32 multiply and add."""
    low, high = a_range
    operands = effective(kind, encoding, low)
    scale, zero, lowest, highest = grid(low, high, operands)
    a = quantized(x, scale, lowest - zero, highest - zero) + zero
    b_zero = 128 if operands == "u8u8" else 0
    m_count, per_group = w.shape[0], w.shape[0] // groups
    rows = w.reshape(m_count if per_channel else 1, -1)
    b_scale = np.abs(rows.astype(np.float64)).max(1) / 127
    b = np.stack([quantized(row, s, -127, 127) for row, s in zip(rows, b_scale)])
    b = b.reshape(w.shape) + b_zero
    b_scale = np.broadcast_to(b_scale, m_count)
    a = np.pad(a, ((0, 0), (0, 0), (padding[0],) * 2, (padding[1],) * 2), constant_values=zero)
    kh, kw = w.shape[2:]
    oh = (a.shape[2] - dilation[0] * (kh - 1) - 1) // stride[0] + 1
    ow = (a.shape[3] - dilation[1] * (kw - 1) - 1) // stride[1] + 1
    sums = np.zeros((x.shape[0], m_count, oh, ow), np.int64)
    channels = w.shape[1]
    for m, i, j in itertools.product(range(m_count), range(oh), range(ow)):
        first = m // per_group * channels
        field = a[:, first:first + channels,
                  i * stride[0]:i * stride[0] + dilation[0] * (kh - 1) + 1:dilation[0],
                  j * stride[1]:j * stride[1] + dilation[1] * (kw - 1) + 1:dilation[1]]
        taps = np.broadcast_to(b[m], field.shape)
        if lut is None:
            products = field * taps
        elif kind == "u8u8" and operands != "u8u8":
            sign = np.where(field < 0, -1, 1) * np.where(taps < 0, -1, 1)
            products = sign * lut[np.abs(field), np.abs(taps)]
        else:
            a0, b0 = FIRST[kind]
            products = lut[field - a0, taps - b0]
        exact_rest = -b_zero * field - zero * taps + zero * b_zero
        sums[:, m, i, j] = (products + exact_rest).sum((1, 2, 3))
    unit = scale * b_scale
    shift = np.zeros(m_count) if bias is None else bias.astype(np.float64)
    if mean_acc is not None and lut is not None:
        shift = shift - unit * mean_acc
    column = lambda v: v.astype(np.float32).reshape(1, -1, 1, 1)
    return sums.astype(np.float32) * column(unit) + column(shift)


def tensor(array):
    return None if array is None else torch.from_numpy(np.ascontiguousarray(array))


GEOMETRIES = [
    # in, out, kernel, stride, padding, dilation, groups, height, width
    (3, 5, (3, 3), (1, 1), (1, 1), (1, 1), 1, 7, 6),
    (4, 6, (3, 2), (2, 1), (0, 2), (1, 2), 2, 9, 8),
    (7, 7, (3, 3), (1, 2), (1, 1), (2, 1), 7, 8, 7),  # depthwise
    (4, 8, (1, 1), (1, 1), (0, 0), (1, 1), 4, 3, 3),  # depthwise with two filters each
    (17, 33, (1, 1), (2, 2), (1, 0), (1, 1), 1, 5, 4),
    (6, 12, (1, 1), (1, 2), (0, 1), (1, 1), 1, 9, 8),  # whose gradient oneDNN 2.6 takes wrong
    (6, 12, (1, 1), (3, 1), (0, 0), (2, 1), 2, 9, 8),
]
ARITHMETICS = [  # type, encoding, least activation
    ("u8u8", "sign-magnitude", 0.0), ("u8u8", "sign-magnitude", -1.3), ("u8u8", "affine", -0.7),
    ("s8s8", "s8s8", -1.1), ("s8s8", "sign-magnitude", -1.1), ("u8s8", "sign-magnitude", 0.0),
    (None, "sign-magnitude", 0.0), (None, "affine", -0.4), (None, "s8s8", -0.4)]


class Forward(unittest.TestCase):
    def test_conv2d_equals_a_loop_bit_for_bit(self):
        generator = np.random.default_rng(1)
        for (n, geometry), (kind, encoding, low), per_channel in itertools.product(
                enumerate(GEOMETRIES), ARITHMETICS, (False, True)):
            c, m, kernel, stride, padding, dilation, groups, height, width = geometry
            x = generator.normal(0.3, 1.0, (2, c, height, width)).astype(np.float32)
            if low == 0.0:
                x = np.abs(x)
            w = generator.normal(0, 0.2, (m, c // groups, *kernel)).astype(np.float32)
            bias = generator.normal(0, 1, m).astype(np.float32) if n % 2 == 0 else None
            mean_acc = generator.normal(0, 500, m) if n % 3 == 0 else None
            lut = None if kind is None else random_lut(kind, n)
            wanted = brute_force(x, w, bias, lut, kind, (low, 2.1), encoding, per_channel,
                                 mean_acc, stride, padding, dilation, groups)
            got = OPS.lut_conv2d(
                tensor(x), tensor(w), tensor(bias), None if lut is None else tensor(lut).int(),
                torch.tensor([low, 2.1], dtype=torch.float64), stride, padding, dilation, groups,
                tensor(mean_acc), type=kind or "u8u8", encoding=encoding, per_channel=per_channel)
            with self.subTest(geometry=geometry, kind=kind, encoding=encoding, per=per_channel):
                self.assertEqual(got.shape, wanted.shape)
                self.assertTrue(got.is_contiguous())
                np.testing.assert_array_equal(got.numpy(), wanted)

    def test_linear_equals_a_loop_bit_for_bit(self):
        generator = np.random.default_rng(2)
        for (kind, encoding, low), (rows, k, m) in itertools.product(
                ARITHMETICS, [(1, 1, 1), (3, 37, 5), (64, 64, 10)]):
            x = generator.normal(0.3, 1.0, (rows, k)).astype(np.float32)
            x = np.abs(x) if low == 0.0 else x
            w = generator.normal(0, 0.2, (m, k)).astype(np.float32)
            bias = generator.normal(0, 1, m).astype(np.float32)
            lut = None if kind is None else random_lut(kind, m)
            wanted = brute_force(x[:, :, None, None], w[:, :, None, None], bias, lut, kind,
                                 (low, 1.9), encoding, False, None)[:, :, 0, 0]
            arguments = [tensor(w), tensor(bias), None if lut is None else tensor(lut).int(),
                         torch.tensor([low, 1.9], dtype=torch.float64)]
            options = dict(type=kind or "u8u8", encoding=encoding)
            got = OPS.lut_linear(tensor(x), *arguments, **options)
            np.testing.assert_array_equal(got.numpy(), wanted)
            folded = OPS.lut_linear(tensor(x).view(rows, 1, 1, k), *arguments, **options)
            np.testing.assert_array_equal(folded.numpy()[:, 0, 0], wanted)

    def test_sums_beyond_32_bits_are_exact(self):
        generator = np.random.default_rng(3)
        lut = generator.integers(2**24 - 4000, 2**24 - 1, (256, 256))
        x = generator.uniform(0, 2, (2, 300)).astype(np.float32)
        w = generator.uniform(0.01, 0.2, (3, 300)).astype(np.float32)
        wanted = brute_force(x[:, :, None, None], w[:, :, None, None], None, lut, "u8u8",
                             (0.0, 2.0), "sign-magnitude", False, None)[:, :, 0, 0]
        self.assertGreater(300 * 2**24, 2**31)
        got = OPS.lut_linear(tensor(x), tensor(w), None, tensor(lut).int(),
                             torch.tensor([0.0, 2.0], dtype=torch.float64))
        np.testing.assert_array_equal(got.numpy(), wanted)

    def test_the_exact_table_and_no_table_are_the_same_bits(self):
        x, w = torch.randn(3, 6, 9, 9), torch.randn(8, 3, 3, 3)
        for kind, encoding, low in ARITHMETICS[:-3]:
            data = x.abs() if low == 0 else x
            a_range = torch.tensor([low, 2.5])
            options = dict(padding=(1, 1), groups=2, encoding=encoding)
            a = OPS.lut_conv2d(data, w, None, exact_lut(kind), a_range, type=kind, **options)
            if kind == "s8s8":
                options["encoding"] = "s8s8"
            b = OPS.lut_conv2d(data, w, None, None, a_range, **options)
            self.assertTrue(torch.equal(a, b))

    def test_memory_format_dtype_and_threads_change_nothing(self):
        x, w = torch.randn(2, 4, 6, 6), torch.randn(8, 4, 3, 3)
        lut, a_range = tensor(random_lut("u8u8", 5)).int(), torch.tensor([-2.0, 2.0])
        run = lambda t: OPS.lut_conv2d(t, w, None, lut, a_range, padding=1)
        y = run(x)
        nhwc = run(x.contiguous(memory_format=torch.channels_last))
        self.assertTrue(nhwc.is_contiguous(memory_format=torch.channels_last))
        self.assertTrue(torch.equal(y, nhwc))
        self.assertTrue(torch.equal(y.double(), run(x.double())))
        self.assertTrue(torch.equal(y[1], run(x[1])))  # without a batch
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        self.assertTrue(torch.equal(y, run(x)))
        torch.set_num_threads(threads)
        with torch.inference_mode():
            self.assertTrue(torch.equal(y, run(x)))

    def test_a_changed_table_is_seen(self):
        x, w = torch.rand(2, 4), torch.randn(3, 4)
        lut, a_range = exact_lut("u8u8"), torch.tensor([0.0, 1.0])
        before = OPS.lut_linear(x, w, None, lut, a_range)
        lut.mul_(2)
        after = OPS.lut_linear(x, w, None, lut, a_range)
        torch.testing.assert_close(after, 2 * before)


class Gradient(unittest.TestCase):
    def exact_gradients(self, x, w, a_range, dy, kind, encoding, **geometry):
        """Those of PyTorch's own convolution on the quantised operands; none outside the grid."""
        low, high = a_range
        scale, zero, lowest, highest = grid(low, high, effective(kind, encoding, low))
        a = torch.clamp(torch.round(x / scale), lowest - zero, highest - zero) * scale
        b_scale = w.abs().max() / 127
        b = torch.round(w / b_scale) * b_scale
        a, b = a.double().requires_grad_(), b.double().requires_grad_()
        bias = torch.zeros(w.shape[0], dtype=torch.float64, requires_grad=True)
        torch.nn.functional.conv2d(a, b, bias, **geometry).backward(dy.double())
        t = x / scale
        inside = (t >= lowest - zero - 0.5) & (t <= highest - zero + 0.5)
        return a.grad * inside, b.grad, bias.grad

    def test_it_is_the_exact_layers(self):
        torch.manual_seed(4)
        for n, (kind, encoding, low) in itertools.product(range(len(GEOMETRIES)), ARITHMETICS):
            c, m, kernel, stride, padding, dilation, groups, height, width = GEOMETRIES[n]
            x = torch.randn(2, c, height, width) * 1.2
            x = (x.abs() if low == 0 else x).requires_grad_()
            w = (torch.randn(m, c // groups, *kernel) * 0.3).requires_grad_()
            bias = torch.randn(m, requires_grad=True)
            a_range = torch.tensor([low, 1.9], dtype=torch.float64)
            lut = None if kind is None else tensor(random_lut(kind, n)).int()
            y = OPS.lut_conv2d(x, w, bias, lut, a_range, stride, padding, dilation, groups,
                               type=kind or "u8u8", encoding=encoding)
            dy = torch.randn(y.shape)
            y.backward(dy)
            wanted = self.exact_gradients(
                x.detach(), w.detach(), (low, 1.9), dy, kind, encoding, stride=stride,
                padding=padding, dilation=dilation, groups=groups)
            for got, gradient in zip((x, w, bias), wanted):
                torch.testing.assert_close(got.grad.double(), gradient, rtol=1e-5, atol=1e-5)

    def check_module(self, module, x, step):
        """gradcheck on the grid: a quantised layer is a staircase, linear between multiples of the
        step; so the inputs are multiples of it and the difference quotient spans one step."""
        self.assertTrue(torch.autograd.gradcheck(module, (x,), eps=step, atol=2e-3, rtol=1e-3))

    def modules(self):
        torch.manual_seed(5)
        for kind, encoding, low in ARITHMETICS[:-3]:
            exact = axmul_torch.Multiplier("exact", kind, exact_lut(kind))
            options = dict(multiplier=exact, encoding=encoding)
            for module, shape in [
                    (axmul_torch.LutConv2d(4, 6, 3, padding=1, groups=2, **options), (1, 4, 4, 4)),
                    (axmul_torch.LutConv2d(3, 3, 3, 2, "valid", 1, 3, **options), (1, 3, 5, 5)),
                    (axmul_torch.LutConv2d(2, 3, 2, padding="same", **options), (1, 2, 3, 3)),
                    (axmul_torch.LutLinear(5, 4, **options), (3, 5))]:
                module.a_range.copy_(torch.tensor([low, 2.0], dtype=torch.float64))
                yield module, shape, grid(low, 2.0, effective(kind, encoding, low))

    def test_gradcheck_of_the_modules_inputs(self):
        for module, shape, (scale, zero, lowest, highest) in self.modules():
            integers = torch.randint(lowest - zero + 2, highest - zero - 2, shape)
            x = (integers.double() * scale).requires_grad_()
            self.check_module(module, x, scale)

    def test_gradcheck_of_the_modules_weights_and_bias(self):
        for module, shape, (scale, _, lowest, _) in self.modules():
            x = torch.rand(shape) if lowest == 0 else torch.randn(shape)
            weight = module.weight.detach()
            step = 1.0 / 127
            integers = torch.randint(-100, 100, weight.shape).double()
            fixed = torch.zeros_like(integers, dtype=torch.bool)
            fixed.view(-1)[0] = True  # the largest weight sets the scale and stays

            def run(free, bias):
                module.__dict__["_parameters"]["weight"] = torch.where(fixed, 1.0, free).float()
                module.__dict__["_parameters"]["bias"] = bias.float()
                return module(x).double()

            free = (integers * step).requires_grad_()
            bias = torch.zeros(weight.shape[0], dtype=torch.float64, requires_grad=True)
            self.assertTrue(torch.autograd.gradcheck(run, (free, bias), eps=step, atol=2e-3,
                                                     rtol=1e-3))


def small_model():
    torch.manual_seed(6)
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, padding=1), torch.nn.BatchNorm2d(8), torch.nn.ReLU(),
        torch.nn.Conv2d(8, 8, 4, groups=8, padding="same", padding_mode="reflect"),
        torch.nn.ReLU(), torch.nn.Dropout(0.5), torch.nn.Flatten(), torch.nn.Linear(512, 10))


def rough():
    return axmul_torch.Multiplier("rough", "u8u8", tensor(random_lut("u8u8", 8)).int())


class Modules(unittest.TestCase):
    def setUp(self):
        self.x = torch.randn(12, 3, 8, 8)
        self.model = small_model().eval()
        self.converted = axmul_torch.convert(self.model, rough())
        axmul_torch.calibrate(self.converted, self.x.split(4))

    def test_calibration_is_the_mean_of_the_batches_ranges(self):
        low = np.mean([float(x.min()) for x in self.x.split(4)])
        high = np.mean([float(x.max()) for x in self.x.split(4)])
        np.testing.assert_allclose(self.converted[0].a_range.numpy(), [low, high], rtol=1e-14)
        self.assertEqual(float(self.converted[3].a_range[0]), 0.0)

    def test_exact_8_bit_arithmetic_is_close_to_float(self):
        exact = axmul_torch.convert(self.model)
        axmul_torch.calibrate(exact, [self.x])
        error = (exact(self.x) - self.model(self.x)).abs().max()
        self.assertLess(float(error), 0.05)
        self.assertGreater(float(error), 0)

    def test_folding_removes_the_mean_error(self):
        before = self.converted(self.x)
        axmul_torch.fold_bias(self.converted, self.x.split(5))
        layer = self.converted[0]
        exact = copy.deepcopy(layer)
        exact.lut = None
        error = (layer(self.x) - exact(self.x)).mean((0, 2, 3))
        self.assertLess(float(error.abs().max()), 1e-5)
        self.assertFalse(torch.equal(before, self.converted(self.x)))

    def test_it_scripts_traces_saves_and_loads(self):
        wanted = self.converted(self.x)
        scripted = torch.jit.script(self.converted)
        self.assertTrue(torch.equal(scripted(self.x), wanted))
        traced = torch.jit.trace(self.converted, self.x[:2])
        self.assertTrue(torch.equal(traced(self.x), wanted))
        for module in (scripted, traced):
            file = io.BytesIO()
            torch.jit.save(module, file)
            file.seek(0)
            self.assertTrue(torch.equal(torch.jit.load(file)(self.x), wanted))
        scripted.train()
        scripted(self.x).sum().backward()
        self.assertGreater(float(dict(scripted.named_parameters())["0.weight"].grad.abs().sum()), 0)

    def test_state_dict_names_are_pytorchs_and_two_more_a_layer(self):
        own, added = set(self.model.state_dict()), set(self.converted.state_dict())
        self.assertEqual(own - added, set())
        self.assertEqual(added - own, {f"{n}.{e}" for n in "037" for e in ("a_range", "mean_acc")})
        fresh = axmul_torch.convert(small_model(), rough()).eval()
        fresh.load_state_dict(self.converted.state_dict())
        self.assertTrue(torch.equal(fresh(self.x), self.converted(self.x)))

    def test_a_module_in_two_places_stays_one(self):
        conv = torch.nn.Conv2d(4, 4, 3, padding=1)
        model = torch.nn.Sequential(conv, torch.nn.ReLU(), conv, torch.nn.Sequential(conv))
        converted = axmul_torch.convert(model, rough())
        self.assertIs(converted[0], converted[2])
        self.assertIs(converted[0], converted[3][0])
        self.assertIsInstance(converted[0], axmul_torch.LutConv2d)
        self.assertIsInstance(model[0], torch.nn.Conv2d)

    def test_what_is_not_covered_is_listed_and_left_alone(self):
        norm = torch.nn.utils.weight_norm(torch.nn.Linear(4, 4))
        model = torch.nn.Sequential(torch.nn.ConvTranspose2d(1, 1, 3), torch.nn.Conv1d(1, 1, 3),
                                    norm, torch.nn.Linear(4, 4))
        converted = axmul_torch.convert(model, rough(), inplace=True)
        self.assertEqual([kind for _, kind in axmul_torch.uncovered(converted)],
                         ["ConvTranspose2d", "Conv1d", "Linear"])
        self.assertEqual([name for name, _ in axmul_torch.lut_layers(converted)], ["3"])

    def test_layers_get_the_multipliers_of_a_dict(self):
        converted = axmul_torch.convert(self.model, {"0": rough(), "7": None})
        names = {name: layer.multiplier_name for name, layer in axmul_torch.lut_layers(converted)}
        self.assertEqual(names, {"0": "rough", "3": "", "7": ""})
        kept = axmul_torch.convert(self.model, rough(), exact=["7"])
        self.assertIsNone(kept[7].lut)
        with self.assertRaisesRegex(ValueError, '"head"; it has 0, 3, 7'):
            axmul_torch.convert(self.model, {"head": rough()})

    def test_ranges_follow_the_batches_while_observing(self):
        before = self.converted[0].a_range.clone()
        with axmul_torch.observing(self.converted, momentum=0.5):
            self.converted(2 * self.x)
        batch = torch.stack(torch.aminmax(2 * self.x)).double()
        torch.testing.assert_close(self.converted[0].a_range, (before + batch) / 2)
        kept = self.converted[0].a_range.clone()
        self.converted(3 * self.x)
        self.assertTrue(torch.equal(self.converted[0].a_range, kept))


class Errors(unittest.TestCase):
    def call(self, message, **changes):
        arguments = dict(input=torch.rand(1, 4, 5, 5), weight=torch.rand(2, 4, 3, 3), bias=None,
                         lut=exact_lut("u8u8"), a_range=torch.tensor([0.0, 1.0]))
        arguments.update(changes)
        with self.assertRaisesRegex(RuntimeError, message):
            OPS.lut_conv2d(**arguments)

    def test_messages_name_what_is_wrong(self):
        nan = float("nan")
        self.call("AX910 lut_conv2d: a_range holds no range yet", a_range=torch.tensor([nan, nan]))
        self.call("a_range has 3 elements", a_range=torch.zeros(3))
        self.call("unknown encoding \"signed\"", encoding="signed")
        self.call("unknown operand type \"int8\"", type="int8")
        self.call("lut must be an int32 tensor", lut=torch.zeros(256, 256))
        self.call("lut must be an int32 tensor", lut=torch.zeros(255, 256, dtype=torch.int32))
        self.call("takes 4 channels, not 3", input=torch.rand(1, 3, 5, 5))
        self.call("bias must have 2 elements", bias=torch.zeros(3))
        self.call("mean_acc has 3 elements", mean_acc=torch.zeros(3))
        self.call("groups that do not divide", groups=3)
        self.call("stride", stride=(0, 1))
        self.call("activations below 0", type="u8s8", a_range=torch.tensor([-1.0, 1.0]))
        self.call("AX10 ", lut=exact_lut("u8u8") * 1000)

    def test_a_kernel_larger_than_the_image(self):
        self.call("kernel is larger than the padded image", input=torch.rand(1, 4, 2, 2))

    def test_an_empty_batch_gives_an_empty_batch(self):
        for lut in (None, exact_lut("u8u8")):
            y = OPS.lut_conv2d(torch.rand(0, 4, 5, 5), torch.rand(2, 4, 3, 3), None, lut,
                               torch.tensor([0.0, 1.0]))
            self.assertEqual(y.shape, (0, 2, 3, 3))



def drum(k):
    """The published unsigned multiplier: both operands cut to k bits below the leading one, the lowest
    of them set (S. Hashemi, R. Bahar, S. Reda, ICCAD 2015)."""
    def cut(x):
        shift = max(0, x.bit_length() - k)
        return (x >> shift | (shift > 0)) << shift
    return [[cut(a) * cut(b) for b in range(256)] for a in range(256)]


@unittest.skipUnless(LIBRARY, "no library was given")
class Opening(unittest.TestCase):
    """Tables by name: from the program, from HDF5 by h5py, out of a folder."""

    def same(self, opened, wanted):
        self.assertEqual(opened[:2] + opened[3:], wanted[:2] + wanted[3:])
        self.assertTrue(torch.equal(opened.lut, wanted.lut))

    def test_a_design_text(self):
        opened = axmul_torch.Multiplier.open("drum(k=6)")
        self.assertEqual((opened.name, opened.type), ("drum(k=6)", "u8u8"))
        self.assertEqual(opened.lut.tolist(), drum(6))
        with self.assertRaisesRegex(RuntimeError, "AX.*drom"):
            axmul_torch.Multiplier.open("drom(k=6)")

    def test_h5py_and_the_program_read_a_library_alike(self):
        for name in ("drum(k=6)", "exact"):
            by_h5py = axmul_torch.Multiplier.open(name, LIBRARY)
            self.same(axmul_torch.Multiplier.open(f"{LIBRARY}:{name}"), by_h5py)
            self.assertGreater(by_h5py.power_rel, 0)
            with mock.patch.object(axmul_torch, "_is_hdf5", lambda path: False):
                self.same(axmul_torch.Multiplier.open(name, LIBRARY), by_h5py)
                self.same(axmul_torch.Multiplier.open(f"{LIBRARY}:{name}"), by_h5py)
        for without_h5py in (False, True):
            with mock.patch.object(axmul_torch, "_is_hdf5",
                                   (lambda path: False) if without_h5py else axmul_torch._is_hdf5):
                with self.assertRaisesRegex(RuntimeError, "AX953.*no multiplier \"drom\"; it has "):
                    axmul_torch.Multiplier.open("drom", LIBRARY)

    def test_h5py_alone_reads_a_library(self):
        with mock.patch.dict(os.environ, AXMUL_PROGRAM="/nowhere/axmul"):
            self.assertEqual(axmul_torch.Multiplier.open("drum(k=6)", LIBRARY).lut.tolist(), drum(6))

    def test_a_folder_and_a_file(self):
        with tempfile.TemporaryDirectory() as folder:
            table = random_lut("s8s8", 3).astype(np.int32)
            np.save(Path(folder) / "mul8s_rough.npy", table)
            opened = axmul_torch.Multiplier.open("mul8s_rough", folder)
            self.assertEqual((opened.name, opened.type), ("mul8s_rough", "s8s8"))
            np.testing.assert_array_equal(opened.lut.numpy(), table)
            self.assertTrue(np.isnan(opened.power_rel))
            file = axmul_torch.Multiplier.open(Path(folder) / "mul8s_rough.npy")
            self.assertEqual(file.sha256, opened.sha256)
            exact = axmul_torch.Multiplier.open("exact", folder)  # which the folder lacks
            self.assertTrue(torch.equal(exact.lut, exact_lut("u8u8")))
            self.assertEqual(exact.power_rel, 1)
            with self.assertRaisesRegex(RuntimeError, "AX953.*no multiplier \"other\""):
                axmul_torch.Multiplier.open("other", folder)

    def test_a_damaged_library_is_refused(self):
        import h5py
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "damaged.h5"
            path.write_bytes(Path(LIBRARY).read_bytes())
            with h5py.File(path, "r+") as file:
                file["u8u8/product"][:, 3, 200] += 1
            with self.assertRaisesRegex(RuntimeError, "sha256"):
                axmul_torch.Multiplier.open("drum(k=6)", path)


class SharedLibrary(unittest.TestCase):
    def lines(self, *command):
        try:
            done = subprocess.run([*command, axmul_torch.library_path()], stdout=subprocess.PIPE, check=True)
        except FileNotFoundError:
            self.skipTest("binutils are not installed")
        return done.stdout.decode().splitlines()

    def test_it_needs_torch_only(self):
        needed = [line.split("[")[1].rstrip("]") for line in self.lines("readelf", "-d")
                  if "(NEEDED)" in line]
        self.assertTrue(any(name.startswith("libtorch") for name in needed), needed)
        allowed = ("libtorch", "libc10", "libgomp", "libstdc++", "libgcc_s", "libm.", "libc.", "libdl.",
                   "libpthread.", "ld-linux", "libprotobuf", "libglog", "libgflags")  # Debian's Torch package
        self.assertEqual([name for name in needed if not name.startswith(allowed)], [])

    def test_it_shows_no_names_of_its_own(self):
        self.assertEqual(self.lines("nm", "-D", "--defined-only"), [])


if __name__ == "__main__":
    unittest.main()
