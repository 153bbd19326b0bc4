#!/usr/bin/python3
"""check_headers.py finds a header that leans on its includer, and a training header that nothing shows."""
import sys
import tempfile
from pathlib import Path

import check_headers


def write(root, name, text):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


compiler = sys.argv[1]
with tempfile.TemporaryDirectory() as folder:
    root = Path(folder)
    write(root, "include/axmul/core/good.hpp", "#include <vector>\ninline std::vector<int> f() { return {}; }\n")
    write(root, "include/axmul/core/bad.hpp", "inline std::vector<int> g() { return {}; }\n")
    write(root, "include/axmul/core/built.hpp", "not even C++\n")
    write(root, "include/axmul/train/shown.hpp", "not even C++\n")
    write(root, "include/axmul/train/unshown.hpp", "int h();\n")
    write(root, "src/core/built.cpp", '// what it is\n#include "axmul/core/built.hpp"\n#include "axmul/core/bad.hpp"\n')
    write(root, "src/train/shown.cpp", '#include "axmul/train/shown.hpp"\n')
    problems, headers, alone = check_headers.check(compiler, root)
    assert headers == 5 and alone == 2, (headers, alone)
    assert len(problems) == 2, problems
    assert any("core/bad.hpp does not compile alone" in p for p in problems), problems
    assert any("train/unshown.hpp: no source" in p for p in problems), problems
