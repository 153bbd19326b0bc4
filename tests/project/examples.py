#!/usr/bin/python3
"""Runs a worked example of tools/examples in a folder of its own: examples.py SCRIPT BIN_DIR SOURCE_DIR."""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

script, binaries, source = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
environment = {**os.environ, "PATH": binaries + ":" + os.environ["PATH"], "AXMUL_SOURCE": source}
with tempfile.TemporaryDirectory() as folder:
    done = subprocess.run(["bash", script.resolve()], cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode != 0 or not done.stdout.strip():
        print(f"{script.name}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
        sys.exit(1)
    for file in Path(folder).rglob("*"):
        assert not file.is_file() or file.stat().st_size > 0, f"{file} is empty"
