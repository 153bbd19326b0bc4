// A mutation fuzzer for readers: seeds in, mutants at the target, typed errors or success out.
//
// Plain g++ has no libFuzzer, so this is a loop: run i of seed s is a pure function of (s, i),
// hence every finding can be replayed. Build with -DAXMUL_SANITIZE=address,undefined to let it find
// more than wrong exceptions. Environment: AXMUL_FUZZ_SECONDS (time per target), AXMUL_FUZZ_SEED,
// AXMUL_FUZZ_RUN (replay that run only). The input of a finding is saved and its path printed.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "axmul/core/errors.hpp"
#include "axmul/core/philox.hpp"

extern "C" void __sanitizer_set_death_callback(void (*)()) __attribute__((weak));

namespace axmul::test {

struct FuzzOptions {
  double seconds = 2;                 ///< time for this target, unless the environment says else
  std::size_t least_mutants = 20;     ///< however long they take: a loaded machine tests too
  std::uint64_t seed = 1;             ///< of the mutations
  std::size_t max_input = 4u << 20;   ///< bytes of a mutant at most
  unsigned max_case_seconds = 20;     ///< a single input that takes longer is a finding
  std::size_t max_growth_mib = 2048;  ///< as is growth of the peak memory beyond this
  std::vector<std::string> dictionary{};  ///< tokens of the format, inserted now and then
};

struct FuzzReport {
  std::size_t runs = 0;      ///< mutants tried
  std::size_t accepted = 0;  ///< read without error
  std::size_t refused = 0;   ///< ended in an axmul::Error
};

namespace fuzz_detail {

inline const std::string* g_input = nullptr;  // what the target is working on
inline char g_path[256];                      // where a finding is saved

inline void save_input() {
  if (g_input == nullptr) return;
  const int fd = ::open(g_path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (fd < 0) return;
  if (::write(fd, g_input->data(), g_input->size()) < 0) return;
  ::close(fd);
  constexpr char kText[] = "\nfuzzing: the input is saved as ";
  if (::write(2, kText, sizeof kText - 1) < 0 || ::write(2, g_path, std::strlen(g_path)) < 0 ||
      ::write(2, "\n", 1) < 0)
    return;
}

inline void on_signal(int signal) {
  save_input();
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

inline std::size_t below(Philox& random, std::size_t n) {
  return n == 0 ? 0 : static_cast<std::size_t>(random.next_below(n));
}

/// A place in the text; half of the time near its start, where headers are.
inline std::size_t place(Philox& random, const std::string& text) {
  const std::size_t end =
      random.next_u32() % 2 == 0 ? std::min<std::size_t>(text.size(), 256) : text.size();
  return below(random, end + 1);
}

inline std::size_t length(Philox& random, std::size_t limit) {
  static constexpr std::size_t kTypical[] = {1, 2, 4, 8, 16, 64, 1024, 65536, 1u << 20};
  return std::min(limit, below(random, kTypical[below(random, std::size(kTypical))]) + 1);
}

inline std::string interesting_number(Philox& random) {
  static constexpr const char* kNumbers[] = {"0",
                                             "-1",
                                             "1",
                                             "127",
                                             "128",
                                             "-128",
                                             "-129",
                                             "255",
                                             "256",
                                             "32767",
                                             "32768",
                                             "65535",
                                             "65536",
                                             "-32769",
                                             "16777216",
                                             "2147483647",
                                             "-2147483648",
                                             "4294967296",
                                             "9223372036854775807",
                                             "18446744073709551616",
                                             "99999999999999999999999999",
                                             "nan",
                                             "inf",
                                             "-inf",
                                             "1e308",
                                             "1e-400",
                                             "0x7f",
                                             "1e5",
                                             "0.5",
                                             "",
                                             "-",
                                             "+",
                                             ".",
                                             "1.5.2"};
  return kNumbers[below(random, std::size(kNumbers))];
}

inline void mutate_bytes(Philox& random, std::string& text) {
  const std::size_t at = std::min(place(random, text), text.empty() ? 0 : text.size() - 1);
  if (text.empty()) return;
  switch (random.next_u32() % 4) {
    case 0:
      text[at] = static_cast<char>(text[at] ^ (1 << random.next_u32() % 8));
      break;
    case 1:
      text[at] = static_cast<char>(random.next_u32());
      break;
    case 2: {
      static constexpr std::uint64_t kWords[] = {
          0,          1,          0x7f,       0x80,     0xff,  0x7fff,     0x8000,          0xffff,
          0x7fffffff, 0x80000000, 0xffffffff, 1u << 24, ~0ull, 1ull << 63, (1ull << 63) - 1};
      const std::uint64_t word = kWords[below(random, std::size(kWords))];
      const std::size_t size = std::size_t{1} << random.next_u32() % 4;
      const bool big = random.next_u32() % 2 == 0;
      for (std::size_t i = 0; i < size && at + i < text.size(); ++i)
        text[at + i] = static_cast<char>(word >> 8 * (big ? size - 1 - i : i));
      break;
    }
    default: {
      constexpr std::string_view kMarks("\0\n\r\t ,;:#/*{}[]()'\"\\@-+.xz0169afAF_=<>|\xff\x80",
                                        41);
      text[at] = kMarks[below(random, kMarks.size())];
    }
  }
}

inline void mutate_structure(Philox& random, std::string& text,
                             const std::vector<std::string>& corpus,
                             const std::vector<std::string>& dictionary) {
  const std::size_t at = place(random, text);
  switch (random.next_u32() % 10) {
    case 0:  // truncate
      text.resize(below(random, text.size() + 1));
      break;
    case 1:  // delete
      text.erase(at, length(random, text.size() - at));
      break;
    case 2:  // insert rubbish
      for (std::size_t n = length(random, 64); n > 0; --n)
        text.insert(text.begin() + static_cast<std::ptrdiff_t>(at),
                    static_cast<char>(random.next_u32()));
      break;
    case 3:  // repeat a piece
      text.insert(at, text.substr(at, length(random, 65536)));
      break;
    case 4: {  // splice another seed
      const std::string& other = corpus[below(random, corpus.size())];
      text = text.substr(0, at) + other.substr(std::min(place(random, other), other.size()));
      break;
    }
    case 5: {  // copy a piece of another seed
      const std::string& other = corpus[below(random, corpus.size())];
      const std::size_t from = std::min(place(random, other), other.size());
      text.insert(at, other.substr(from, length(random, other.size() - from + 1)));
      break;
    }
    case 6: {  // another number
      const std::size_t start = text.find_first_of("0123456789", at);
      if (start == std::string::npos) break;
      const std::size_t end = text.find_first_not_of("0123456789.", start);
      text.replace(start, end == std::string::npos ? end : end - start, interesting_number(random));
      break;
    }
    case 7: {  // drop or double a line
      const std::size_t start = text.find('\n', at);
      if (start == std::string::npos) break;
      const std::size_t end = std::min(text.find('\n', start + 1), text.size());
      if (random.next_u32() % 2 == 0)
        text.erase(start, end - start);
      else
        text.insert(end, text.substr(start, end - start));
      break;
    }
    default:
      if (!dictionary.empty()) text.insert(at, dictionary[below(random, dictionary.size())]);
  }
}

inline double seconds_wanted(double fallback) {
  const char* text = std::getenv("AXMUL_FUZZ_SECONDS");
  return text != nullptr && *text != '\0' ? std::atof(text) : fallback;
}

inline std::uint64_t from_environment(const char* name, std::uint64_t fallback) {
  const char* text = std::getenv(name);
  return text != nullptr && *text != '\0' ? std::strtoull(text, nullptr, 10) : fallback;
}

inline std::size_t peak_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::size_t>(usage.ru_maxrss) / 1024;
}

}  // namespace fuzz_detail

/// The mutant of run number `run`: one seed of the corpus, changed one to eight times.
inline std::string fuzz_input(const std::vector<std::string>& corpus, std::uint64_t run,
                              const FuzzOptions& options) {
  Philox random(options.seed, run);
  std::string text = corpus[fuzz_detail::below(random, corpus.size())];
  const std::size_t changes = std::size_t{1} << random.next_u32() % 4;
  for (std::size_t i = 0; i < changes; ++i) {
    if (random.next_u32() % 2 == 0)
      fuzz_detail::mutate_bytes(random, text);
    else
      fuzz_detail::mutate_structure(random, text, corpus, options.dictionary);
    if (text.size() > options.max_input) text.resize(options.max_input);
  }
  return text;
}

/// Throws mutants of the corpus at target until the time is over. The target returns or throws an
/// axmul::Error that is not an InternalError; anything else (another exception, a crash, a
/// sanitizer's report, a run that takes too long, memory that grows) fails the test and saves the
/// input beside the binary as fuzz-NAME.bin. The seeds themselves are run first.
inline FuzzReport fuzz(const std::string& name, const std::vector<std::string>& corpus,
                       const std::function<void(const std::string&)>& target,
                       FuzzOptions options = {}) {
  using Clock = std::chrono::steady_clock;
  namespace detail = fuzz_detail;
  REQUIRE(!corpus.empty());
  options.seed = detail::from_environment("AXMUL_FUZZ_SEED", options.seed);
  const std::uint64_t only = detail::from_environment("AXMUL_FUZZ_RUN", ~std::uint64_t{0});
  const double seconds = detail::seconds_wanted(options.seconds);
  const std::string path = "fuzz-" + name + ".bin";
  path.copy(detail::g_path, sizeof detail::g_path - 1);
  detail::g_path[std::min(path.size(), sizeof detail::g_path - 1)] = '\0';
  if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(detail::save_input);
  std::signal(SIGABRT, detail::on_signal);
  std::signal(SIGALRM, detail::on_signal);

  FuzzReport report;
  std::string finding;
  const std::size_t memory_before = detail::peak_mib();
  const auto start = Clock::now();
  std::uint64_t run = only != ~std::uint64_t{0} ? only : 0;
  for (std::size_t seed_input = 0; finding.empty(); ++seed_input) {
    const bool is_seed = seed_input < corpus.size() && only == ~std::uint64_t{0};
    if (!is_seed && run >= options.least_mutants &&
        std::chrono::duration<double>(Clock::now() - start).count() >= seconds)
      break;
    if (!is_seed && only != ~std::uint64_t{0} && report.runs == 1) break;
    const std::string input = is_seed ? corpus[seed_input] : fuzz_input(corpus, run, options);
    detail::g_input = &input;
    alarm(options.max_case_seconds);
    try {
      target(input);
      ++report.accepted;
    } catch (const InternalError& error) {
      finding = error.what();
    } catch (const Error&) {
      ++report.refused;
    } catch (const std::exception& error) {
      finding = std::string("an exception that is not an axmul::Error: ") + error.what();
    }
    if (detail::peak_mib() > memory_before + options.max_growth_mib) finding = "memory grows";
    if (!finding.empty()) detail::save_input();
    ++report.runs;
    if (finding.empty() && !is_seed) ++run;
    detail::g_input = nullptr;
  }
  alarm(0);
  std::signal(SIGABRT, SIG_DFL);
  std::signal(SIGALRM, SIG_DFL);
  CAPTURE(name);
  CAPTURE(options.seed);
  CAPTURE(run);
  CHECK_MESSAGE(finding.empty(), finding);
  MESSAGE(name << ": " << report.runs << " runs, " << report.accepted << " accepted, "
               << report.refused << " refused");
  return report;
}

}  // namespace axmul::test
