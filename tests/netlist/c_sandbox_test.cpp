// Hostile C models: what they try while they are compiled and while they run, and that it fails.
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "axmul/core/errors.hpp"
#include "axmul/netlist/circuits.hpp"
#include "netlist/c_compile.hpp"
#include "netlist/process.hpp"
#include "netlist/sandbox.hpp"
#include "support/support.hpp"

using namespace axmul;

namespace {

constexpr const char* kHeaders = R"(
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <signal.h>
#include <unistd.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/resource.h>
#include <sys/syscall.h>
)";

const std::string kSignature = "uint16_t mul8u_x(uint8_t a, uint8_t b)";

Lut read(const test::ScratchDir& folder, const std::string& text) {
  test::write_text(folder / "mul8u_x.c", text);
  NetlistOptions options;
  options.allow_native_code = true;
  return read_design_circuit((folder / "mul8u_x.c").string(), options).lut;
}

/// The error of a model with that body, which is called once with a = b = 0 before it multiplies.
std::string error_of(const test::ScratchDir& folder, const std::string& body,
                     const std::string& before = "") {
  try {
    read(folder, kHeaders + before + "\n" + kSignature + " {\n  if (a + b == 0) { " + body +
                     " }\n  return a * b;\n}\n");
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// The table that a model makes of the bytes at `secret`: they come back as products.
constexpr const char* kLeak =
    "extern const unsigned char secret[];\n"
    "int mul8u_x(int a, int b) { return a == 0 ? secret[b % 16] : a * b; }\n";

/// Compiles `text` with some walls taken away; the error, or empty.
std::string compile_error(const test::ScratchDir& folder, const std::string& text,
                          detail::CompileWalls walls) {
  test::write_text(folder / "mul8u_x.c", text);
  const detail::TemporaryFolder work;
  const std::string source = work.file("runner.c");
  test::write_text(source, "#include \"" + (folder / "mul8u_x.c").string() +
                               "\"\nint main(void) { return 0; }\nvoid axmul_start(void) {}\n");
  NetlistOptions options;
  try {
    detail::compile_c_model((folder / "mul8u_x.c").string(), source, work, options, walls);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("an honest model may print, allocate, read its limits and be asserted about") {
  const test::ScratchDir folder;
  const Lut lut = read(folder, std::string(kHeaders) + R"(
#include <assert.h>
#include <math.h>
static const char *words = ".data";
)" + kSignature + R"( {
  char *memory = malloc(200000 + a);
  struct rlimit stack;
  assert(memory && words[0] == '.' && getrlimit(RLIMIT_STACK, &stack) == 0);
  memory = realloc(memory, 600000);
  printf("%d %g\n", a, sqrt(b));
  free(memory);
  return a * b + (getenv("HOME") != NULL) + (getenv("PATH") != NULL);
}
)");
  CHECK(lut == Lut::exact(OperandType::u8u8));
}

TEST_CASE("a model may prepare its tables before main, and use 128-bit division") {
  const test::ScratchDir folder;
  const Lut lut = read(folder, R"(
static unsigned char half[256];
static _Thread_local int calls = 7;
__attribute__((constructor)) static void prepare(void) {
  for (int i = 0; i < 256; ++i) half[i] = i / 2;
}
int mul8u_x(int a, int b) { return (a * b + half[b]) * (calls == 7); }
)");
  CHECK(lut == Lut::from_function(OperandType::u8u8, [](int a, int b) { return a * b + b / 2; }));
  CHECK(read(folder,
             "int mul8u_x(int a, int b) { return (__int128)a * b * 5 / (a | 5) * (a | 5) / "
             "5; }") == Lut::from_function(OperandType::u8u8, [](int a, int b) {
          return a * b * 5 / (a | 5) * (a | 5) / 5;
        }));
}

TEST_CASE("a failed assertion is a crash, not a forbidden call") {
  const test::ScratchDir folder;
  CHECK(holds(error_of(folder, "assert(a > 0);", "#include <assert.h>"), "signal 6"));
}

// A system call without a C library, so that a model is linked in no time.
constexpr const char* kCall = R"(
#define _GNU_SOURCE
static long call(long n, long x, long y, long z) {
#ifdef __x86_64__
  long result;
  register long r10 __asm__("r10") = 0;
  __asm__ volatile("syscall" : "=a"(result) : "a"(n), "D"(x), "S"(y), "d"(z), "r"(r10)
                   : "rcx", "r11", "memory");
  return result;
#else
  extern long syscall(long, ...);
  return syscall(n, x, y, z, 0);
#endif
}
)";

TEST_CASE("a model that asks the system for anything is ended, for root too") {
  const test::ScratchDir folder;
  const std::string proof = (folder / "proof").string();
  const std::string bodies[] = {
      // As a C library does it.
      "if (fork() == 0) { setsid(); sleep(30); }",
      "fopen(\"/etc/passwd\", \"r\");",
      "system(\"touch " + proof + "\");",
      "raise(SIGSTOP);",
      // By number.
      "call(SYS_kill, PARENT, 0, 0);",
      "call(SYS_tgkill, PARENT, PARENT, 0);",
      "call(SYS_openat, AT_FDCWD, (long)\"" + proof + "\", O_CREAT | O_WRONLY);",
      "call(SYS_unlinkat, AT_FDCWD, (long)\"/nowhere/at/all\", 0);",
      "call(SYS_socket, AF_INET, SOCK_STREAM, 0);",
      "char *none[] = {0}; call(SYS_execve, (long)\"/bin/true\", (long)none, (long)none);",
      "call(SYS_execveat, 3, (long)\"/bin/true\", 0);",
      "struct rlimit l = {1, 1}; call(SYS_prlimit64, PARENT, RLIMIT_NICE, (long)&l);",
      "struct rlimit l = {1, 1}; call(SYS_prlimit64, 0, RLIMIT_NICE, (long)&l);",
      "call(SYS_ptrace, 0, 0, 0);",
      "call(SYS_clone, 0x11, 0, 0);",
      "call(SYS_setsid, 0, 0, 0);",
      "call(SYS_memfd_create, (long)\"x\", 0, 0);",
      "call(SYS_process_vm_readv, PARENT, 0, 0);",
      "call(SYS_dup, 3, 0, 0);",
      "call(SYS_io_uring_setup, 1, 0, 0);",
  };
  const std::string before = kCall + ("\n#define PARENT " + std::to_string(::getpid()));
  for (const std::string& body : bodies) {
    CAPTURE(body);
    const std::string error = error_of(folder, body, before);
    CHECK_MESSAGE(holds(error, "AX263"), error);
    CHECK_MESSAGE(holds(error, "system call"), error);
  }
  CHECK(!std::filesystem::exists(proof));
}

TEST_CASE("code that runs before and after the function is walled in as well") {
  const test::ScratchDir folder;
  const std::string proof = (folder / "proof").string();
  const std::string call =
      " { call(SYS_openat, AT_FDCWD, (long)\"" + proof + "\", O_CREAT | O_WRONLY); }";
  CHECK(holds(
      error_of(folder, "",
               kCall + std::string("__attribute__((constructor)) static void first(void)") + call),
      "system call"));
  CHECK(holds(
      error_of(folder, "",
               kCall + std::string("__attribute__((destructor)) static void last(void)") + call),
      "system call"));
#ifdef __x86_64__
  // By the numbers of other calling conventions: 32 bits (5: open), x32.
  CHECK(holds(error_of(folder, "__asm__ volatile(\"int $0x80\" : : \"a\"(5));"), "AX263"));
  CHECK(holds(error_of(folder, "call(0x40000000 + 2, (long)\"" + proof + "\", 0101, 0600);", kCall),
              "system call"));
#endif
  CHECK(!std::filesystem::exists(proof));
}

TEST_CASE("questions that C libraries ask are answered with an error, and tell nothing") {
  const test::ScratchDir folder;
  const Lut lut =
      read(folder, std::string(kHeaders) + "#include <sys/stat.h>\n" + kSignature + R"( {
  struct stat status; char link[100];
  int told = stat("/etc/passwd", &status) == 0;
  told += readlink("/proc/self/exe", link, sizeof link) > 0;
  return a * b + told;
}
)");
  CHECK(lut == Lut::exact(OperandType::u8u8));
}

TEST_CASE("a secret file gets into no table while a model is compiled") {
  const test::ScratchDir folder, elsewhere;
  const std::string secret = (elsewhere / "secret").string();
  test::write_text(secret, "1234567890abcdef");
  test::write_text(folder / "beside.txt", "1234567890abcdef");
  const auto incbin = [](const std::string& file) {
    return "__asm__(\".globl secret\\nsecret: .incbin \\\"" + file + "\\\"\\n\");\n" + kLeak;
  };
  CHECK_THROWS_WITH_AS(read(folder, incbin(secret)), doctest::Contains("AX265"), InputError);
  const std::string attacks[] = {
      incbin(secret),
      "__asm__(\".globl secret\\nsecret: .INCBIN \\\"" + secret + "\\\"\\n\");\n" + kLeak,
      "__asm__(\".macro read verb, noun\\n.\\\\verb\\\\noun \\\"" + secret +
          "\\\"\\n.endm\\n.globl secret\\nsecret: read inc bin\\n\");\n" + kLeak,
      "__asm__(\".include \\\"" + secret + "\\\"\");\n" + kLeak,
      // Not by a statement of assembly, but by a name that the compiler writes into it.
      "extern int x __asm__(\"x\\n.incbin \\\"" + secret +
          "\\\"\\n#\");\nint y(void) { return x; }",
  };
  for (const std::string& attack : attacks) {
    CAPTURE(attack);
    CHECK(holds(compile_error(folder, attack, {.landlock = false, .scan = true}), "AX265"));
    if (!detail::landlock_available()) continue;
    CHECK(holds(compile_error(folder, attack, {.landlock = true, .scan = false}), "AX261"));
  }
  // The assembler does not even see what lies beside the model.
  if (detail::landlock_available())
    CHECK(holds(compile_error(folder, incbin((folder / "beside.txt").string()),
                              {.landlock = true, .scan = false}),
                "AX261"));
  CHECK(compile_error(folder, incbin(secret), {.landlock = false, .scan = false}).empty());
}

TEST_CASE("clang compiles models behind Landlock only") {
  const std::string clang = detail::find_program("clang").empty() ? detail::find_program("clang-14")
                                                                  : detail::find_program("clang");
  if (clang.empty()) AXMUL_SKIP("needs clang");
  const test::ScratchDir folder, elsewhere, bin;
  test::write_text(elsewhere / "secret", "1234567890abcdef");
  const std::string attack = "__asm__(\".globl secret\\nsecret: .incbin \\\"" +
                             (elsewhere / "secret").string() + "\\\"\\n\");\n" + kLeak;
  std::filesystem::create_symlink(clang, bin / "cc");
  const std::string path = ::getenv("PATH");
  ::setenv("PATH", (bin.path().string() + ":" + path).c_str(), 1);
  if (detail::landlock_available()) {
    CHECK(holds(compile_error(folder, attack, {}), "AX26"));
    CHECK(read(folder, "#include <stdint.h>\n" + kSignature + " { return a * b; }") ==
          Lut::exact(OperandType::u8u8));
  }
  CHECK_THROWS_WITH_AS(compile_error(folder, attack, {.landlock = false, .scan = true}),
                       doctest::Contains("clang"), UnavailableError);
  ::setenv("PATH", path.c_str(), 1);
}

TEST_CASE("a model includes files of its folder and of the system, and no others") {
  const test::ScratchDir folder, elsewhere;
  std::filesystem::create_directories(folder / "parts/.hidden");
  test::write_text(elsewhere / "secret.h", "int secret;\n");
  test::write_text(folder / "parts/.hidden/secret.h", "int secret;\n");
  test::write_text(folder / "parts/one.h", "#include \"two.h\"\n");
  test::write_text(folder / "parts/two.h", "#define TWICE(x) (2 * (x))\n");
  std::filesystem::create_symlink(elsewhere / "secret.h", folder / "link.h");
  const std::string model = "\nint mul8u_x(int a, int b) { return a * b; }\n";
  CHECK(read(folder, "#include <stdint.h>\n # include \"parts/one.h\"\n" + kSignature +
                         " { return TWICE(a * b) / 2; }") == Lut::exact(OperandType::u8u8));
  for (const std::string& name :
       {(elsewhere / "secret.h").string(), std::string("parts/.hidden/secret.h"),
        std::string("link.h"), std::string("/etc/passwd")}) {
    CAPTURE(name);
    const std::string text = "#include \"" + name + "\"" + model;
    CHECK(holds(compile_error(folder, text, {.landlock = false, .scan = true}),
                name == "/etc/passwd" ? "AX26" : "AX265"));
    if (!detail::landlock_available()) continue;
    const std::string error = compile_error(folder, text, {.landlock = true, .scan = false});
    CHECK_MESSAGE(holds(error, "Permission denied"), error);
  }
}

TEST_CASE("a model may forge its own table, and only that") {
  const test::ScratchDir folder;
  const std::string error = error_of(folder, "write(3, \"rubbish\", 7); exit(0);");
  CHECK(holds(error, "AX263"));
}

TEST_CASE("yosys reads no file outside the folder of its own") {
  if (!yosys_available()) AXMUL_SKIP("needs yosys");
  if (!detail::landlock_available()) AXMUL_SKIP("needs Landlock");
  const test::ScratchDir folder, elsewhere;
  test::write_text(elsewhere / "secret.vh", "assign p = a * b;\n");
  NetlistOptions options;
  options.synthesize = true;
  const auto read_including = [&](const std::string& file) {
    test::write_text(folder / "mul8u_x.v",
                     "module mul8u_x(input [7:0] a, input [7:0] b, output [15:0] p);\n`include \"" +
                         file + "\"\nendmodule\n");
    return read_design_circuit((folder / "mul8u_x.v").string(), options).lut;
  };
  std::filesystem::copy(elsewhere / "secret.vh", folder / "beside.vh");
  CHECK(read_including((folder / "beside.vh").string()) == Lut::exact(OperandType::u8u8));
  CHECK_THROWS_WITH_AS(read_including((elsewhere / "secret.vh").string()),
                       doctest::Contains("AX281"), InputError);
}
