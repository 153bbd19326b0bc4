#!/usr/bin/python3
"""The check of references must see what it is for: each planted breach is found, a clean tree passes."""
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import check_references

TREE = {  # what references may name
    "README.md": "# axmul\n",
    "src/README.md": "# How it is built\n\n## Words\n\n```\n## No heading\n```\n\n## Error models: time\n",
    "src/core/lut.cpp": "\n",
    "src/core/sums_simd.cpp": "\n",
    "include/axmul/core/lut.hpp": "\n",
    "tests/core/lut_test.cpp": "\n",
    "tools/run": "#!/usr/bin/env bash\n",
}
BREACHES = {
    "src/core/README.md": [
        "[a](../nowhere.md)", "[a](../README.md#word)", "[a](../README.md#no-heading)",
        "[a](#here)", "`src/core/gone.cpp`", "`gone.cpp`", "`../README.md#word`",
        "`src/README.md#word`", "`src/core/{lut,gone}.cpp`", "`src/core/x86_*.cpp`", "`gone_*.cpp`",
        "`axmul/core/gone.hpp`", "`cat src/core/gone.cpp`", "`tests/gone`",
        "`include/axmul/<layer>/gone.hpp`", "```\ntools/gone --help\n```", "as in DESIGN 4",
        "see src/README.md §4", '```\n#include "axmul/core/gone.hpp"\n```'],
    "src/core/a.cpp": [
        "// see src/README.md#word", "// src/core/gone.cpp does it", "int a;  // as gone.cpp",
        "// core/gone.hpp has it", "// GONE.md", "/// (DESIGN 4)", "// (DESIGN\n// 4)",
        'throw Error("see tools/gone.py");', "// src/README.md §4"],
    "tests/core/a.py": ["# see src/README.md#word", '"""Reads src/core/gone.cpp."""'],
    "src/core/CMakeLists.txt": ["# tests/gone.py holds it"],
    "tools/test": ["# tests/gone.py holds it"],
}
CLEAN = {
    "README.md": ["`*_simd.cpp`", "`src/README.md`"],
    "src/core/README.md": [
        "[a](../README.md#words)", "[a](../README.md#error-models-time)", "# T\n[a](#t)",
        "[a](https://example.org/gone.md)", "`lut.cpp` `lut.hpp` `lut_test.cpp`",
        "`src/core/{lut,sums_simd}.cpp`", "`*_simd.cpp`", "`axmul/core/lut.hpp`",
        "`include/axmul/<layer>/lut.hpp` `src/core/NAME.cpp`", "`tools/run lut.npy -o out.h5`",
        "`$AXMUL_SOURCE/luts/gone.h5`", "`weights.h5` `a.npy` `runs/gone`",
        "`build/release/bin/axmul`", "```sh\ntools/run src/core\n```", "`lut[gone](here.md)`"],
    "src/core/a.cpp": [
        "// see src/README.md#words", "// lut.cpp and core/lut.cpp, axmul/core/lut.hpp",
        '#include "core/gone.hpp"', 'f("gone.cpp");', "// tests/<layer>/<name>_test.cpp",
        "// https://example.org/src/gone.cpp"],
}


def problems(name, text):
    with tempfile.TemporaryDirectory() as folder:
        for path, content in {**TREE, name: text + "\n"}.items():
            path = Path(folder) / path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        return check_references.check(Path(folder))


LAYERS = """# How it is built
## Layers
| layer | what it does | includes, besides core |
|---|---|---|
| `core` | tables, `Lut` | |
| `io` | files | |
| `tables` | more (files, and so on), finding | io |
"""


def layer_problems(page, below):
    with tempfile.TemporaryDirectory() as folder:
        for layer in ("core", "io", "tables"):
            (Path(folder) / "src" / layer).mkdir(parents=True)
        (Path(folder) / "src/README.md").write_text(page)
        return list(check_references.layer_problems(Path(folder), below))


BELOW = {"core": [], "io": ["core"], "tables": ["io"]}
assert layer_problems(LAYERS, BELOW) == [], layer_problems(LAYERS, BELOW)
assert len(layer_problems(LAYERS, {**BELOW, "tables": ["core"]})) == 1
assert len(layer_problems(LAYERS, {**BELOW, "train": ["core"]})) == 2
assert len(layer_problems(LAYERS.replace("| io |", "| |"), BELOW)) == 1
assert len(layer_problems(LAYERS.replace("| `io` | files | |\n", ""), BELOW)) == 1

for name, texts in CLEAN.items():
    for text in texts:
        assert problems(name, text) == [], (text, problems(name, text))
for name, texts in BREACHES.items():
    for text in texts:
        assert len(problems(name, text)) == 1, (name, text, problems(name, text))
