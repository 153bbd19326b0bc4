#!/usr/bin/python3
"""The layer check must see what it is for: each planted breach is found, a clean tree passes."""
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import check_layers

BREACHES = {
    "src/core/x.cpp": '#include "axmul/io/csv.hpp"\n',
    "src/formats/x.cpp": '#include "axmul/stats/metrics.hpp"\n',
    "src/tables/x.cpp": '#include "cli/program.hpp"\n',
    "src/command/x.cpp": '#include "axmul/tables/traces.hpp"\n',
    "src/train/nn/x.cpp": '#include "command/command.hpp"\n',
    "src/train/x.cpp": '#include "cli/program.hpp"\n',
    "src/train/operators/x.cpp": '#include "axmul/tables/open_design.hpp"\n',
    "src/train/operators/y.cpp": '#include "train/multipliers.hpp"\n',
    "src/train/layer/x.hpp": '#include "axmul/train/network.hpp"\n',
    "include/axmul/train/measure.hpp": '#include "axmul/model/matching.hpp"\n',
    "include/axmul/io/x.hpp": "#include <hdf5.h>\n",
    "src/stats/x.cpp": "#include <immintrin.h>\n",
    "src/model/x.cpp": 'void f() { std::cout << "hello"; }\n',
    "src/cli/list.cpp": "#include <CLI/CLI.hpp>\n",
}
CLEAN = {
    "src/tables/x.cpp": '#include "axmul/designs/designs.hpp"\n#include "axmul/core/lut.hpp"\n',
    "src/kernels/x86_avx2.cpp": "#include <immintrin.h>\n",
    "src/command/parse.cpp": "#include <CLI/CLI.hpp>\n",
    "src/train/operators/x.cpp": '#include "axmul/kernels/lut_gemm.hpp"\n#include "train/layer/pass.hpp"\n'
                                 '#include <torch/library.h>\n',
}


def problems(files):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return check_layers.check(Path(folder))


assert problems(CLEAN) == [], problems(CLEAN)
for name, text in BREACHES.items():
    assert len(problems({name: text})) == 1, (name, problems({name: text}))
