// Kinds of files that are recognised but not read: what each is, and the next step.
#include <algorithm>
#include <array>

#include "axmul/formats/table_file.hpp"
#include "formats/format.hpp"

namespace axmul {

namespace {

struct Kind {
  std::string_view extension, text;
};

constexpr Kind kByExtension[] = {
    {".coe",
     "a Xilinx memory file (.coe); its words are those of a .hex table: drop the two header "
     "lines, commas and semicolon, and give --input-format hex (radix 16) or listing (radix "
     "10, 2)"},
    {".mif",
     "an Intel memory initialisation file (.mif); write its words as a .hex table, one a "
     "line (quartus_cpf or srec_cat convert it)"},
    {".pt",
     "a PyTorch file, which is a pickle and may run code; it is never loaded. In Python: "
     "numpy.save('table.npy', torch.load('FILE').numpy())"},
    {".pth",
     "a PyTorch file, which is a pickle and may run code; it is never loaded. In Python: "
     "numpy.save('table.npy', torch.load('FILE').numpy())"},
    {".pkl",
     "a pickle, which may run code; it is never loaded. In Python: numpy.save('table.npy', "
     "pickle.load(open('FILE', 'rb')))"},
    {".pickle",
     "a pickle, which may run code; it is never loaded. In Python: "
     "numpy.save('table.npy', pickle.load(open('FILE', 'rb')))"},
    {".mat",
     "a MATLAB file; in MATLAB: writematrix(T, 'table.csv'), in Python: "
     "numpy.save('table.npy', scipy.io.loadmat('FILE')['T'])"},
    {".m", "a MATLAB script; run it and write its table: writematrix(T, 'table.csv')"},
    {".py",
     "a Python script, which is not run; let it write its table: numpy.save('table.npy', T), "
     "T[a, b] the products"},
    {".ipynb", "a notebook, which is not run; let it write its table: numpy.save('table.npy', T)"},
    {".xlsx", "a spreadsheet; save the 256 by 256 products as CSV"},
    {".xls", "a spreadsheet; save the 256 by 256 products as CSV"},
    {".ods", "a spreadsheet; save the 256 by 256 products as CSV"},
    {".vcd", "a waveform (VCD); let the test bench print a, b and the product, one pair a line"},
    {".fst", "a waveform (FST); let the test bench print a, b and the product, one pair a line"},
    {".vvp", "a simulation compiled by Icarus Verilog; give the Verilog itself with --simulate"},
    {".edf", "an EDIF netlist; write it as Verilog, e.g. in Vivado: write_verilog -mode funcsim"},
    {".edif", "an EDIF netlist; write it as Verilog, e.g. in Vivado: write_verilog -mode funcsim"},
    {".ngc", "a Xilinx netlist (NGC); write it as Verilog: netgen -ofmt verilog FILE"},
    {".dcp", "a Vivado checkpoint; write it as Verilog: write_verilog -mode funcsim"},
    {".vqm", "an Intel netlist (VQM); rename it to .v and give its cells with --cells"},
    {".sp", "a SPICE netlist; give the gate-level Verilog it was made from"},
    {".spice", "a SPICE netlist; give the gate-level Verilog it was made from"},
    {".cdl", "a SPICE netlist; give the gate-level Verilog it was made from"},
    {".def", "a placed layout (DEF); give the netlist that the tool writes beside it (.v)"},
    {".lef", "a library of layouts (LEF), no design"},
    {".gds", "a layout (GDSII), no design; give its netlist (.v)"},
    {".lib", "a Liberty library of cells, no design; give it with --liberty"},
    {".db", "a compiled library of cells, no design; give its Liberty text with --liberty"},
    {".sdf", "delays of a design (SDF), no design; give its netlist (.v)"},
    {".sdc", "constraints of a design, no design"},
    {".tcl", "a script of a tool, no design"},
    {".ys", "a script of yosys, no design; run it with write_verilog or write_json at its end"},
    {".il", "a design in yosys's own form (RTLIL); yosys -p 'write_json FILE.json' FILE.il"},
    {".rtlil", "a design in yosys's own form (RTLIL); yosys -p 'write_json FILE.json' FILE"},
    {".bench", "an ISCAS bench netlist; abc -c 'read_bench FILE; write_blif FILE.blif'"},
    {".pla", "a PLA; abc -c 'read_pla FILE; strash; write_blif FILE.blif'"},
    {".eqn", "an equation file; abc -c 'read_eqn FILE; write_blif FILE.blif'"},
    {".scala", "Chisel or SpinalHDL, which makes Verilog: give what it writes (.v, .sv)"},
    {".fir", "FIRRTL of Chisel; firtool writes SystemVerilog of it: give that"},
    {".bsv", "Bluespec; bsc -verilog writes Verilog of it: give that with --synthesize"},
    {".java", "a Java program; let it write a table, one line \"a b product\" a pair"},
    {".rs", "a Rust program; let it write a table, one line \"a b product\" a pair"},
    {".cu", "a CUDA source; give the table or the C function in a .c or .cpp file"},
    {".js", "a JavaScript program; let it write a table, one line \"a b product\" a pair"},
    {".jl", "a Julia program; let it write a table: writedlm(\"table.csv\", T, ',')"},
    {".onnx", "a network (ONNX), no multiplier; axmul train reads networks"},
    {".pb", "a network (TensorFlow), no multiplier"},
    {".tflite", "a network (TensorFlow Lite), no multiplier"},
    {".vh", "a header of Verilog, which the files that include it bring along"},
    {".svh", "a header of SystemVerilog, which the files that include it bring along"},
    {".pdf", "a document (PDF), no design"},
    {".png", "a picture, no design"},
    {".zip", "an archive; unpack it and give the folder"},
    {".gz", "a compressed file; gunzip it first"},
    {".tgz", "an archive; unpack it and give the folder"},
    {".tar", "an archive; unpack it and give the folder"},
    {".bz2", "a compressed file; bunzip2 it first"},
    {".xz", "a compressed file; unxz it first"},
    {".7z", "an archive; unpack it and give the folder"},
};

struct Magic {
  std::string_view bytes, text;
};

constexpr Magic kByContent[] = {
    {"\x80\x02",
     "a pickle, which may run code; it is never loaded. In Python: "
     "numpy.save('table.npy', pickle.load(open('FILE', 'rb')))"},
    {"\x80\x03",
     "a pickle, which may run code; it is never loaded. In Python: "
     "numpy.save('table.npy', pickle.load(open('FILE', 'rb')))"},
    {"\x80\x04",
     "a pickle, which may run code; it is never loaded. In Python: "
     "numpy.save('table.npy', pickle.load(open('FILE', 'rb')))"},
    {"\x80\x05",
     "a pickle, which may run code; it is never loaded. In Python: "
     "numpy.save('table.npy', pickle.load(open('FILE', 'rb')))"},
    {"\x1f\x8b", "a compressed file; gunzip it first"},
    {"BZh", "a compressed file; bunzip2 it first"},
    {"\xfd"
     "7zXZ",
     "a compressed file; unxz it first"},
    {"7z\xbc\xaf", "an archive; unpack it and give the folder"},
    {"%PDF", "a document (PDF), no design"},
    {"\x7f"
     "ELF",
     "a compiled program, which is not run; give its source (.c, .cpp) or let it print "
     "a table, one line \"a b product\" a pair"},
    {"\x89PNG", "a picture, no design"},
    {"MATLAB 5.0", "a MATLAB file; in MATLAB: writematrix(T, 'table.csv')"},
    {"<?xml", "an XML file; save the 256 by 256 products as CSV"},
    {"<!DOCTYPE html", "a web page; save the file itself, not the page that shows it"},
    {"<html", "a web page; save the file itself, not the page that shows it"},
    {"version https://git-lfs",
     "a pointer of Git LFS, not the file itself; git lfs pull fetches it"},
};

bool has_word(std::string_view text, std::string_view word) {
  const auto is_word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  for (std::size_t at = text.find(word); at != std::string_view::npos;
       at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if ((at == 0 || !is_word(text[at - 1])) && (end >= text.size() || !is_word(text[end])))
      return true;
  }
  return false;
}

/// Languages by what their texts say, whatever the file is called.
std::string language_of(std::string_view content) {
  const std::string_view head = content.substr(0, 65536);
  if (has_word(head, "endmodule") || (has_word(head, "module") && has_word(head, "assign")))
    return "Verilog by its text; name it FILE.v or FILE.sv";
  if (has_word(head, "entity") && has_word(head, "architecture"))
    return "VHDL by its text; name it FILE.vhd";
  if (head.find(".model") != std::string_view::npos &&
      head.find(".inputs") != std::string_view::npos)
    return "BLIF by its text; name it FILE.blif";
  if (head.find("memory_initialization_vector") != std::string_view::npos)
    return std::string(kByExtension[0].text);
  if (head.find("ADDRESS_RADIX") != std::string_view::npos)
    return std::string(kByExtension[1].text);
  if (has_word(head, "#include") ||
      (has_word(head, "return") && head.find('{') != std::string_view::npos))
    return "C or C++ by its text; name it FILE.c or FILE.cpp, and let it run with "
           "--allow-native-code";
  if (has_word(head, "import") && has_word(head, "def"))
    return "Python by its text, which is not run; let it write its table: numpy.save('table.npy', "
           "T)";
  return "";
}

}  // namespace

std::string kind_not_read(std::string_view content, std::string_view path) {
  for (const Magic& magic : kByContent)
    if (content.starts_with(magic.bytes)) return std::string(magic.text);
  const std::string extension = detail::lower_extension(path);
  if (content.starts_with("PK\3\4") &&
      content.substr(0, 4096).find("data.pkl") != std::string_view::npos)
    return std::string(kByExtension[2].text);
  for (const Kind& kind : kByExtension)
    if (extension == kind.extension) return std::string(kind.text);
  if (content.starts_with("PK\3\4") && extension != ".npz")
    return "an archive; unpack it and give the folder";
  return detail::looks_like_text(content) ? language_of(content) : "";
}

}  // namespace axmul
