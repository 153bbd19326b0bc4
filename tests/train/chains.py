"""Chains of layers that feed each other directly: made from a seed, as source text and as data.

A chain is a list of items:
    Layer(...)              a call of a layer; a second Layer of the same name calls it again
    Plain(text)             any other statement on x that is exact in every arithmetic: a ReLU, …
    Branch(least, yes, no)  if x.size(0) >= least: yes, else: no; an empty part returns x unchanged
    Loop(parts)             the i-th pass of a loop runs the i-th part, each a branch of one `if`
    Residual(inner)         x + inner(x)
source() writes the module, run() computes it, so that the two can be compared.
"""
import itertools
import random
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F

from quantized_reference import effective, grid, quantized


class Layer(NamedTuple):
    name: str
    kind: str        # conv, depthwise, grouped, pointwise, linear, addmm, addmm_t
    sizes: tuple     # (in, out, kernel, stride, padding, dilation, groups) or (in, out)
    bias: bool


class Plain(NamedTuple):
    text: str


class Branch(NamedTuple):
    least: int
    yes: list
    no: list


class Loop(NamedTuple):
    parts: list


class Residual(NamedTuple):
    inner: list


CONVOLUTIONS = ("conv", "depthwise", "grouped", "pointwise")
MATRICES = ("linear", "addmm", "addmm_t")
EXACT_IMAGES = ("self.identity(x)", "F.relu(x)", "F.max_pool2d(x, 2, 1)", "F.dropout(x, 0.5, False)")
EXACT_ROWS = ("self.identity(x)", "F.relu(x)", "x.view(x.size(0), -1)", "F.hardtanh(x)")


# --- making chains -------------------------------------------------------------------------------


class Maker:
    """Draws layers that fit an input of shape [C, H, W] or [F]."""

    def __init__(self, seed, shape=(3, 8, 8)):
        self.random = random.Random(seed)
        self.shape = tuple(shape)
        self.made = 0

    def layer(self, kind=None, keep=False):
        """A layer for the present shape; keep: one that does not change it."""
        image = len(self.shape) == 3
        kind = kind or self.random.choice(CONVOLUTIONS + ("linear",) if image else MATRICES)
        self.made += 1
        bias = self.random.random() < 0.6
        if kind in MATRICES:  # a linear layer takes images too, row by row
            inputs = self.shape[-1]
            out = inputs if keep else self.random.randint(2, 14)
            self.shape = (*self.shape[:-1], out)
            return Layer(f"l{self.made}", kind, (inputs, out), bias or kind != "linear")
        channels, height, width = self.shape
        divisors = [g for g in range(2, channels) if channels % g == 0] or [channels]
        groups = {"depthwise": channels, "grouped": self.random.choice(divisors)}.get(kind, 1)
        out = channels if keep else groups * self.random.randint(1, max(1, 12 // groups))
        if kind == "pointwise":
            kernel, stride, padding, dilation = (1, 1), (1, 1), (0, 0), (1, 1)
        elif keep or self.random.random() < 0.3:
            kernel, stride = self.random.choice([(3, 3), (2, 3), (3, 1)]), (1, 1)
            padding, dilation = "same", (1, 1)
        else:
            fits = lambda size: self.random.randint(1, min(3, size))
            kernel = (fits(height), fits(width))
            stride = tuple(self.random.choice([1, 1, 2]) for _ in kernel)
            padding = tuple(self.random.randint(0, k - 1) for k in kernel)
            dilation = (2, 1) if (kernel[0] - 1) * 2 + 1 <= height + 2 * padding[0] else (1, 1)
        if padding != "same":
            height, width = ((size + 2 * p - d * (k - 1) - 1) // s + 1 for size, k, s, p, d in zip(
                (height, width), kernel, stride, padding, dilation))
        self.shape = (out, height, width)
        sizes = (channels, out, kernel, stride, padding, dilation, groups)
        return Layer(f"l{self.made}", kind, sizes, bias)

    def flatten(self):
        self.shape = (int(np.prod(self.shape)),)
        return Plain("torch.flatten(x, 1)")

    def plain(self):
        image = len(self.shape) == 3
        text = self.random.choice(EXACT_IMAGES if image else EXACT_ROWS)
        if "max_pool" in text:
            if min(self.shape[1:]) < 3:
                return Plain("F.relu(x)")
            self.shape = (self.shape[0], self.shape[1] - 1, self.shape[2] - 1)
        return Plain(text)

    def run_of(self, length, keep=False):
        return [self.layer(keep=keep) for _ in range(length)]

    def structure(self):
        """Something with blocks in it, or a layer that is called again; the shape stays."""
        choice = self.random.randrange(4)
        if choice == 0:
            both = [self.run_of(self.random.randint(0, 2), True) for _ in range(2)]
            return [Branch(self.random.choice([1, 2, 9]), *both)]
        if choice == 1:
            return [Loop([self.run_of(self.random.randint(0, 2), True) for _ in range(2)])]
        if choice == 2:
            return [Residual(self.run_of(self.random.randint(1, 2), True))]
        layer = self.layer(keep=True)
        return [layer] * self.random.randint(2, 3)

    def end(self):
        """Ten classes, by a layer that takes what comes directly."""
        items = [self.flatten()] if len(self.shape) == 3 else []
        layer = self.layer(self.random.choice(MATRICES))
        return items + [layer._replace(sizes=(layer.sizes[0], 10))]


def random_chain(seed):
    maker = Maker(seed)
    items = maker.run_of(maker.random.randint(1, 3))
    for part in range(maker.random.randint(1, 4)):
        draw = maker.random.random()
        if draw < 0.5:
            items += maker.structure()
        elif draw < 0.65:
            items.append(maker.plain())
        elif draw < 0.75 and len(maker.shape) == 3:
            items.append(maker.flatten())
        items += maker.run_of(maker.random.randint(0, 3))
    return items + maker.end()


def chain_of(kinds, seed, between=None):
    """Layers of these kinds behind each other; `between` stands after each of them."""
    maker = Maker(seed)
    items = []
    for kind in kinds:
        if kind in MATRICES and len(maker.shape) == 3:
            items.append(maker.flatten())
        items.append(maker.layer(kind))
        items += [Plain(between)] if between else []
    return items + maker.end()


# --- the module ----------------------------------------------------------------------------------


def layers_of(items):
    """Every layer once, in the order of the source."""
    found = {}

    def visit(items):
        for item in items:
            if isinstance(item, Layer):
                found[item.name] = item
            elif isinstance(item, Branch):
                visit(item.yes), visit(item.no)
            elif isinstance(item, Loop):
                [visit(part) for part in item.parts]
            elif isinstance(item, Residual):
                visit(item.inner)
    visit(items)
    return list(found.values())


def declaration(layer):
    if layer.kind in CONVOLUTIONS:
        inputs, out, kernel, stride, padding, dilation, groups = layer.sizes
        return (f"self.{layer.name} = nn.Conv2d({inputs}, {out}, {kernel}, {stride}, {padding!r}, "
                f"{dilation}, {groups}, {layer.bias})")
    inputs, out = layer.sizes
    if layer.kind == "linear":
        return f"self.{layer.name} = nn.Linear({inputs}, {out}, {layer.bias})"
    shape = (out, inputs) if layer.kind == "addmm_t" else (inputs, out)
    return (f"self.{layer.name} = nn.Parameter(torch.randn{shape} / {inputs} ** 0.5); "
            f"self.{layer.name}_bias = nn.Parameter(torch.randn({out}))")


def call(layer):
    name = f"self.{layer.name}"
    if layer.kind == "addmm":
        return f"torch.addmm({name}_bias, x, {name})"
    return f"torch.addmm({name}_bias, x, {name}.t())" if layer.kind == "addmm_t" else f"{name}(x)"


def source(items, title):
    """A module of that name, for torch.jit.script and torch.jit.trace."""
    fresh = itertools.count(1)

    def lines(items, indent):
        pad = " " * indent
        for item in items:
            if isinstance(item, Layer):
                yield f"{pad}x = {call(item)}"
            elif isinstance(item, Plain):
                yield f"{pad}x = {item.text}"
            elif isinstance(item, Branch):
                yield f"{pad}if x.size(0) >= {item.least}:"
                yield from list(lines(item.yes, indent + 4)) or [f"{pad}    x = x"]
                yield f"{pad}else:"
                yield from list(lines(item.no, indent + 4)) or [f"{pad}    x = x"]
            elif isinstance(item, Loop):
                i = f"i{next(fresh)}"
                yield f"{pad}for {i} in range({len(item.parts)}):"
                for n, part in enumerate(item.parts):
                    yield f"{pad}    {'if' if n == 0 else 'elif'} {i} == {n}:"
                    yield from list(lines(part, indent + 8)) or [f"{pad}        x = x"]
            elif isinstance(item, Residual):
                before = f"before{next(fresh)}"
                yield f"{pad}{before} = x"
                yield from lines(item.inner, indent)
                yield f"{pad}x = {before} + x"

    declared = "\n".join(f"        {declaration(layer)}" for layer in layers_of(items))
    body = "\n".join(lines(items, 8))
    return (f"class {title}(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
            f"        self.identity = nn.Identity()\n{declared}\n\n"
            f"    def forward(self, x: Tensor) -> Tensor:\n{body}\n        return x\n")


# --- what it computes ----------------------------------------------------------------------------


def taken(item, batch):
    return item.yes if batch >= item.least else item.no


def as_traced(items, batch):
    """The straight chain that torch.jit.trace records with a batch of that size."""
    straight = []
    for item in items:
        if isinstance(item, Branch):
            straight += as_traced(taken(item, batch), batch)
        elif isinstance(item, Loop):
            straight += [i for part in item.parts for i in as_traced(part, batch)]
        elif isinstance(item, Residual):
            straight.append(Residual(as_traced(item.inner, batch)))
        else:
            straight.append(item)
    return straight


def name_sites(items):
    """The items with every Layer named as axmul names its call: NAME, NAME#2 …, in the order of
    the text; (site, layer) instead of the layer."""
    count = {}

    def named(items):
        result = []
        for item in items:
            if isinstance(item, Layer):
                n = count[item.name] = count.get(item.name, 0) + 1
                result.append((item.name + (f"#{n}" if n > 1 else ""), item))
            elif isinstance(item, Branch):
                yes = named(item.yes)
                result.append(Branch(item.least, yes, named(item.no)))
            elif isinstance(item, Loop):
                result.append(Loop([named(part) for part in item.parts]))
            elif isinstance(item, Residual):
                result.append(Residual(named(item.inner)))
            else:
                result.append(item)
        return result
    return named(items)


def run(items, x, evaluate):
    """The chain on x; evaluate(site, layer, x) computes a layer. items: of name_sites()."""
    for item in items:
        if isinstance(item, Branch):
            x = run(taken(item, x.size(0)), x, evaluate)
        elif isinstance(item, Loop):
            for part in item.parts:
                x = run(part, x, evaluate)
        elif isinstance(item, Residual):
            x = x + run(item.inner, x, evaluate)
        elif isinstance(item, Plain):
            x = eval(item.text, {"torch": torch, "F": F, "self": Identities, "x": x})
        else:
            x = evaluate(*item, x)
    return x


class Identities:
    identity = staticmethod(lambda x: x)


def sites_reached(items, batch):
    """Names of the call sites that a batch of that size goes through. items: of name_sites()."""
    reached = set()
    for item in items:
        if isinstance(item, Branch):
            reached |= sites_reached(taken(item, batch), batch)
        elif isinstance(item, (Loop, Residual)):
            for part in item.parts if isinstance(item, Loop) else [item.inner]:
                reached |= sites_reached(part, batch)
        elif not isinstance(item, Plain):
            reached.add(item[0])
    return reached


def parameters(model, layer):
    """(weight as [out, …], bias or None) of a layer of the module that source() wrote."""
    if layer.kind in CONVOLUTIONS + ("linear",):
        module = getattr(model, layer.name)
        return module.weight.detach(), None if module.bias is None else module.bias.detach()
    weight = getattr(model, layer.name).detach()
    weight = weight.t() if layer.kind == "addmm" else weight
    return weight, getattr(model, layer.name + "_bias").detach()


def products(layer, x, weight):
    """The layer without bias, in the precision of its operands."""
    if layer.kind not in CONVOLUTIONS:
        return x @ weight.t()
    _, _, _, stride, padding, dilation, groups = layer.sizes
    return F.conv2d(x, weight, None, stride, padding, dilation, groups)


def with_bias(layer, y, bias):
    if bias is None:
        return y
    return y + (bias.view(1, -1, 1, 1) if layer.kind in CONVOLUTIONS else bias)


def float_layer(model, layer, x):
    weight, bias = parameters(model, layer)
    return with_bias(layer, products(layer, x, weight), bias)


def quantized_layer(model, layer, x, a_range):
    """Integer sums, then one float32 multiplication and addition, sign-magnitude encoding."""
    weight, bias = parameters(model, layer)
    operands = effective(None, "sign-magnitude", a_range[0])
    scale, _, lowest, highest = grid(*a_range, operands)  # no zero points in this encoding
    a = torch.from_numpy(quantized(x.numpy(), scale, lowest, highest)).double()
    b_scale = float(weight.abs().max()) / 127
    b = torch.from_numpy(quantized(weight.numpy(), b_scale, -127, 127)).double()
    sums = products(layer, a, b).float()
    return with_bias(layer, sums * np.float32(scale * b_scale), bias)
