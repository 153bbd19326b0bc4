"""Files as their owners have them: each case of CASES is what somebody typed and the table that is right, told by Python.

Usage: cases.py AXMUL [NAME...]
"""

import hashlib
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

RANGES = {"u8u8": (0, 0), "s8s8": (-128, -128), "u8s8": (0, -128)}


def cut(a, b):
    return (a & ~3) * b


def sha256(kind, product):
    a_min, b_min = RANGES[kind]
    table = [product(a, b) for a in range(a_min, a_min + 256) for b in range(b_min, b_min + 256)]
    return hashlib.sha256(kind.encode() + struct.pack("<65536i", *table)).hexdigest()


def need(*tools):
    return [tool for tool in tools if shutil.which(tool) is None]


# --- what the cases are made of
CUT = "{a[7:2], 2'b00} * b"
TOP = "module top(input [7:0] a, b, output [15:0] p); wire [7:0] t; low u(.i(a), .o(t)); assign p = t * b; endmodule\n"
LOW = "module low(input [7:0] i, output reg [7:0] o); always @* begin o = i; o[1:0] = 0; end endmodule\n"
AND = "module m(input [7:0] A, B, output [15:0] P); assign P = {A & B, 8'b0}; endmodule\n"


def rows(line):
    return "".join(line(a, b) for a in range(256) for b in range(256))


def bits(names, width, direction, text):
    return "".join(f"  {direction} \\{name}[{i}] ;\n" for name in names for i in range(width)) + text


def scalar_verilog():
    ports = ", ".join(f"\\{n}[{i}] " for n, w in (("x", 8), ("y", 8), ("z", 16)) for i in range(w))
    body = "".join(f"  assign \\z[{i + 8}] = \\x[{i}] & \\y[{i}] ;\n  assign \\z[{i}] = 1'b0;\n" for i in range(8))
    return f"module m({ports});\n" + bits("xy", 8, "input", "") + bits("z", 16, "output", "") + body + "endmodule\n"


def lut_netlist():
    """A carry chain that adds a and b, of CARRY4, the low byte of the product port; LUT2 propagate."""
    text = "module m(input [7:0] A, B, output [15:0] P);\n wire [7:0] s, c;\n"
    for i in range(8):
        text += f" LUT2 #(.INIT(4'h6)) l{i}(.O(s[{i}]), .I0(A[{i}]), .I1(B[{i}]));\n"
    text += " CARRY4 c0(.CI(1'b0), .CYINIT(1'b0), .DI(A[3:0]), .S(s[3:0]), .O(P[3:0]), .CO(c[3:0]));\n"
    text += " CARRY4 c1(.CI(c[3]), .CYINIT(1'b0), .DI(A[7:4]), .S(s[7:4]), .O(P[7:4]), .CO(c[7:4]));\n"
    text += " assign P[8] = c[7]; assign P[14:9] = 0; assign P[15] = 4'h8 >> { B[7], A[7] };\nendmodule\n"
    return text


def lut_function(a, b):
    return a + b + (0x8000 if a & b & 0x80 else 0)


def matrix_header(declaration, opening="{", closing="}", suffix=""):
    body = ",\n".join(opening + ",".join(f"{cut(a, b)}{suffix}" for b in range(256)) + closing for a in range(256))
    return f"{declaration} = {{{body}}};\n"


def pandas_text(index):
    text = ("," if index else "") + ",".join(map(str, range(-128, 128))) + "\n"
    for a in range(-128, 128):
        text += (f"{a}," if index else "") + ",".join(str(cut(a, b)) for b in range(-128, 128)) + "\n"
    return text


def npy(values, shape, code="<i8", size=8):
    head = f"{{'descr': '{code}', 'fortran_order': False, 'shape': {shape}, }}"
    head += " " * (63 - (10 + len(head)) % 64) + "\n"
    letter = {"<i8": "q", "<i4": "i", "<f4": "f"}[code]
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + struct.pack(f"<{len(values)}{letter}", *values)


def npz(folder, compressed):
    import zipfile
    values = [cut(a, b) for a in range(256) for b in range(256)]
    method = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    with zipfile.ZipFile(folder / "lut.npz", "w", method) as archive:
        archive.writestr("scale.npy", npy([1], "(1,)"))
        archive.writestr("lut.npy", npy(values, "(256, 256)"))


def words(code):
    return struct.pack(f"<65536{code}", *(cut(a, b) for a in range(256) for b in range(256)))


def aiger():
    """p[i + 8] = a[i] & b[i], the low byte 0, as aag with symbols."""
    gates = "".join(f"{2 * (17 + i)} {2 * (9 + i)} {2 * (1 + i)}\n" for i in range(8))
    text = "aag 24 16 0 16 8\n" + "".join(f"{2 * i}\n" for i in range(1, 17)) + "0\n" * 8
    text += "".join(f"{2 * (17 + i)}\n" for i in range(8)) + gates
    return text + "".join(f"i{i} {'ab'[i // 8]}[{i % 8}]\n" for i in range(16)) + "".join(f"o{i} p[{i}]\n" for i in range(16))


def chromosome():
    nodes = "".join(f"([{18 + i}]{2 + i},{10 + i},2)" for i in range(8))
    return "{16,16,1,8,2,1,0}" + nodes + "(" + ",".join(["0"] * 8 + [str(18 + i) for i in range(8)]) + ")\n"


def shared(a, b):
    return (a & b) << 8


FAST = "module m(input [7:0] A, B, output [15:0] P); CELL u(.A1(A[0]), .A2(B[0]), .Z(P[0])); assign P[15:1] = 0; endmodule\n"
ONE_BIT = lambda a, b: a & b & 1  # noqa: E731
LIBERTY = """library(c) { cell(an2) { area : 1; pg_pin(VPB) { pg_type : nwell; }
  pin(A) { direction : input; } pin(B) { direction : input; } pin(X) { direction : output; function : "A & B"; } } }
"""
POWERED = """module m(A, B, P, VPWR, VGND);
  input [7:0] A; input [7:0] B; output [15:0] P; inout VPWR; inout VGND;
  an2 u(.A(A[0]), .B(B[0]), .X(P[0]), .VPWR(VPWR), .VGND(VGND), .VPB(VPWR));
  tapvpwrvgnd_1 t(.VPWR(VPWR), .VGND(VGND)); fill_2 f();
  assign P[15:1] = 0;
endmodule
"""
VHDL = """library ieee; use ieee.std_logic_1164.all; use ieee.numeric_std.all;
entity cutmul is port(a, b : in unsigned(7 downto 0); p : out unsigned(15 downto 0)); end cutmul;
architecture r of cutmul is begin p <= (a(7 downto 2) & "00") * b; end r;
"""
BLIF = """.model m
.inputs A[0] A[1] A[2] A[3] A[4] A[5] A[6] A[7] B[0] B[1] B[2] B[3] B[4] B[5] B[6] B[7]
.outputs P[0] P[1] P[2] P[3] P[4] P[5] P[6] P[7] P[8] P[9] P[10] P[11] P[12] P[13] P[14] P[15]
.names A[0] B[0] P[0]
11 1
""" + "".join(f".names ${'true' if i == 13 else 'false'} P[{i}]\n1 1\n" for i in range(1, 16)) + ".end\n"
RETURN = """module m(input logic [7:0] A, B, output logic [15:0] P);
  function automatic [2:0] top(input logic [7:0] v);
    if (v[7]) return 7;
    if (v[6]) return 6;
    return 0;
  endfunction
  assign P = B << top(A);
endmodule
"""
ITERATED = """#include <stdint.h>
static int lead(int v) { int n = -1; while (v) { n++; v >>= 1; } return n; }
uint16_t logmul(uint8_t a, uint8_t b, int steps, int bias) { if (!a || !b) return 0; return (a << lead(b)) + steps * bias; }
"""


def top_bit(a, b):
    return b << (7 if a & 128 else 6 if a & 64 else 0)


def logmul(a, b):
    return (a << (b.bit_length() - 1)) + 6 if a and b else 0


S = ["--synthesize"]
N = ["--allow-native-code"]
# name: files (text, bytes, or a function of the folder), words after "characterize", type, product, tools
CASES = {
    "signed-ports": ({"s.v": "module mult(input signed [7:0] a, b, output signed [15:0] p); assign p = a * b; endmodule\n"}, ["s.v"] + S, "s8s8", lambda a, b: a * b, ["yosys"]),
    "signed-c": ({"s.c": "#include <stdint.h>\nint64_t s(int64_t a, int64_t b) { return (int16_t)((int8_t)a * (int8_t)b); }\n"}, ["s.c"] + N, "s8s8", lambda a, b: a * b, ["cc"]),
    "systemverilog": ({"m.sv": f"module m(input logic [7:0] a, b, output logic [15:0] p); always_comb p = {CUT}; endmodule\n"}, ["m.sv"] + S, "u8u8", cut, ["yosys"]),
    "vhdl": ({"cutmul.vhd": VHDL}, ["cutmul.vhd"], "u8u8", cut, ["ghdl", "yosys"]),
    "two-files": ({"top.v": TOP, "low.v": LOW}, ["top.v", "low.v", "--as-one"] + S, "u8u8", cut, ["yosys"]),
    "cells-to-yosys": ({"top.v": TOP, "low.v": LOW}, ["top.v", "--cells", "low.v"] + S, "u8u8", cut, ["yosys"]),
    "folder-as-one": ({"rtl/top.v": TOP, "rtl/low.v": LOW, "rtl/tb_top.v": "module tb; initial $finish; endmodule\n"}, ["rtl", "--as-one"] + S, "u8u8", cut, ["yosys"]),
    "file-list": ({"rtl/top.v": TOP, "rtl/sub/low.v": LOW, "rtl/all.f": "// the design\n+incdir+sub\ntop.v\nsub/low.v # the encoder\n"}, ["rtl", "-f", "all.f"] + S, "u8u8", cut, ["yosys"]),
    "structural-files": ({"top.v": "module top(input [7:0] a, b, output [15:0] p); half u(a, b, p[15:8]); assign p[7:0] = 0; endmodule\n", "half.v": "module half(input [7:0] x, y, output [7:0] z); assign z = x & y; endmodule\n"}, ["top.v", "half.v", "--as-one"], "u8u8", shared, []),
    "cells-folder": ({"net.v": FAST.replace("CELL", "AN2"), "lib/a.v": "module AN2(input A1, A2, output Z); and(Z, A1, A2); endmodule\n", "lib/b.v": "module OR2B(input A1, A2, output Z); or(Z, A1, A2); endmodule\n"}, ["net.v", "--cells", "lib", "--type", "u8u8"], "u8u8", ONE_BIT, []),
    "registers": ({"reg.v": f"module m(input clk, rst_n, en, input [7:0] a, b, output reg [15:0] p); reg [15:0] q; always @(posedge clk or negedge rst_n) if (!rst_n) begin q <= 0; p <= 0; end else if (en) begin q <= {CUT}; p <= q; end endmodule\n"}, ["reg.v"] + S, "u8u8", cut, ["yosys"]),
    "latch-of-blif": ({"m.blif": BLIF.replace(".names A[0] B[0] P[0]\n11 1\n", ".names A[0] B[0] n\n11 1\n.latch n P[0] re clk 2\n")}, ["m.blif", "--type", "u8u8"], "u8u8", lambda a, b: 0x2000 | (a & b & 1), []),
    "scalar-ports": ({"abc.v": scalar_verilog()}, ["abc.v"], "u8u8", shared, []),
    "mode-input": ({"mode.v": f"module m(input [7:0] a, b, input mode, output [15:0] p); assign p = mode ? {CUT} : a * b; endmodule\n"}, ["mode.v", "--ports", "mode=1"] + S, "u8u8", cut, ["yosys"]),
    "parameters": ({"par.v": "module m #(parameter N = 16, T = 3)(input [N-1:0] a, b, output [2*N-1:0] p); assign p = ((a >> T) << T) * b; endmodule\n"}, ["par.v", "--param", "N=8", "--param", "T=2"] + S, "u8u8", cut, ["yosys"]),
    "structural-parameters": ({"par.v": "module m(input [7:0] a, b, output [15:0] p); part #(.W(8), .TO(8)) u(a, b, p); endmodule\nmodule part #(parameter W = 4, TO = 0)(input [W-1:0] x, y, output [15:0] z); assign z = (x & y) << TO; endmodule\n"}, ["par.v"], "u8u8", shared, []),
    "fpga": ({"lut.v": lut_netlist()}, ["lut.v", "--type", "u8u8"], "u8u8", lut_function, []),
    "cells-conditions": ({"net.v": FAST.replace("CELL", "`CELLNAME").replace("module m", '`include "names.vh"\nmodule m', 1), "names.vh": "`define CELLNAME AN2\n", "cells.v": "`ifdef FAST\nprimitive p(o, a); output o; input a; table endtable endprimitive\n`elsif NEVER\nrubbish (\n`else\n`define GATE(kind, o, i) kind(o, i)\nmodule AN2(input A1, A2, output Z); wire n; nand(n, A1, A2); `GATE(not, Z, n); endmodule\n`endif\n"}, ["net.v", "--cells", "cells.v", "--type", "u8u8"], "u8u8", ONE_BIT, []),
    "top-of-two": ({"gen.v": "module spare(output y); assign y = 1; endmodule\n" + AND.replace("module m", "module mul")}, ["gen.v"], "u8u8", shared, []),
    "port-names": ({"n.v": AND.replace("A, B", "multiplicand, multiplier").replace("A & B", "multiplicand & multiplier").replace(" P", " product")}, ["n.v"], "u8u8", shared, []),
    "powered": ({"p.v": POWERED, "c.lib": LIBERTY}, ["p.v", "--liberty", "c.lib", "--type", "u8u8"], "u8u8", ONE_BIT, []),
    "blif-impltf": ({"m.blif": BLIF}, ["m.blif", "--type", "u8u8"], "u8u8", lambda a, b: 0x2000 | (a & b & 1), []),
    "aiger": ({"m.aag": aiger()}, ["m.aag"], "u8u8", shared, []),
    "cgp": ({"m.chr": chromosome()}, ["m.chr"], "u8u8", shared, []),
    "simulated": ({"ret.v": RETURN}, ["ret.v", "--simulate"] + N, "u8u8", top_bit, ["iverilog"]),
    "cplusplus": ({"x.cpp": "#include <cstdint>\nextern \"C\" {\nuint16_t mul(uint8_t a, uint8_t b) { return (a & 0xFC) * b; }\n}\n"}, ["x.cpp"] + N, "u8u8", cut, ["c++"]),
    "cplusplus-streams": ({"x.cc": "#include <cstdint>\n#include <iostream>\nuint16_t cut(uint8_t a, const uint8_t& b) noexcept { return (a & 0xFC) * b; }\nint main() { std::cout << cut(3, 4) << std::endl; }\n"}, ["x.cc"] + N, "u8u8", cut, ["c++"]),
    "c-call": ({"iter.c": ITERATED}, ["iter.c", "--call", "logmul(a, b, 2, 3)"] + N, "u8u8", logmul, ["cc"]),
    "c-function": ({"two.c": "#include <stdint.h>\nuint16_t mul_a(uint8_t a, uint8_t b) { return a * b; }\nuint16_t mul_b(uint8_t a, uint8_t b) { return (a & 0xFC) * b; }\n"}, ["two.c", "--function", "mul_b"] + N, "u8u8", cut, ["cc"]),
    "c-table": ({"t.c": "#include <stdint.h>\n" + matrix_header("const uint16_t lut[256][256]")}, ["t.c"], "u8u8", cut, []),
    "header-attribute": ({"h.h": matrix_header("const uint16_t lut[256][256] PROGMEM __attribute__((aligned(64)))")}, ["h.h"], "u8u8", cut, []),
    "header-macros": ({"h.h": "#define BITS 8\n#define N (1 << BITS)\n" + matrix_header("static const uint16_t lut[N * N]", "", "")}, ["h.h"], "u8u8", cut, []),
    "header-unknown-macro": ({"h.h": matrix_header("static const uint16_t lut[SIZE][SIZE]")}, ["h.h"], "u8u8", cut, []),
    "header-float": ({"h.h": matrix_header("const float lut[256*256]", "", "", ".0f")}, ["h.h", "--type", "u8u8"], "u8u8", cut, []),
    "header-std-array": ({"h.hpp": "#include <array>\n" + matrix_header("constexpr std::array<std::array<uint16_t, 256>, 256> lut")}, ["h.hpp"], "u8u8", cut, []),
    "header-flat-array": ({"h.hpp": matrix_header("inline const std::vector<int> lut", "", "")}, ["h.hpp", "--type", "u8u8"], "u8u8", cut, []),
    "list-decimal": ({"d.txt": rows(lambda a, b: f"{cut(a, b):5d}\n")}, ["d.txt"], "u8u8", cut, []),
    "list-padded": ({"d.txt": rows(lambda a, b: f"{cut(a, b):05d}\n")}, ["d.txt"], "u8u8", cut, []),
    "list-binary": ({"d.txt": rows(lambda a, b: f"{cut(a, b):016b}\n")}, ["d.txt"], "u8u8", cut, []),
    "list-hex-triplets": ({"d.txt": rows(lambda a, b: f"{a:02x} {b:02x} {cut(a, b):04x}\n")}, ["d.txt"], "u8u8", cut, []),
    "list-named": ({"d.log": "# run -all\n" + rows(lambda a, b: f"# A = {a:3d}, B = {b:3d}, R = {cut(a, b):5d}\n")}, ["d.log"], "u8u8", cut, []),
    "list-equations": ({"d.txt": rows(lambda a, b: f"{a} * {b} = {cut(a, b)}\n")}, ["d.txt"], "u8u8", cut, []),
    "list-columns": ({"d.csv": "a,b,exact,trunc\n" + rows(lambda a, b: f"{a},{b},{a * b},{cut(a, b)}\n")}, ["d.csv", "--column", "trunc"], "u8u8", cut, []),
    "list-titles-swapped": ({"d.csv": "B,A,P\n" + rows(lambda b, a: f"{b},{a},{cut(a, b)}\n")}, ["d.csv"], "u8u8", cut, []),
    "list-errors-beside": ({"d.log": rows(lambda a, b: f"t={10 * (256 * a + b)}: a={a:02x} b={b:02x} p={cut(a, b):04x} err={cut(a, b) - a * b}\n")}, ["d.log", "--column", "p"], "u8u8", cut, []),
    "list-then-more": ({"d.txt": "products\n" + rows(lambda a, b: f"{a} {b} {cut(a, b)}\n") + "gradients\n" + rows(lambda a, b: f"{a} {b} {b}\n")}, ["d.txt"], "u8u8", cut, []),
    "pandas-index": ({"d.csv": pandas_text(True)}, ["d.csv"], "s8s8", cut, []),
    "pandas-header": ({"d.csv": pandas_text(False)}, ["d.csv"], "s8s8", cut, []),
    "numpy-int64-dump": ({"d.bin": words("q")}, ["d.bin"], "u8u8", cut, []),
    "numpy-float-dump": ({"d.bin": words("f")}, ["d.bin"], "u8u8", cut, []),
    "numpy-batch": ({"d.npy": npy([cut(a, b) for a in range(256) for b in range(256)], "(1, 256, 256)")}, ["d.npy"], "u8u8", cut, []),
    "npz": (lambda folder: npz(folder, False), ["lut.npz"], "u8u8", cut, []),
    "npz-compressed": (lambda folder: npz(folder, True), ["lut.npz"], "u8u8", cut, []),
}


def write(folder, files):
    if callable(files):
        return files(folder)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def run(axmul, folder, words_):
    return subprocess.run([axmul] + words_, cwd=folder, capture_output=True, text=True, timeout=300)


def case(axmul, name):
    files, command, kind, product, tools = CASES[name]
    missing = need(*tools)
    if missing:
        return f"skipped {name}: no {', '.join(missing)}"
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        write(folder, files)
        done = run(axmul, folder, ["characterize"] + command + ["--format", "json"])
        if done.returncode != 0:
            raise AssertionError(f"{name}: exit code {done.returncode}: {done.stderr}")
        found = json.loads(done.stdout)["multipliers"]
        if len(found) != 1 or found[0]["type"] != kind or found[0]["sha256"] != sha256(kind, product):
            raise AssertionError(f"{name}: another table: {[m['name'] + ' ' + m['type'] for m in found]}\n{done.stderr}")
    return ""


def folders(axmul):
    """A bad file is named and the rest is done; names of files tell modules of one name apart; a folder twice is one warning."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        write(folder, {"good.v": AND, "helper.v": "module helper(input a, b, output s); assign s = a ^ b; endmodule\n",
                       "broken.v": "module broken(input [7:0] A; endmodule\n",
                       "other.v": AND.replace("A & B", "A & {B[7:1], 1'b0}"), "script.py": "print(1)\n"})
        done = run(axmul, folder, ["characterize", ".", "--format", "json"])
        assert done.returncode == 1, done
        assert "broken.v:1" in done.stderr and "AX20" in done.stderr, done.stderr
        assert "left out: 1 " in done.stderr and "helper.v" in done.stderr, done.stderr
        assert sorted(m["name"] for m in json.loads(done.stdout)["multipliers"]) == ["good", "other"], done.stdout
        done = run(axmul, folder, ["library", "build", "good.v", "other.v", "-o", "l.h5"])
        assert done.returncode == 0, done.stderr
        done = run(axmul, folder, ["list", "l.h5"])
        assert "good" in done.stdout and "other" in done.stdout and "@" not in done.stdout, done.stdout
        done = run(axmul, folder, ["characterize", "good.v", "good.v", "./good.v"])
        assert done.stderr.count("warning") == 1, done.stderr
        write(folder, {"be.bin": struct.pack(">65536H", *((a ^ b) * 200 for a in range(256) for b in range(256)))})
        done = run(axmul, folder, ["characterize", "be.bin"])
        assert "resembles a product" in done.stderr, done.stderr


def costs(axmul):
    """Costs of the user's own by semicolon, a power ratio as given, a column of another name as an axis."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        write(folder, {"one.v": AND, "two.v": AND.replace("A & B", "A & {B[7:1], 1'b0}"),
                       "c.csv": "name;power_rel;slices\none;0.5;7\ntwo;0.25;4\n"})
        done = run(axmul, folder, ["pareto", "one.v", "two.v", "--type", "u8u8", "--costs", "c.csv", "--x", "slices", "--y", "mae", "--format", "json"])
        assert done.returncode == 0, done.stderr
        points = {p["name"]: p["x"] for p in json.loads(done.stdout)["designs"]}
        assert points == {"one": 7, "two": 4}, done.stdout
        done = run(axmul, folder, ["characterize", "one.v", "two.v", "--type", "u8u8", "--costs", "c.csv", "--format", "json"])
        assert [m["cost"]["power_rel"] for m in json.loads(done.stdout)["multipliers"]] == [0.5, 0.25], done.stdout


def main():
    axmul = os.path.abspath(sys.argv[1])
    failed, skipped = [], []
    for name in sys.argv[2:] or CASES:
        try:
            skipped += filter(None, [case(axmul, name)])
        except AssertionError as error:
            failed.append(str(error))
    if not sys.argv[2:]:
        for check in (folders, costs):
            try:
                check(axmul)
            except AssertionError as error:
                failed.append(f"{check.__name__}: {error}")
    print("\n".join(failed + skipped))
    print(f"{len(CASES)} cases, {len(failed)} failed, {len(skipped)} skipped")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
