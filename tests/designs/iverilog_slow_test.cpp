// The emitted Verilog in an independent simulator: Icarus Verilog, all operand pairs.
#include <cstdlib>
#include <sstream>

#include "axmul/designs/circuit.hpp"
#include "support/support.hpp"

using namespace axmul;

namespace {

// Prints O for every bit pattern of A (slow) and B, in hexadecimal.
std::string testbench(const std::string& top, std::size_t product_bits) {
  return "module bench; reg [7:0] A, B; wire [" + std::to_string(product_bits - 1) + ":0] O; " +
         top +
         " dut(.A(A), .B(B), .O(O)); integer i; initial for (i = 0; i < 65536; i = i + 1) begin "
         "{A, B} = i; #1 $display(\"%h\", O); end endmodule\n";
}

}  // namespace

TEST_CASE("Icarus Verilog computes the generators' tables") {
  if (std::system("command -v iverilog vvp > /dev/null") != 0) AXMUL_SKIP("needs iverilog");
  const test::ScratchDir scratch;
  for (const char* text :
       {"exact(type=s8s8)", "broken_array(h=2,v=5)", "broken_booth(v=6)", "kulkarni", "etm",
        "momeni(design=1,columns=7)", "drum(k=5,type=s8s8)", "drum(k=4,type=u8s8)", "mbm",
        "roba(negation=approximate,type=s8s8)", "tosam(h=2,t=6)", "power_of_two"}) {
    CAPTURE(text);
    const Multiplier design = generate(text);
    const Netlist netlist = generate_netlist(text);
    const std::size_t bits = netlist.find_port("O")->nets.size();
    test::write_text(scratch / "t.v", generate_verilog(text) + testbench(netlist.name, bits));
    const std::string out = (scratch / "t").string();
    const std::string command = "iverilog -g2001 -s bench -o " + out + ".vvp " + out +
                                ".v && vvp -n " + out + ".vvp > " + out + ".txt";
    REQUIRE(std::system(command.c_str()) == 0);
    std::istringstream lines(test::read_text(scratch / "t.txt"));
    const OperandType type = design.lut.type();
    const auto value = [](unsigned bits8, bool is_signed) {
      return is_signed && bits8 >= 128 ? static_cast<int>(bits8) - 256 : static_cast<int>(bits8);
    };
    int wrong = 0;
    for (unsigned i = 0; i < 65536; ++i) {
      std::string hex;
      REQUIRE(std::getline(lines, hex));
      std::int64_t product = std::stol(hex, nullptr, 16);
      if (type != OperandType::u8u8 && (product >> (bits - 1)) != 0)
        product -= std::int64_t{1} << bits;
      wrong += product !=
               design.lut(value(i >> 8, a_is_signed(type)), value(i & 255, b_is_signed(type)));
    }
    CHECK(wrong == 0);
  }
}
