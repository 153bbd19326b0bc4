"""Approximate multipliers in PyTorch: layers whose every multiplication is a table look-up.

    import axmul_torch
    multiplier = axmul_torch.Multiplier.open("mul8u_2AC", library="evoapprox/")
    model = axmul_torch.convert(model, multiplier)   # Conv2d and Linear run on that multiplier
    axmul_torch.calibrate(model, batches)            # activation ranges, from batches of inputs
    axmul_torch.fold_bias(model, batches)            # takes the mean error out through the biases
    model(images)

The operators come from libaxmul_torch.so (AXMUL_TORCH_LIBRARY names it; else it is looked for beside
this file and where axmul and tools/build-torch build and install it), tables from HDF5 libraries by
h5py or from the program axmul (AXMUL_PROGRAM names it). Arithmetic and file formats are those of
axmul-train, to the bit; the manual is src/train/pytorch.md.
"""
import contextlib
import copy
import hashlib
import json
import os
import shutil
import struct
import subprocess
import warnings
from pathlib import Path
from typing import List, NamedTuple, Optional, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode


def library_path():
    """Path of libaxmul_torch.so; FileNotFoundError tells where it was looked for."""
    if "AXMUL_TORCH_LIBRARY" in os.environ:
        return os.environ["AXMUL_TORCH_LIBRARY"]
    here = Path(__file__).resolve().parent
    builds = sorted(here.parent.glob("build/*/lib"))
    # Those of tools/build-torch are for one PyTorch each.
    own = here.parent / "build" / f"torch-{torch.__version__}" / "lib"
    places = [here, own, *(b for b in builds if not b.parent.name.startswith("torch-"))]
    places += [here.parents[1] / "lib", *sorted((here.parents[1] / "lib").glob("*-linux-gnu"))]
    for place in places:
        if (place / "libaxmul_torch.so").exists():
            return str(place / "libaxmul_torch.so")
    raise FileNotFoundError("there is no libaxmul_torch.so in " + ", ".join(map(str, places)) +
                            "; build it with tools/build-torch or name the file in "
                            "AXMUL_TORCH_LIBRARY")


torch.ops.load_library(library_path())


class Multiplier(NamedTuple):
    """A product table: lut[i, j] is the product of the i-th operand a and the j-th operand b, both
    ascending by value (u8: 0 … 255, s8: -128 … 127); a is the activation, b the weight."""
    name: str
    type: str  # u8u8, s8s8, u8s8
    lut: Tensor  # int32 [256, 256]
    sha256: str = ""
    power_rel: float = float("nan")  # power relative to the exact multiplier; NaN: unknown

    @staticmethod
    def open(design, library=None):
        """A design as the axmul command line takes it: a table file, lib.h5:NAME, drum(k=6), or a
        name in a library (HDF5 file or folder). HDF5 files are read with h5py where it is installed;
        all else asks the program axmul. RuntimeError where there is no such design."""
        design = str(design)
        if library is None:
            path, colon, name = design.rpartition(":")
            if colon and _is_hdf5(path):
                return _from_hdf5(path, name)
            return _from_program(design)
        library = str(library)
        if _is_hdf5(library):
            found = _from_hdf5(library, design, otherwise=None if design == "exact" else ())
        else:
            found = _from_library(library, design)
        return found or Multiplier._exact()

    @staticmethod
    def _exact():
        values = torch.arange(256, dtype=torch.int32)
        lut = values[:, None] * values
        return Multiplier("exact", "u8u8", lut, _identity("u8u8", lut), 1.0)


def _identity(kind, lut):
    """SHA-256 of the function: the type, then the products as little-endian int32."""
    products = lut.reshape(-1).tolist()
    return hashlib.sha256(kind.encode() + struct.pack(f"<{len(products)}i", *products)).hexdigest()


def _checked(name, kind, lut, sha256, power_rel, place):
    own = _identity(kind, lut)
    if sha256 and sha256 != own:
        raise RuntimeError(f"{place}: the products have sha256 {own[:8]}…, not {sha256[:8]}…; the file is damaged")
    return Multiplier(name, kind, lut, own, power_rel)


def _is_hdf5(path):
    """Whether h5py is there and reads that file."""
    try:
        import h5py
    except ImportError:
        return False
    return os.path.isfile(path) and h5py.is_hdf5(path)


def _from_hdf5(path, name, otherwise=()):
    """The entry of that name, or alias, of an axmul error table or library (src/tables/README.md);
    `otherwise` where there is none, unless that is ()."""
    import h5py

    with h5py.File(path, "r") as file:
        groups = {kind: file[kind] for kind in ("u8u8", "s8s8", "u8s8") if kind in file}

        def texts(group, what):
            return group[what].asstr()[:].tolist() if what in group else []

        found = [(kind, row) for kind, group in groups.items()
                 for row, own in enumerate(texts(group, "multiplier")) if own == name]
        found = found or [(kind, row) for kind, group in groups.items()
                          for row, aliases in enumerate(texts(group, "aliases"))
                          if name in aliases.split("\n")]
        if not found and otherwise != ():
            return otherwise
        if len(found) != 1:
            names = [own for group in groups.values() for own in texts(group, "multiplier")]
            raise RuntimeError(f'AX953 {path}: has ' + (
                f'no multiplier "{name}"; it has ' + ", ".join(names[:20]) + " …" if not found else
                f'"{name}" of several operand types: ' + ", ".join(kind for kind, _ in found)))
        kind, row = found[0]
        group = groups[kind]
        if "product" not in group:
            raise RuntimeError(f"{path}: has no products, only figures; axmul export writes them")
        lut = torch.as_tensor(group["product"][row].astype("int32"))
        return _checked(texts(group, "multiplier")[row], kind, lut,
                        (texts(group, "sha256") or [""] * (row + 1))[row],
                        float(group["power_rel"][row]) if "power_rel" in group else float("nan"),
                        f"{path}:{name}")


def _program():
    """Path of the program axmul; RuntimeError tells where it was looked for."""
    if "AXMUL_PROGRAM" in os.environ:
        return os.environ["AXMUL_PROGRAM"]
    tree = Path(__file__).resolve().parents[1]  # or share/, of an installation
    places = [folder / "bin" / "axmul" for folder in (*Path(library_path()).resolve().parents[1:3],
                                                      *sorted(tree.glob("build/*")), tree.parent)]
    for place in places:
        if os.access(place, os.X_OK):
            return str(place)
    found = shutil.which("axmul")
    if found is None:
        raise RuntimeError("this design needs the program axmul, which is neither in PATH nor at " +
                           ", ".join(map(str, places)) + "; AXMUL_PROGRAM names it. An entry of an "
                           "HDF5 library needs h5py only")
    return found


def _ask(*arguments, fine=(0,)):
    """What the program prints; RuntimeError with what it complains of."""
    done = subprocess.run([_program(), *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode not in fine:
        raise RuntimeError(done.stderr.decode(errors="replace").strip())
    return done.stdout


def _from_program(design, facts=None, name=None):
    """The design of that text; facts: what `axmul info` or `axmul list` say of it."""
    facts = facts or json.loads(_ask("info", "--format", "json", "--", design))
    products = _ask("convert", "--quiet", "--format", "bin", "--dtype", "int32", "--write-order", "ab",
                    "--write-index", "value", "--", design)
    lut = torch.tensor(struct.unpack("<65536i", products), dtype=torch.int32).view(256, 256)
    power = facts.get("power_rel")
    return _checked(name or facts["name"], facts["type"], lut, facts["sha256"],
                    float("nan") if power is None else float(power), design)


def _from_library(library, name):
    """The design of that name in a folder or file; None for the exact one of libraries without."""
    # 1: it holds something unreadable too
    designs = json.loads(_ask("list", "--format", "json", "--", library, fine=(0, 1)))["designs"]
    for facts in designs:
        if facts["name"] == name:
            return _from_program(facts["text"], facts, name)
    if name == "exact":
        return None
    raise RuntimeError(f'AX953 {library}: has no multiplier "{name}"; it has ' +
                       ", ".join(facts["name"] for facts in designs[:20]) + " …")


class _LutLayer:
    """What LutConv2d and LutLinear share: the table, the input's range and the folded error."""

    def _set_arithmetic(self, multiplier, encoding, per_channel):
        out_channels = self.weight.shape[0]
        self.multiplier_name = multiplier.name if multiplier else ""
        self.type = multiplier.type if multiplier else "u8u8"
        self.encoding = "s8s8" if self.type == "s8s8" else encoding
        if self.type == "u8s8":
            self.encoding = "sign-magnitude"
        self.per_channel = bool(per_channel)
        self.power_rel = float(multiplier.power_rel) if multiplier else 1.0
        self.folded = False
        self.register_buffer("lut", multiplier.lut if multiplier else None, persistent=False)
        # Float64 so that ranges are axmul-train's to the bit; not a number: not calibrated yet.
        self.register_buffer("a_range", torch.full((2,), float("nan"), dtype=torch.float64))
        self.register_buffer("mean_acc", torch.zeros(out_channels, dtype=torch.float64))

    def _keywords(self):
        return dict(type=self.type, encoding=self.encoding, per_channel=self.per_channel)

    def extra_repr(self):
        name = self.multiplier_name or "exact"
        return super().extra_repr() + f", multiplier={name}, encoding={self.encoding}"


class LutConv2d(_LutLayer, nn.Conv2d):
    """Conv2d whose multiplications are look-ups; its parameters have nn.Conv2d's names."""

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1,
                 groups=1, bias=True, padding_mode="zeros", *, multiplier=None,
                 encoding="sign-magnitude", per_channel=False):
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups,
                         bias, padding_mode)
        self._set_padding()
        self._set_arithmetic(multiplier, encoding, per_channel)

    def _set_padding(self):
        # The operator pads both sides alike and with zeros; all else is padded beforehand.
        left_right_top_bottom: List[int] = list(self._reversed_padding_repeated_twice)
        if self.padding_mode == "zeros" and not isinstance(self.padding, str):
            height, width = self.padding
            left_right_top_bottom = [width, width, height, height]
        left, right, top, bottom = left_right_top_bottom
        inside = self.padding_mode == "zeros" and left == right and top == bottom
        self.pad_inside: List[int] = [top, left] if inside else [0, 0]
        self.pad_before: List[int] = [0, 0, 0, 0] if inside else left_right_top_bottom
        self.pad_mode = "constant" if self.padding_mode == "zeros" else self.padding_mode

    @staticmethod
    def from_float(module, multiplier=None, encoding="sign-magnitude", per_channel=False):
        """The same layer with the module's own parameters."""
        layer = copy.copy(module)
        layer.__dict__ = {key: copy.copy(value) for key, value in module.__dict__.items()}
        layer.__class__ = LutConv2d
        layer._set_padding()
        layer._set_arithmetic(multiplier, encoding, per_channel)
        return layer

    def _padded(self, input: Tensor) -> Tensor:
        if max(self.pad_before) == 0:
            return input
        return F.pad(input, self.pad_before, self.pad_mode)

    def forward(self, input: Tensor) -> Tensor:
        return torch.ops.axmul.lut_conv2d(
            self._padded(input), self.weight, self.bias, self.lut, self.a_range, self.stride,
            self.pad_inside, self.dilation, self.groups, self.mean_acc, type=self.type,
            encoding=self.encoding, per_channel=self.per_channel)

    def _float(self, input):
        return nn.Conv2d.forward(self, input)

    def _errors(self, input):
        return torch.ops.axmul.lut_conv2d_errors(
            self._padded(input), self.weight, self.bias, self.lut, self.a_range, self.stride,
            self.pad_inside, self.dilation, self.groups, **self._keywords())


class LutLinear(_LutLayer, nn.Linear):
    """Linear whose multiplications are look-ups; its parameters have nn.Linear's names."""

    def __init__(self, in_features, out_features, bias=True, *, multiplier=None,
                 encoding="sign-magnitude", per_channel=False):
        super().__init__(in_features, out_features, bias)
        self._set_arithmetic(multiplier, encoding, per_channel)

    @staticmethod
    def from_float(module, multiplier=None, encoding="sign-magnitude", per_channel=False):
        """The same layer with the module's own parameters."""
        layer = copy.copy(module)
        layer.__dict__ = {key: copy.copy(value) for key, value in module.__dict__.items()}
        layer.__class__ = LutLinear
        layer._set_arithmetic(multiplier, encoding, per_channel)
        return layer

    def forward(self, input: Tensor) -> Tensor:
        return torch.ops.axmul.lut_linear(
            input, self.weight, self.bias, self.lut, self.a_range, self.mean_acc, type=self.type,
            encoding=self.encoding, per_channel=self.per_channel)

    def _float(self, input):
        return nn.Linear.forward(self, input)

    def _errors(self, input):
        return torch.ops.axmul.lut_linear_errors(input, self.weight, self.bias, self.lut,
                                                 self.a_range, **self._keywords())


def lut_layers(model):
    """(name, layer) of all LutConv2d and LutLinear, in the order of the model's modules."""
    return [(name, module) for name, module in model.named_modules()
            if isinstance(module, _LutLayer)]


def _replacement(module):
    # Exactly these classes: what derives from them may compute its weight anew at every call, and
    # so does a hook (weight_norm), which takes the weight out of the parameters.
    if type(module) is nn.Conv2d and "weight" in module._parameters:
        return LutConv2d
    if type(module) is nn.Linear and "weight" in module._parameters:
        return LutLinear
    return None


def _opened(multiplier):
    """A Multiplier, or None for the exact one, from what convert() takes."""
    if isinstance(multiplier, str):
        return Multiplier.open(multiplier)
    if multiplier is None or isinstance(multiplier, Multiplier):
        return multiplier
    raise TypeError(f"{multiplier!r} is no multiplier: give axmul_torch.Multiplier.open(DESIGN, "
                    "LIBRARY), the text of a design such as \"drum(k=4)\", or None for exact "
                    "products")


def _take_training_path(model):
    """torch.nn.TransformerEncoderLayer computes, in eval mode and without gradients, with the weights
    of its layers in one fused float call that passes its layers by; a converted layer inside would
    be skipped. What the call asks for first is made false, in the encoder too, whose nested tensors
    only that call takes."""
    for module in model.modules():
        if isinstance(module, nn.TransformerEncoderLayer) and lut_layers(module):
            module.activation_relu_or_gelu = 0
        if isinstance(module, nn.TransformerEncoder) and lut_layers(module):
            module.enable_nested_tensor = False


def convert(model, multiplier=None, *, exact=(), encoding="sign-magnitude", per_channel=False,
            inplace=False):
    """A copy of the model (or, inplace, the model) whose Conv2d and Linear layers run in 8-bit
    arithmetic on multipliers.

    multiplier: a Multiplier or the text of a design ("drum(k=4)") for all layers, or a dict from
    layer names to such or None; None and layers named in `exact` multiply exactly (8 bits still),
    and so do layers that the dict leaves out, with a warning. Calibrate the result before use.
    ValueError for a name that is no such layer, TypeError for what is no multiplier. Everything else
    (ConvTranspose, Conv1d, recurrent layers, MultiheadAttention …) stays as it is; uncovered(model)
    lists it. The fused call of nn.TransformerEncoderLayer is switched off where it would pass
    converted layers by.
    """
    if isinstance(multiplier, dict):
        multiplier = {name: _opened(chosen) for name, chosen in multiplier.items()}
    else:
        multiplier = _opened(multiplier)
    if not inplace:
        model = copy.deepcopy(model)
    places = {}
    for parent_name, parent in model.named_modules():
        for name, module in parent._modules.items():
            if module is not None and _replacement(module) is not None:
                full = f"{parent_name}.{name}" if parent_name else name
                places.setdefault(id(module), []).append((full, parent, name, module))
    known = {full for same in places.values() for full, _, _, _ in same}
    choice = multiplier if isinstance(multiplier, dict) else None
    for name in list(exact) + list(choice or ()):
        if name not in known:
            raise ValueError(f'the model has no Conv2d or Linear "{name}"; it has ' +
                             ", ".join(sorted(known)))
    left_out = [same[0][0] for same in places.values() if choice is not None
                and not any(name in choice or name in exact for name, _, _, _ in same)]
    if left_out:
        warnings.warn("the multipliers given leave out " + ", ".join(left_out) +
                      ": exact products in 8 bits; name them in exact=[…] if that is meant",
                      stacklevel=2)
    for same in places.values():  # a module that is used in several places stays one
        names = [full for full, _, _, _ in same]
        chosen = multiplier if choice is None else next(
            (choice[name] for name in names if name in choice), None)
        if any(name in exact for name in names):
            chosen = None
        module = same[0][3]
        layer = _replacement(module).from_float(module, chosen, encoding, per_channel)
        for _, parent, name, _ in same:
            parent._modules[name] = layer
    if not places and _replacement(model) is not None:
        model = _replacement(model).from_float(model, multiplier, encoding, per_channel)
    _take_training_path(model)
    return model


_MULTIPLYING = (nn.modules.conv._ConvNd, nn.Linear, nn.Bilinear, nn.RNNBase, nn.RNNCellBase,
                nn.MultiheadAttention)


def uncovered(model):
    """(name, class) of the modules that multiply in float still."""
    return [(name, type(module).__name__) for name, module in model.named_modules()
            if isinstance(module, _MULTIPLYING) and not isinstance(module, _LutLayer)]


class Energy(NamedTuple):
    """Where the multiplications of a model are, per image, and what they cost."""
    covered: float  # in LutConv2d and LutLinear
    not_covered: float  # in all else that is counted; they cost 1
    relative: float  # energy over that of exact multipliers; NaN where a power_rel is unknown
    calls: List[Tuple[str, str, float]]  # (module, operator, multiplications) of what is not covered
    not_counted: List[Tuple[str, str]]  # (module, operator) of calls that multiply, nobody knows how often

    @property
    def is_bound(self):
        """Whether `relative` is a bound only (a lower one below 1), because some calls cannot be
        counted."""
        return bool(self.not_counted)

    def __str__(self):
        share = self.not_covered / max(1.0, self.covered + self.not_covered)
        text = f"relative energy of the multiplications {self.relative:.4f}"
        if self.is_bound:
            text = text.replace("tions ", "tions ≥ " if self.relative <= 1 else "tions ≤ ")
        if share or self.is_bound:
            text += (f"; {'at least ' if self.is_bound else ''}{100 * share:.1f} % of the "
                     "multiplications are in calls that axmul does not replace")
        if self.is_bound:
            text += ", and those of " + ", ".join(sorted({op for _, op in self.not_counted})) + \
                    " are not known"
        return text


def _rows(x):
    return x.numel() // max(1, x.shape[-1])


def _convolution(args, y):
    x, weight, transposed = args[0], args[1], args[6]
    return (x if transposed else y).numel() * weight[0].numel()


def _multi_head(args, y):
    (batch, length, embed), keys = args[0].shape, args[1].shape[1]
    return batch * ((length + 2 * keys) * args[5].numel() / 3 + 2 * length * keys * embed +
                    length * args[7].numel())


def _encoder_layer(args, y):
    x = args[0]
    weights = sum(args[i].numel() for i in (3, 5, 14, 16))
    return _rows(x) * (weights + 2 * x.shape[1] * x.shape[2])


def _attention(args, y):
    return _rows(args[0]) * args[1].shape[-2] * (args[0].shape[-1] + args[2].shape[-1])


# Multiplications of the operators that everything else is made of when it runs (a Linear, an
# einsum, a recurrent layer …), from their arguments and first output.
_COUNTED = {
    "aten::convolution": _convolution,
    "aten::mm": lambda args, y: y.numel() * args[0].shape[1],
    "aten::bmm": lambda args, y: y.numel() * args[0].shape[2],
    "aten::mv": lambda args, y: args[0].numel(),
    "aten::dot": lambda args, y: args[0].numel(),
    "aten::vdot": lambda args, y: args[0].numel(),
    "aten::addmm": lambda args, y: y.numel() * args[1].shape[1],
    "aten::addmv": lambda args, y: args[1].numel(),
    "aten::baddbmm": lambda args, y: y.numel() * args[1].shape[2],
    "aten::addbmm": lambda args, y: y.numel() * args[1].shape[0] * args[1].shape[2],
    "aten::addr": lambda args, y: y.numel(),
    "aten::conv_tbc": lambda args, y: y.numel() * args[1].shape[0] * args[1].shape[1],
    "aten::_trilinear": lambda args, y: y.numel() * args[1].shape[2] * (args[1].shape[1] + 1),
    "aten::_cdist_forward": lambda args, y: y.numel() * args[0].shape[-1],
    "aten::_scaled_dot_product_attention_forward": _attention,
    "aten::_scaled_dot_product_flash_attention_for_cpu": _attention,
    "aten::_native_multi_head_attention": _multi_head,
    "aten::_transformer_encoder_layer_fwd": _encoder_layer,
    "axmul::lut_conv2d": lambda args, y: y.numel() * args[1][0].numel(),
    "axmul::lut_linear": lambda args, y: y.numel() * args[1][0].numel(),
}
_NOT_COUNTED = ("aten::linalg_", "aten::_linalg_", "aten::_fft_", "aten::mkldnn_rnn", "aten::_cudnn_rnn",
                "aten::cholesky", "aten::inverse", "aten::triangular_solve", "aten::matrix_exp",
                "quantized::")


class _Counter(TorchDispatchMode):
    """Counts what goes through the dispatcher; `at` is the module that is running."""

    def __init__(self):
        super().__init__()
        self.at, self.paused, self.calls, self.not_counted = [""], False, [], []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        if not self.paused:
            self.count(func._schema.name, args, result)
        return result

    def count(self, name, args, result):
        plain = name[:-1] if name.endswith("_") else name
        first = result[0] if isinstance(result, (tuple, list)) else result
        rule = _COUNTED.get(plain)
        nested = any(isinstance(x, Tensor) and x.is_nested for x in args)
        if rule is not None and not nested:
            self.calls.append((self.at[-1], name, float(rule(args, first))))
        elif rule is not None or name.startswith(_NOT_COUNTED) and "norm" not in name:
            self.not_counted.append((self.at[-1], name))


class _Outer(TorchFunctionMode):
    """Counts outer products, which go through the dispatcher as element-wise ones."""

    def __init__(self, counter):
        super().__init__()
        self.counter = counter

    def __torch_function__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        if func in (torch.outer, torch.ger, Tensor.outer, Tensor.ger):
            self.counter.calls.append((self.counter.at[-1], "aten::outer", float(result.numel())))
        return result


def energy(model, *inputs):
    """The Energy of one run of a converted model, in eval mode and without gradients, on inputs whose
    first dimension is the batch. It need not be calibrated. What the model's attention, recurrent
    layers, einsum and the like multiply counts as exact; element-wise products do not count."""
    images = inputs[0].shape[0]
    counter, covered, spent = _Counter(), 0.0, 0.0

    def make(layer):
        def forward(input):
            nonlocal covered, spent
            counter.paused = True
            try:
                y = layer._float(input)
            finally:
                counter.paused = False
            ops = y.numel() * layer.weight[0].numel()
            covered += ops
            spent += ops * layer.power_rel
            return y
        return forward

    def enter(name):
        return lambda module, inputs: counter.at.append(name)

    def leave(module, inputs, output):
        counter.at.pop()
    hooks = []
    try:
        for name, module in model.named_modules():
            hooks.append(module.register_forward_pre_hook(enter(name)))
            hooks.append(module.register_forward_hook(leave))
        with _forwards(model, make), _Outer(counter), counter:
            model(*inputs)
    finally:
        for hook in hooks:
            hook.remove()
    exact = sum(ops for _, _, ops in counter.calls)
    calls = {}
    for name, operator, ops in counter.calls:
        calls[name, operator] = calls.get((name, operator), 0.0) + ops / images
    return Energy(covered / images, exact / images,
                  (spent + exact) / (covered + exact) if covered + exact else 1.0,
                  [(*key, ops) for key, ops in calls.items()], list(dict.fromkeys(counter.not_counted)))


@contextlib.contextmanager
def _forwards(model, make):
    """Within it every LUT layer's forward is make(layer), and the model is in eval mode, without
    gradients."""
    modes = {module: module.training for module in model.modules()}
    layers = [layer for _, layer in lut_layers(model)]
    try:
        for layer in layers:
            layer.forward = make(layer)
        model.eval()
        with torch.no_grad():
            yield layers
    finally:
        for layer in layers:
            layer.__dict__.pop("forward", None)
        for module, mode in modes.items():
            module.training = mode


def _observe(layer, input, momentum):
    low, high = torch.aminmax(input.detach())
    batch = torch.stack([low, high]).to(layer.a_range)
    seen = not bool(layer.a_range.isnan().any())
    layer.a_range.copy_(layer.a_range + momentum * (batch - layer.a_range) if seen else batch)


def calibrate(model, batches):
    """Sets every layer's input range to the mean over batches of minimum and maximum, met by the
    float model in eval mode. batches: input tensors, e.g. 512 training images in batches of 128."""
    batch_number = 0

    def make(layer):
        def forward(input):
            _observe(layer, input, 1.0 / batch_number)
            return layer._float(input)
        return forward

    with _forwards(model, make) as layers:
        for layer in layers:
            layer.a_range.fill_(float("nan"))
        for batch_number, batch in enumerate(batches, 1):
            model(batch)
    missing = [name for name, layer in lut_layers(model) if layer.a_range.isnan().any()]
    if missing:
        raise ValueError("no batch went through " + ", ".join(missing) + ": the model does not call "
                         "it, or computes with its weight by itself; such layers cannot be "
                         "converted")


@contextlib.contextmanager
def observing(model, momentum=0.01):
    """Within it the input ranges follow every batch: quantisation-aware training."""
    hooks = [layer.register_forward_pre_hook(
        lambda layer, inputs: _observe(layer, inputs[0], momentum))
        for _, layer in lut_layers(model)]
    try:
        yield model
    finally:
        for hook in hooks:
            hook.remove()


def fold_bias(model, batches):
    """Measures each output channel's mean accumulated error on the operands that the exact 8-bit
    model sees, and takes it out of the layer's output from now on (the buffer mean_acc)."""
    totals = {}

    def make(layer):
        def forward(input):
            output, error_sum, count = layer._errors(input)
            total = totals.setdefault(layer, [torch.zeros_like(error_sum), 0.0])
            total[0] += error_sum
            total[1] += count
            return output
        return forward

    with _forwards(model, make):
        for batch in batches:
            model(batch)
    for layer, (error_sum, count) in totals.items():
        layer.mean_acc.copy_(error_sum / count if count else error_sum)


def load_weights(model, path):
    """Loads weights that axmul-train wrote (HDF5: parameters, ranges, folded errors) into a converted
    model. Needs python3-h5py."""
    import h5py

    own = model.state_dict()
    state = {}
    with h5py.File(path, "r") as file:
        def take(name, item):
            if isinstance(item, h5py.Dataset):
                state[name.replace("/", ".")] = torch.as_tensor(item[()])
        file.visititems(take)
    state = {name: tensor for name, tensor in state.items()
             if name in own or not name.endswith(".sigma_l")}
    for name, tensor in own.items():
        if name.endswith((".mean_acc", ".a_range")):
            state.setdefault(name, tensor)
    model.load_state_dict(state)


def read_assignment(path, library=None):
    """The dict for convert() that an assignment file of axmul holds; names are opened in `library`.
    ValueError where the file is no assignment, or a name is another function than the one it was
    made with."""
    multipliers, chosen = {}, {}
    for layer, name, sha256 in _assignment_entries(path):
        if name is None or name == "exact":
            chosen[layer] = None
            continue
        if name not in multipliers:
            multipliers[name] = Multiplier.open(name, library)
        if sha256 not in (None, "", multipliers[name].sha256):
            raise ValueError(f'{path}: "{name}" is another function in this library (sha256 differs)')
        chosen[layer] = multipliers[name]
    return chosen


def _assignment_entries(path):
    """(layer, multiplier's name or None, sha256 or None) of every layer in an assignment file."""
    wanted = '{"layers": [{"layer": NAME, "multiplier": NAME}, …]}'
    try:
        root = json.loads(Path(path).read_text())
    except ValueError as error:
        raise ValueError(f"{path}: is no assignment, {wanted}: {error}") from None
    layers = root.get("layers") if isinstance(root, dict) else None
    if not isinstance(layers, list):
        raise ValueError(f'{path}: is no assignment, {wanted}: it has no list "layers"')
    for number, entry in enumerate(layers, 1):
        entry = entry if isinstance(entry, dict) else {}
        layer = entry.get("layer", entry.get("name"))
        if not isinstance(layer, str):
            raise ValueError(f'{path}: entry {number} of "layers" has no "layer", the name of one')
        if "multiplier" not in entry or not isinstance(entry["multiplier"], (str, type(None))):
            raise ValueError(f'{path}: layer "{layer}" has no "multiplier": the name of one, or '
                             '"exact"')
        yield layer, entry["multiplier"], entry.get("sha256")
