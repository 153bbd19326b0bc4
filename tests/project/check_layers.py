#!/usr/bin/python3
"""Fails when a file includes what src/README.md#layers does not give its layer, or uses what is kept elsewhere."""
import re
import sys
from pathlib import Path

BELOW = {  # layer: the layers it may include directly
    "core": [],
    "kernels": ["core"],
    "io": ["core"],
    "formats": ["io"],
    "stats": ["io"],
    "netlist": ["stats"],
    "designs": ["netlist"],
    "model": ["stats", "kernels"],
    "tables": ["io", "formats", "designs", "model"],
    "plot": ["tables"],
    "command": ["io"],
    "cli": ["plot", "tables", "command", "kernels"],
    "train": ["model", "kernels", "tables"],
    "cli_train": ["command", "train"],
}

# Parts of train that are built without the rest (libaxmul_torch.so), and what of axmul they may include.
APART = ("include/axmul/train/grid.hpp", "include/axmul/train/layer.hpp", "include/axmul/train/measure.hpp",
         "src/train/torch_types.hpp", "src/train/layer", "src/train/operators")
APART_INCLUDES = ("core/", "kernels/", "train/grid.hpp", "train/layer.hpp", "train/measure.hpp", "train/layer/",
                  "train/operators/", "train/torch_types.hpp")


def includes(path):
    """(line number, what is included) of a file, as written."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*["<]([^">]+)[">]', line)
        if match:
            yield number, match.group(1)


def check_apart(root):
    problems = []
    for part in APART:
        place = root / part
        for path in sorted(place.rglob("*.[ch]pp")) if place.is_dir() else [place] * place.is_file():
            for number, target in includes(path):
                own = target.removeprefix("axmul/")
                if own.split("/")[0] in BELOW and "/" in own and not own.startswith(APART_INCLUDES):
                    problems.append(f"{path.relative_to(root)}:{number}: the torch operators include core and "
                                    f"kernels only, not {target}")
    return problems


def reachable(layer):
    found, todo = {layer, "core"}, list(BELOW[layer])
    while todo:
        below = todo.pop()
        if below not in found:
            found.add(below)
            todo += BELOW[below]
    return found


def check(root):
    problems = check_apart(root)
    for layer in BELOW:
        allowed = reachable(layer)
        for folder in ("include/axmul", "src"):
            for path in sorted((root / folder / layer).rglob("*.[ch]pp")):
                public = folder.startswith("include")
                for number, target in includes(path):
                    where = f"{path.relative_to(root)}:{number}"
                    parts = target.removeprefix("axmul/").split("/")
                    if parts[0] in BELOW and len(parts) > 1 and parts[0] not in allowed:
                        problems.append(f"{where}: layer {layer} must not include {target}")
                    if public and not target.startswith("axmul/") and layer != "train" and (
                            "/" in target or target.endswith(".h")):
                        problems.append(f"{where}: a public header includes {target}")
                    if target.endswith("intrin.h") and not re.match(r"x86_.*\.cpp", path.name):
                        problems.append(f"{where}: {target} belongs in src/kernels/x86_*.cpp")
                    if target.startswith("CLI/") and path != root / "src/command/parse.cpp":
                        problems.append(f"{where}: CLI11 belongs in src/command/parse.cpp")
    for path in sorted((root / "src").rglob("*.cpp")):
        layer = path.relative_to(root / "src").parts[0]
        if layer in ("command", "cli", "train", "cli_train"):
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            code = line.split("//")[0]
            if re.search(r"std::c(out|err|log)\b|\bprintf\s*\(|\bstd::exit\s*\(|\babort\s*\(", code):
                problems.append(f"{path.relative_to(root)}:{number}: the library never prints or exits")
    return problems


if __name__ == "__main__":
    found = check(Path(sys.argv[1]))
    print("\n".join(found))
    sys.exit(1 if found else 0)
