// The runner's source, its walls, and what it writes.
#include "netlist/c_runner.hpp"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "axmul/core/errors.hpp"
#include "netlist/c_compile.hpp"
#include "netlist/source.hpp"

namespace axmul::detail {

namespace {

constexpr std::uint64_t kMagic = 0x41584D554C544142u;  // frames the runner's output

constexpr const char* kNoWalls =
    "C models run only where the kernel can keep them from files, processes and network: Linux on "
    "x86-64 or 64-bit ARM, with seccomp";

std::string c_string(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + "\"";
}

// System calls without a C library, since most models need none.
constexpr const char* kSystemCall = R"(
#ifdef __x86_64__
#define AXMUL_WRITE 1
#define AXMUL_EXIT 231
#define AXMUL_ENTRY __attribute__((used, force_align_arg_pointer))
static long axmul_call(long number, long x, long y, long z) {
  long result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(x), "S"(y), "d"(z)
                   : "rcx", "r11", "memory");
  return result;
}
#else
#define AXMUL_WRITE 64
#define AXMUL_EXIT 94
#define AXMUL_ENTRY __attribute__((used))
static long axmul_call(long number, long x, long y, long z) {
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = x;
  register long x1 __asm__("x1") = y;
  register long x2 __asm__("x2") = z;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
  return x0;
}
#endif
)";

std::string call_text(const CFunction& function, const std::string& first,
                      const std::string& second) {
  if (function.call.empty()) return function.name + "(" + first + ", " + second + ")";
  std::string text;
  for (const char c : function.call)
    text += c == '\1' ? first : c == '\2' ? second : std::string(1, c);
  return text;
}

// The runner: includes the model, calls it for all operand pairs, the first parameter slow, writes
// the results to descriptor 3 in one frame.
std::string runner_source(const std::string& path, const CFunction& function, bool first_signed,
                          bool second_signed) {
  const auto argument = [&](std::size_t position) {
    const bool is_signed = position == 0 ? first_signed : second_signed;
    // Unsigned parameters of signed circuits take the operand's bit pattern.
    const bool as_value = is_signed && function.parameters[position].type[0] == 'i';
    return std::string(as_value ? "(signed char)" : "(unsigned char)") +
           (position == 0 ? "axmul_x" : "axmul_y");
  };
  const auto loop = [](const std::string& name, bool is_signed) {
    return "for (int " + name + " = " + (is_signed ? "-128" : "0") + "; " + name +
           " <= " + (is_signed ? "127" : "255") + "; ++" + name + ")\n";
  };
  return "#define main axmul_model_main\n#include " + c_string(path) + "\n#undef main\n" +
         kSystemCall +
         "static unsigned long long axmul_out[65538];\n"
         "static int axmul_run(void) {\n"
         "  unsigned long n = 0, k = 1;\n"
         "  axmul_out[0] = axmul_out[65537] = " +
         std::to_string(kMagic) + "ull;\n  " + loop("axmul_x", first_signed) + "    " +
         loop("axmul_y", second_signed) + "      axmul_out[k++] = (unsigned long long)(long long)" +
         call_text(function, argument(0), argument(1)) +
         ";\n"
         "  while (n < sizeof axmul_out) {\n"
         "    long done = axmul_call(AXMUL_WRITE, 3, (long)axmul_out + n, sizeof axmul_out - n);\n"
         "    if (done <= 0) return 9;\n"
         "    n += (unsigned long)done;\n"
         "  }\n"
         "  return 0;\n"
         "}\n"
         "int main(void) { return axmul_run(); }\n"
         "#ifdef __cplusplus\nextern \"C\"\n#endif\n"
         "AXMUL_ENTRY void " +
         std::string(kFreestandingEntry) +
         "(void) { for (;;) axmul_call(AXMUL_EXIT, axmul_run(), 0, 0); }\n";
}

std::string run_limited(const std::string& path, const std::string& runner,
                        const NetlistOptions& options) {
  ProcessOptions limits;
  limits.timeout_s = options.native_timeout_s;
  limits.output_fd = 3;
  limits.join_stderr = false;
  limits.may_fork = false;
  limits.max_memory = std::size_t{1} << 30;
  limits.max_file = 0;
  limits.max_output = 65538 * 8;
  limits.environment.emplace();
  limits.compute_only = true;
  const FileRules rules({{runner}, {}});
  limits.files = &rules;
  const ProcessResult result = run_process({runner}, limits);
  if (!result.started) throw UnavailableError(262, "cannot run " + runner);
  if (result.unconfined) throw UnavailableError(262, kNoWalls);
  if (result.timed_out || result.signal == SIGXCPU)
    fail(263, path, 0,
         "the model ran longer than " +
             std::to_string(static_cast<long>(options.native_timeout_s)) +
             " s for all its 65536 products; --native-timeout allows more");
  if (result.signal == SIGSYS)
    fail(263, path, 0,
         "the model was ended: it made a system call, and models may only compute (no files, "
         "processes, signals or network)");
  if (result.signal != 0)
    fail(263, path, 0,
         "the model crashed (signal " + std::to_string(result.signal) + ", " +
             strsignal(result.signal) + ")");
  if (result.overflowed || result.exit_code != 0 || result.output.size() != 65538 * 8)
    fail(263, path, 0,
         "the model did not return 65536 products (exit code " + std::to_string(result.exit_code) +
             ", " + std::to_string(result.output.size()) + " bytes)");
  return result.output;
}

}  // namespace

Words run_c_model(const std::string& path, const CFunction& function, bool first_signed,
                  bool second_signed, const NetlistOptions& options) {
  if (!options.allow_native_code)
    throw UsageError(260, path +
                              ": a C model is compiled and run on this machine only with "
                              "--allow-native-code");
  if (!seccomp_available()) throw UnavailableError(262, kNoWalls);
  const TemporaryFolder folder;
  const std::string source = folder.file(is_cplusplus(path) ? "runner.cpp" : "runner.c");
  {
    std::ofstream file(source, std::ios::binary);
    file << runner_source(std::filesystem::absolute(path).string(), function, first_signed,
                          second_signed);
    if (!file) throw UnavailableError(262, "cannot write " + source);
  }
  const std::string output =
      run_limited(path, compile_c_model(path, source, folder, options), options);
  const auto word = [&](std::size_t i) {
    std::uint64_t value;
    std::memcpy(&value, output.data() + 8 * i, 8);
    return value;
  };
  if (word(0) != kMagic || word(65537) != kMagic)
    fail(263, path, 0, "what the model's runner wrote is no table; does the model write to files?");
  Words words;
  words.wrap_bits = function.return_type[0] == 'u' ? 16 : 0;
  words.words.reserve(kLutSize);
  for (std::size_t i = 0; i < kLutSize; ++i) {
    const auto value = static_cast<std::int64_t>(word(i + 1));
    // Past the limit of products only the low bits of an unsigned result can mean anything.
    words.words.push_back(
        value >= kProductLimit
            ? kProductLimit | static_cast<std::int32_t>(value & 0xFFFF)
            : static_cast<std::int32_t>(std::max<std::int64_t>(value, -kProductLimit)));
  }
  return words;
}

}  // namespace axmul::detail
