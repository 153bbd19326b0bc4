#!/usr/bin/python3
"""Every public header compiles alone: check_headers.py COMPILER SOURCE_DIR.

A header that some source of src/ or a test includes before all else was compiled alone by the build itself; the others
are compiled here, but for those of the training module, which need libtorch's flags: each of them must be such a first
include.
"""
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count
from pathlib import Path

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.M)


def first_includes(root):
    found = (INCLUDE.search(path.read_text()) for folder in ("src", "tests") for path in (root / folder).rglob("*.cpp"))
    return {match.group(1) for match in found if match}


def compile_alone(compiler, root, header):
    command = [compiler, "-std=c++20", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", f"-I{root}/include",
               "-x", "c++", "-"]
    result = subprocess.run(command, input=f'#include "{header}"\n', text=True, capture_output=True)
    return "" if result.returncode == 0 else f"{header} does not compile alone:\n{result.stderr}"


def check(compiler, root):
    headers = [str(path.relative_to(root / "include")) for path in sorted((root / "include/axmul").rglob("*.hpp"))]
    built = first_includes(root)
    left = [header for header in headers if header not in built]
    problems = [f"{header}: no source includes it first, so nothing shows that it compiles alone"
                for header in left if header.startswith("axmul/train/")]
    alone = [header for header in left if not header.startswith("axmul/train/")]
    with ThreadPoolExecutor(cpu_count()) as pool:
        problems += filter(None, pool.map(lambda header: compile_alone(compiler, root, header), alone))
    return problems, len(headers), len(alone)


if __name__ == "__main__":
    found, headers, alone = check(sys.argv[1], Path(sys.argv[2]))
    print("\n".join(found) or f"{headers} headers, {alone} of them compiled here")
    sys.exit(1 if found else 0)
