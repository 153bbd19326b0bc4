"""What is said of files that are refused, word for word: refusals.txt holds, for each of CASES, the exit code and the message.

Usage: refusals.py AXMUL [--write]   (--write makes refusals.txt anew; read the difference before you commit it)
"""

import os
import pathlib
import subprocess
import sys
import tempfile

import cases

HEAD = "module m(input [7:0] a, b, output [15:0] p);"


def module(body):
    return {"m.v": f"{HEAD}\n{body}\nendmodule\n"}


LINES = "".join(f"{a} {b} {a * b}\n" for a in range(256) for b in range(256))
S = ["m.v", "--synthesize"]
# name: files, words after "characterize"
CASES = {
    "operator": (module("assign p = (a > b) ? a : b;"), ["m.v"]),
    "shift-by-signal": (module("assign p = a << b[2:0];"), ["m.v"]),
    "index-by-signal": (module("assign p = a[b[2:0]];"), ["m.v"]),
    "multiplication": (module("assign p = a * b;"), ["m.v"]),
    "always": (module("reg [15:0] q; always @* q = a * b; assign p = q;"), ["m.v"]),
    "function-call": (module("assign p = f(a, b);"), ["m.v"]),
    "cast": (module("assign p = 16'(a);"), ["m.v"]),
    "typedef": ({"m.sv": "typedef logic [7:0] byte_t;\nmodule m(input byte_t a, b, output logic [15:0] p); assign p = a; endmodule\n"}, ["m.sv"]),
    "syntax": (module("assign p = a +;"), ["m.v"]),
    "unknown-cell": (module("NOSUCH u(.A(a[0]), .Z(p[0]));"), ["m.v"]),
    "unknown-macro": (module("assign p = `WIDTH;"), ["m.v"]),
    "open-condition": (module("`ifdef X\nassign p = a;"), ["m.v"]),
    "missing-include": (module('`include "defs.vh"\nassign p = a;'), ["m.v"]),
    "two-tops": ({"m.v": "module x(input [7:0] a, b, output [15:0] p); assign p = a; endmodule\nmodule y(input [7:0] a, b, output [15:0] p); assign p = b; endmodule\n"}, ["m.v"]),
    "no-such-top": (module("assign p = a;"), ["m.v", "--top", "n"]),
    "test-bench": ({"tb.v": "module tb; reg a; initial a = 1; endmodule\n"}, ["tb.v"]),
    "further-input": ({"m.v": "module m(input [7:0] a, b, input mode, output [15:0] p); assign p = mode ? a : b; endmodule\n"}, ["m.v"]),
    "no-such-input": (module("assign p = a;"), ["m.v", "--ports", "mode=1"]),
    "tie-too-wide": ({"m.v": "module m(input [7:0] a, b, input mode, output [15:0] p); assign p = mode ? a : b; endmodule\n"}, ["m.v", "--ports", "mode=2"]),
    "no-such-parameter": (module("assign p = a;"), ["m.v", "--param", "N=8"]),
    "bad-parameter": (module("assign p = a;"), ["m.v", "--param", "N"]),
    "missing-module": (module("low u(a, p);"), S),
    "yosys-syntax": (module("function [7:0] f(input [7:0] x); return x; endfunction assign p = f(a);"), S),
    "feedback": ({"m.v": "module m(input clk, input [7:0] a, b, output reg [15:0] p); always @(posedge clk) p <= p + a * b; endmodule\n"}, S),
    "latch": ({"m.v": "module m(input [7:0] a, b, output reg [15:0] p); always @* if (a[0]) p = a * b; endmodule\n"}, S),
    "blif-latch": ({"m.blif": ".model m\n.inputs x\n.outputs y\n.latch x y ah clk 2\n.end\n"}, ["m.blif"]),
    "empty-folder-as-one": ({"rtl/readme.txt": "nothing\n"}, ["rtl", "--as-one"]),
    "broken-list": ({"all.f": "top.v\n"}, ["all.f"]),
    "simulate-unasked": (module("assign p = a * b;"), ["m.v", "--simulate"]),
    "simulate-unknown": (module("wire [15:0] q; assign p = q;"), ["m.v", "--simulate", "--allow-native-code"]),
    "c-unasked": ({"x.cpp": "int mul(int a, int b) { return a * b; }\n"}, ["x.cpp"]),
    "c-further-argument": ({"x.c": "int mul(int a, int b, int c) { return a * b + c; }\n"}, ["x.c", "--allow-native-code"]),
    "c-no-function": ({"x.c": "int mul(int a, int b) { return a * b; }\n"}, ["x.c", "--function", "f", "--allow-native-code"]),
    "c-bad-call": ({"x.c": "int mul(int a, int b, int c) { return a * b + c; }\n"}, ["x.c", "--call", "mul(a, b, x)", "--allow-native-code"]),
    "columns": ({"t.csv": "a,b,exact,trunc\n" + cases.rows(lambda a, b: f"{a},{b},{a * b},{a * b & ~7}\n")}, ["t.csv"]),
    "no-such-column": ({"t.csv": "a,b,exact,trunc\n" + cases.rows(lambda a, b: f"{a},{b},{a * b},{a * b & ~7}\n")}, ["t.csv", "--column", "approx"]),
    "unknown-bits": ({"t.txt": LINES.replace("\n7 9 63\n", "\n7 9 xx\n")}, ["t.txt"]),
    "short-listing": ({"t.log": cases.rows(lambda a, b: "" if a == 255 else f"a={a} b={b} p={a * b}\n")}, ["t.log"]),
    "odd-dump": ({"t.bin": b"\x01" * 100000}, ["t.bin"]),
    "coe": ({"t.coe": "memory_initialization_radix=16;\nmemory_initialization_vector=\n0,1,2;\n"}, ["t.coe"]),
    "mif": ({"t.mif": "WIDTH=16;\nDEPTH=65536;\nADDRESS_RADIX=HEX;\nCONTENT BEGIN\n0 : 0;\nEND;\n"}, ["t.mif"]),
    "pytorch": ({"t.pt": b"PK\x03\x04" + b"\0" * 22 + b"\x10\0\0\0archive/data.pkl" + b"\0" * 80}, ["t.pt"]),
    "pickle": ({"t.bin": b"\x80\x04\x95" + b"\0" * 400}, ["t.bin"]),
    "verilog-as-text": ({"t.txt": HEAD + " assign p = a; endmodule\n"}, ["t.txt"]),
    "python": ({"t.py": "import numpy\n"}, ["t.py"]),
    "waveform": ({"t.vcd": "$date today $end\n"}, ["t.vcd"]),
    "lfs-pointer": ({"t.npy": "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"}, ["t.npy"]),
    "aiger-latches": ({"m.aag": "aag 3 2 1 1 0\n2\n4\n6 2\n6\n"}, ["m.aag"]),
    "cgp-order": ({"m.cgp": "{16,16,1,1,2,1,0}([20]2,3,2)(18)\n"}, ["m.cgp"]),
    "rubbish": ({"t.xyz": "hello\n"}, ["t.xyz"]),
}
TOOLS = {"missing-module": "yosys", "yosys-syntax": "yosys", "feedback": "yosys", "latch": "yosys", "simulate-unknown": "iverilog"}


def said(axmul, name):
    files, words = CASES[name]
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        cases.write(folder, files)
        done = subprocess.run([axmul, "characterize"] + words, cwd=folder, capture_output=True, text=True, timeout=120)
        lines = [line for line in done.stderr.splitlines() if line.startswith(("axmul:", "failed:"))]
        return f"{name}: {done.returncode}\n  " + "\n  ".join(lines).replace(scratch, "FOLDER") + "\n"


def main():
    axmul = os.path.abspath(sys.argv[1])
    golden = pathlib.Path(__file__).with_name("refusals.txt")
    if "--write" in sys.argv:
        golden.write_text("".join(said(axmul, name) for name in CASES))
        return
    expected = golden.read_text()
    failed = 0
    for name in CASES:
        if name in TOOLS and cases.need(TOOLS[name]):
            print(f"skipped {name}: no {TOOLS[name]}")
            continue
        text = said(axmul, name)
        if ("\n" + text) not in "\n" + expected:
            failed += 1
            print("now:\n" + text)
    print(f"{len(CASES)} refusals, {failed} differ from refusals.txt")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
