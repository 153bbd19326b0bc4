"""Are these binaries hardened? hardening.py FILE...: full RELRO, no executable stack, stack protector, FORTIFY."""
import platform
import subprocess
import sys

FAILED = False
for file in sys.argv[1:]:
    def readelf(*options):
        return subprocess.run(["readelf", "-W", *options, file], capture_output=True, text=True, check=True).stdout
    dynamic, segments, symbols = readelf("-d"), readelf("-l"), readelf("--dyn-syms")
    facts = {
        "full RELRO": "GNU_RELRO" in segments and ("BIND_NOW" in dynamic or "NOW" in dynamic),
        "no executable stack": all("RWE" not in line for line in segments.splitlines() if "GNU_STACK" in line),
        "stack protector": "__stack_chk_fail" in symbols,
        "position independent": "DYN" in readelf("-h"),
    }
    if ".so" in file:
        facts["FORTIFY"] = "_chk@" in symbols
    if platform.machine() == "x86_64":
        facts["CET"] = "IBT" in readelf("-n") or "endbr64" in subprocess.run(
            ["objdump", "-d", "--no-show-raw-insn", "-j", ".text", file], capture_output=True, text=True, check=True).stdout
    for name, holds in facts.items():
        if not holds:
            FAILED = True
            print(f"{file}: {name} is missing")
sys.exit(FAILED)
