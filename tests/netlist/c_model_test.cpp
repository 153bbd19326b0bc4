// C models: signatures, operand order, and that nothing they do harms the caller.
#include "netlist/c_model.hpp"

#include <csignal>
#include <string>

#include "axmul/core/errors.hpp"
#include "axmul/core/parallel.hpp"
#include "axmul/netlist/circuits.hpp"
#include "support/support.hpp"

using namespace axmul;

namespace {

NetlistOptions native() {
  NetlistOptions options;
  options.allow_native_code = true;
  options.native_timeout_s = 10;
  return options;
}

Multiplier read(const test::ScratchDir& folder, const std::string& name, const std::string& text,
                const NetlistOptions& options = native()) {
  test::write_text(folder / name, text);
  return read_design_circuit((folder / name).string(), options);
}

void check_error(const std::string& text, int id, const std::string& part,
                 const NetlistOptions& options = native()) {
  const test::ScratchDir folder;
  CAPTURE(text);
  try {
    read(folder, "mul8u_x.c", text, options);
    FAIL("no error");
  } catch (const Error& error) {
    const std::string what = error.what();
    CAPTURE(what);
    CHECK(error.id() == id);
    CHECK(what.find(part) != std::string::npos);
  }
}

const std::string kHeader = "#include <stdint.h>\n";

}  // namespace

TEST_CASE("signatures of EvoApproxLib: order by parameter names, else position, else the option") {
  const test::ScratchDir folder;
  const Lut u = Lut::from_function(OperandType::u8u8, [](int a, int b) { return 2 * a + b; });
  CHECK(read(folder, "mul8u_1.c",
             kHeader + "uint64_t mul8u_1(const uint64_t B,const uint64_t A)\n{ return 2*A+B; }")
            .lut == u);
  CHECK(read(folder, "mul8u_2.c",
             kHeader + "uint64_t mul8u_2(const uint64_t A,const uint64_t B)\n{ return 2*A+B; }")
            .lut == u);
  CHECK(
      read(folder, "mul8_3.c", kHeader + "uint16_t mul8_3(uint8_t a, uint8_t b) { return 2*a+b; }")
          .lut == u);
  const Multiplier positional = read(
      folder, "mul8u_4.c", "unsigned mul8u_4(unsigned char x, unsigned char y) { return 2*x+y; }");
  CHECK(positional.lut == u);
  CHECK(positional.provenance.order == OperandOrder::ab);
  CHECK(positional.name == "mul8u_4");
  NetlistOptions first_is_a = native();
  first_is_a.order = OperandOrder::ab;
  CHECK(read(folder, "mul8u_1.c",
             kHeader + "uint64_t mul8u_1(const uint64_t B,const uint64_t A)\n{ return 2*A+B; }",
             first_is_a)
            .lut == transposed(u));
}

TEST_CASE("signed circuits: int8_t, and unsigned types that carry bit patterns") {
  const test::ScratchDir folder;
  const Lut s = Lut::from_function(OperandType::s8s8, [](int a, int b) { return 3 * a - b; });
  CHECK(
      read(folder, "mul8s_1.c", kHeader + "int16_t mul8s_1(int8_t A, int8_t B)\n{ return 3*A-B; }")
          .lut == s);
  CHECK(read(folder, "mul8s_2.c",
             kHeader + "uint64_t mul8s_2(const uint64_t B,const uint64_t A)\n{ if (A > 255 || B > "
                       "255) return 0x7777;\n"
                       "  int16_t a = (int8_t)A, b = (int8_t)B; return (uint16_t)(3*a-b); }")
            .lut == s);
  CHECK(read(folder, "mul8s_3.c", "int mul8s_3(signed char a, signed char b) { return 3*a-b; }")
            .lut == s);
  const Multiplier unnamed =
      read(folder, "x.c", kHeader + "int16_t f(int8_t a, int8_t b) { return 3*a-b; }");
  CHECK(unnamed.lut == s);
  CHECK(unnamed.provenance.type_from == "parameters");
}

TEST_CASE("helpers, macros, comments, a main and prototypes do not hide the model") {
  const test::ScratchDir folder;
  const Multiplier multiplier = read(folder, "mul8u_m.c", kHeader + R"(
/* uint16_t fake(uint8_t a, uint8_t b) { } */
#include <stdio.h>
#define BIT(x, i) \
  (((x) >> (i)) & 1)
uint16_t mul8u_m(uint8_t a, uint8_t b);
static inline int helper(int x) { return x + 1; }
static const char *text = "f(int a, int b) {";
uint16_t other(uint8_t a, uint8_t b) { return a + b; }
uint16_t mul8u_m(uint8_t a, uint8_t b)
{
  printf("noise %d\n", helper(a));
  return BIT(a, 7) * b;
}
int main(void) { return text[0]; }
)");
  CHECK(multiplier.lut ==
        Lut::from_function(OperandType::u8u8, [](int a, int b) { return (a >> 7) * b; }));
}

TEST_CASE("native code runs only when allowed") {
  check_error(kHeader + "uint16_t mul8u_x(uint8_t a, uint8_t b) { return a*b; }", 260,
              "--allow-native-code", {});
}

TEST_CASE("what models can do wrong is a clear error") {
  const std::string f = kHeader +
                        "#include <stdlib.h>\n#include <unistd.h>\n#include "
                        "<sys/types.h>\nuint16_t mul8u_x(uint8_t a, uint8_t b) ";
  NetlistOptions hasty = native();
  hasty.native_timeout_s = 1;
  check_error(f + "{ return *(volatile int *)0; }", 263, "crashed");
  check_error(f + "{ for (;;) ; }", 263, "ran longer than 1 s", hasty);
  check_error(f + "{ for (;;) pause(); }", 263, "it made a system call");
  check_error(f + "{ abort(); }", 263, "crashed");
  check_error(f + "{ exit(0); }", 263, "did not return 65536 products");
  check_error(f + "{ exit(5); }", 263, "exit code 5");
  check_error(f + "{ write(3, \"rubbish\", 7); return 1; }", 263, "did not return");
  check_error(f + "{ if (fork() > 0) abort(); return 1; }", 263, "");
  check_error(f + "{ char *p = malloc(3ul << 30); if (!p) abort(); return 1; }", 263, "crashed");
  check_error(f + "{ return a*b }", 261, "mul8u_x.c:5: does not compile: error:");
  check_error(f + "{\n  return a\n    * c;\n}", 261, "mul8u_x.c:7: does not compile: error:");
  check_error(f + "{ return helper(a); } // no such function", 261, "does not compile");
  check_error("#include \"missing.h\"\n" + f + "{ return a * b; }", 261, "mul8u_x.c:1: ");
  check_error("int f(int *a, int b) { return b; }", 264, "no function of two integer operands");
  check_error("int f(int a, int b) { return b; }\nint g(int a, int b) { return a; }", 264, "f, g");
  check_error("long mul8u_x(int a, int b) { return 1l << 40; }", 10, "2^24");
}

TEST_CASE("an interrupt ends a hanging model") {
  const test::ScratchDir folder;
  test::write_text(folder / "mul8u_x.c", "int mul8u_x(int a, int b) { for (;;) ; }");
  std::signal(SIGALRM, [](int) { request_interrupt(); });
  alarm(1);
  NetlistOptions options = native();
  options.native_timeout_s = 60;
  CHECK_THROWS_AS(read_design_circuit((folder / "mul8u_x.c").string(), options), InterruptedError);
  clear_interrupt();
  std::signal(SIGALRM, SIG_DFL);
}
