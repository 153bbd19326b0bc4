# Objects of the kernels layer: wide vector instructions only in x86_*.cpp, and nothing there that a
# linker could keep for everyone (no weak symbols). Usage: objects_test.py OBJECT...
import re
import subprocess
import sys


def tool(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def wide_registers(path):
    return re.findall(r"%[yz]mm\d+", tool("objdump", "-d", "--no-show-raw-insn", path))


def weak_symbols(path):
    lines = tool("nm", "-C", path).splitlines()
    return [line for line in lines if re.match(r"^[0-9a-f]* +[WwVvu] ", line)]


failures = []
wide_objects = 0
for path in sys.argv[1:]:
    name = path.rsplit("/", 1)[-1]
    wide = len(wide_registers(path))
    if name.startswith("x86_"):
        wide_objects += wide > 0
        weak = weak_symbols(path)
        if weak:
            failures.append(f"{name}: weak symbols {weak}")
    elif wide and "_simd.cpp" not in name:
        failures.append(f"{name}: {wide} uses of ymm or zmm registers")
if any("x86_" in path for path in sys.argv[1:]) and wide_objects == 0:
    failures.append("no object uses wide registers: the test does not see what it looks for")
print("\n".join(failures) or f"{len(sys.argv) - 1} objects, {wide_objects} with wide registers")
sys.exit(1 if failures else 0)
