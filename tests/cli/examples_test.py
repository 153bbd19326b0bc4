#!/usr/bin/python3
"""Every example of every command's help runs, in a folder that has the files it names: examples_test.py AXMUL SOURCE
[slow]. Without `slow` what takes seconds is left to the slow test."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import h5py
import numpy as np

AXMUL, SOURCE, SLOW = sys.argv[1], Path(sys.argv[2]), sys.argv[3:] == ["slow"]
ENDS_IN_ONE = {"axmul compare a.npy b.npy --limit 0"}  # the answer is no
ELSEWHERE = ("axmul cost --run run.json",)  # needs the traces of the run: tests/cli/model_data_test.cpp
HEAVY = ("axmul bench", "axmul library make -o", "axmul library build evoapproxlib/")
NEEDS = {"osu018_stdcells.lib": Path("/usr/share/qflow/tech/osu018/osu018_stdcells.lib"),
         ".pdf": shutil.which("rsvg-convert"), ".png": shutil.which("rsvg-convert")}


def axmul(folder, *words):
    subprocess.run([AXMUL, *words], cwd=folder, check=True, capture_output=True, timeout=300)


def write_traces(path):
    random = np.random.default_rng(1)
    with h5py.File(path, "w") as file:
        file.attrs.update(format="axmul-traces", format_version="1.0")
        for index, name in enumerate(("first", "second")):
            layer = file.create_group(f"traces/network/{name}")
            layer.attrs.update(layer_index=index, type="u8u8", fan_in=9, ops=900.0, in_channels=1, out_channels=4,
                               groups=1, kernel_h=3, kernel_w=3, output_std=5000.0, a_scale=1.0, b_scale=1.0,
                               a_zero_point=0, b_zero_point=128)
            layer["patches"] = random.integers(0, 256, (40, 9), dtype=np.uint8)
            layer["weights"] = random.integers(60, 200, (9, 4), dtype=np.uint8)


def prepare(folder):
    (folder / "luts").mkdir()
    shutil.copy(SOURCE / "luts/axmul-library.h5", folder / "luts")
    for name in ("circuits", "tables", "evoapproxlib", "runs/lenet5"):
        (folder / name).mkdir(parents=True)
    shutil.copy(SOURCE / "bench/records/resnet20-lossless.json", folder / "runs/lenet5/run.json")
    axmul(folder, "generate", "lower_or(k=4)", "-o", "mul8u_2AC.bin")
    axmul(folder, "generate", "lower_or(k=4)", "--verilog", "-o", "mul8u_2AC.v")
    axmul(folder, "generate", "exact", "-o", "mul8u_1JFF.bin")
    axmul(folder, "generate", "truncated(k=4)", "--verilog", "-o", "circuits/t4.v")
    axmul(folder, "generate", "exact", "--verilog", "-o", "circuits/e.v")
    for name in ("a", "new", "mine"):
        axmul(folder, "generate", "drum(k=5)", "-o", f"{name}.npy")
    axmul(folder, "generate", "drum(k=4)", "-o", "b.npy")
    axmul(folder, "generate", "drum(k=4)", "-o", "mine.csv")
    axmul(folder, "generate", "exact(type=s8s8)", "-o", "lut.csv")
    axmul(folder, "generate", "truncated(k=4,type=s8s8)", "-o", "tables/mul8s_1KV8.bin")
    axmul(folder, "generate", "truncated(k=6)", "-o", "tables/t6.bin")
    axmul(folder, "library", "build", "tables/mul8s_1KV8.bin", "tables/t6.bin", "-o", "library.h5")
    axmul(folder, "library", "make", "exact", "drum(k=6)", "truncated(k=4)", "-o", "L.h5")
    said = subprocess.run([AXMUL, "characterize", "tables/t6.bin", "--columns", "mae", "--format", "csv"], cwd=folder,
                          check=True, capture_output=True, text=True).stdout
    mae = said.split()[1].split(",")[1]
    (folder / "facts.csv").write_text(f"name,power_mw,MAE\nt6,0.2,{mae}\nmul8s_1KV8,0.3,\nmul8u_1JFF,0.4,0\n")
    cells = Path("/usr/share/qflow/tech/osu018/osu018_stdcells.lib")
    if cells.exists():
        shutil.copy(cells, folder)
    (folder / "evoapproxlib/mul8u_X.c").write_text(
        "#include <stdint.h>\nuint64_t mul8u_X(const uint64_t B, const uint64_t A) { return A * B & ~1; }\n")
    (folder / "weights.csv").write_text("\n".join(str(1 + i % 7) for i in range(256)))
    shutil.copy(folder / "mul8u_2AC.v", folder / "evoapproxlib")
    write_traces(folder / "T.h5")
    shutil.copy(folder / "T.h5", folder / "resnet20.h5")
    layers = ",".join(f'{{"layer": "{name}", "sigma_l": 0.1, "loss_curvature": 1}}' for name in ("first", "second"))
    (folder / "sigma.json").write_text(f'{{"schema": "axmul.sigma/1", "layers": [{layers}]}}')


def examples():
    page = subprocess.run([AXMUL, "reference"], capture_output=True, text=True, check=True).stdout
    for block in re.findall(r"\nExamples:\n(.*?)\n\n", page, re.S):
        lines = [line for line in block.splitlines() if line.startswith("  ") and not line.startswith("  #")]
        yield from (line.strip() for line in lines)


def main():
    failed, run = [], 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder)
        (folder / "bin").mkdir()
        (folder / "bin/axmul").symlink_to(Path(AXMUL).resolve())
        environment = {**os.environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}
        for command in examples():
            if command.startswith("axmul train") or any(word in command and not there for word, there in NEEDS.items()):
                continue
            if any(isinstance(there, Path) and word in command and not there.exists() for word, there in NEEDS.items()):
                continue
            if command.startswith(HEAVY) and command != "axmul bench --list" and not SLOW:
                continue
            if command.startswith(ELSEWHERE):
                continue
            run += 1
            if "evo.h5" in command and "build" in command:
                (folder / "evo.h5").unlink(missing_ok=True)
            # Examples write what others have written: each replaces it.
            if " -o " in command and " --force" not in command:
                command += " --force"
            done = subprocess.run(["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True,
                                  timeout=600)
            if done.returncode != (1 if command in ENDS_IN_ONE else 0):
                failed.append(f"$ {command}\nexit code {done.returncode}\n{done.stderr}")
    print("\n".join(failed) or f"{run} examples run")
    assert run > 45, run
    sys.exit(bool(failed))


main()
