#!/usr/bin/python3
"""Runs the commands of README's tour: readme_tour.py README BIN_DIR SOURCE_DIR."""
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

readme, binaries, source = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
tour = readme.read_text().split("<!-- tour", 1)[1].split("\n## ", 1)[0]
commands = [line for block in re.findall(r"```sh\n(.*?)```", tour, re.S)
            for line in block.splitlines() if line.strip()]
snippets = re.findall(r"```python\n(.*?)```", tour, re.S)
assert len(commands) >= 5 and len(snippets) >= 1, "the tour is gone"
environment = {**os.environ, "PATH": binaries + ":" + os.environ["PATH"], "AXMUL_SOURCE": source}
failed = False
with tempfile.TemporaryDirectory() as folder:
    for command in commands:
        done = subprocess.run(["bash", "-c", command], cwd=folder, env=environment,
                              capture_output=True, text=True)
        if done.returncode != 0 or not (done.stdout + done.stderr).strip():
            failed = True
            print(f"$ {command}\nexit code {done.returncode}\n{done.stdout}{done.stderr}")
    for snippet in snippets:
        done = subprocess.run(["/usr/bin/python3", "-c", snippet], cwd=folder, capture_output=True, text=True)
        if done.returncode != 0:
            failed = True
            print(snippet, done.stderr)
sys.exit(failed)
