#!/bin/bash
# A network engineer: which multiplier may each layer use? Traces of a network come from `axmul train trace` or, as here, from a
# few lines of Python (src/tables/TRACES.md); the tolerated noise σ_l from `axmul train search`.
set -euo pipefail

/usr/bin/python3 - <<'PYTHON'
import json

import h5py
import numpy as np

random = np.random.default_rng(1)
with h5py.File("traces.h5", "w") as file:
    file.attrs.update(format="axmul-traces", format_version="1.0")
    for index, (name, taps, channels) in enumerate((("conv1", 27, 16), ("conv2", 144, 16), ("fc", 256, 10))):
        a = np.minimum(random.geometric(0.03, (400, taps)), 255)  # activations: many small, few large
        w = np.clip(np.round(random.normal(0, 25, (taps, channels))), -127, 127).astype(int)
        layer = file.create_group(f"traces/demo/{name}")
        layer["patches"], layer["weights"] = a, w
        layer.attrs.update(type="u8s8", layer_index=index, ops=float(1024 * taps * channels),
                           output_std=float((a @ w).std()))
with open("sigma.json", "w") as file:
    json.dump({"schema": "axmul.sigma/1", "layers": [{"layer": "conv1", "sigma_l": 0.02}, {"layer": "conv2", "sigma_l": 0.1},
                                                     {"layer": "fc", "sigma_l": 0.05}]}, file)
PYTHON

LIBRARY=$AXMUL_SOURCE/luts/axmul-library.h5

# The error that each layer will see, for the whole library; the multipliers that disturb conv2 least.
axmul predict --traces traces.h5 --library "$LIBRARY" --sort 1 --top 8 --quiet

# How good the prediction is, and the same as pictures.
axmul validate --traces traces.h5 --library "$LIBRARY" --model permutation --quiet
axmul plot layers --traces traces.h5 --library "$LIBRARY" --quiet -o layers.svg
axmul plot model --traces traces.h5 --library "$LIBRARY" --quiet -o model.svg

# The cheapest multiplier that each layer tolerates, and what that saves.
axmul match --traces traces.h5 --library "$LIBRARY" --sigma sigma.json --quiet -o assignment.json
axmul match --traces traces.h5 --library "$LIBRARY" --sigma sigma.json --quiet
axmul info assignment.json

# A run of the whole way (axmul train run) as a page; this record is shipped.
axmul report "$AXMUL_SOURCE/bench/records/resnet20-lossless.json" -o run.html
