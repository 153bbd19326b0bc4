// OpenBLAS and oneDNN, loaded when a benchmark wants them, so that nothing depends on them.
#include <dlfcn.h>
#include <omp.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "kernels/bench/yardsticks.hpp"

namespace axmul::detail {

namespace {

/// A variable of the environment that is set for a while, where nobody has set it.
class BorrowedVariable {
 public:
  BorrowedVariable(const char* name, const std::string& value) : name_(name) {
    if (std::getenv(name) != nullptr) return;
    ::setenv(name, value.c_str(), 1);
    borrowed_ = true;
  }
  ~BorrowedVariable() {
    if (borrowed_) ::unsetenv(name_);
  }
  BorrowedVariable(const BorrowedVariable&) = delete;
  BorrowedVariable& operator=(const BorrowedVariable&) = delete;

 private:
  const char* name_;
  bool borrowed_ = false;
};

constexpr const char* kOpenBlas = "libopenblas.so.0";
constexpr const char* kCoreType = "OPENBLAS_CORETYPE";

using CoreName = const char* (*)();

/// In a process of its own, which it ends: tells the core that OpenBLAS takes when none is forced.
/// A copy that the parent loaded before has chosen already and is asked to choose again.
[[noreturn]] void tell_own_core(int pipe) {
  ::alarm(5);
  ::unsetenv(kCoreType);
  void* loaded = ::dlopen(kOpenBlas, RTLD_NOW | RTLD_NOLOAD);
  void* library = ::dlopen(kOpenBlas, RTLD_NOW | RTLD_LOCAL);
  const char* name = "";
  if (library != nullptr) {
    const auto function = [&](const char* symbol) {
      return reinterpret_cast<void (*)()>(::dlsym(library, symbol));
    };
    const auto quit = function("gotoblas_dynamic_quit"), init = function("gotoblas_dynamic_init");
    const auto core = reinterpret_cast<CoreName>(function("openblas_get_corename"));
    const bool can_choose = quit != nullptr && init != nullptr;
    if (loaded != nullptr && can_choose) {
      quit();
      init();
    }
    if (core != nullptr && (loaded == nullptr || can_choose)) name = core();
  }
  const std::string text = name;
  const bool done = ::write(pipe, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  ::_exit(done ? 0 : 1);
}

/// The core that OpenBLAS would take by itself; empty where that cannot be told.
std::string own_core() {
  int ends[2];
  if (::pipe(ends) != 0) return "";
  const pid_t child = ::fork();
  if (child == 0) tell_own_core(ends[1]);
  ::close(ends[1]);
  std::string name;
  if (child > 0) {
    char buffer[64];
    pollfd readable{ends[0], POLLIN, 0};
    if (::poll(&readable, 1, 6000) == 1) {
      const ssize_t count = ::read(ends[0], buffer, sizeof buffer);
      if (count > 0) name.assign(buffer, static_cast<std::size_t>(count));
    } else {
      ::kill(child, SIGKILL);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
  }
  ::close(ends[0]);
  return name;
}

void load_sgemm(ExactLibraries& out, int threads) {
  // OpenBLAS reads these as it loads; idle workers that spin would disturb all other contestants.
  if (const char* forced = std::getenv(kCoreType); forced != nullptr && *forced != 0)
    out.blas_own_core = own_core();
  const BorrowedVariable count("OPENBLAS_NUM_THREADS", std::to_string(threads));
  const BorrowedVariable timeout("OPENBLAS_THREAD_TIMEOUT", "4");
  void* library = ::dlopen(kOpenBlas, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return;
  // CBLAS: order 101 = row major, 111 = not transposed.
  using Sgemm = void (*)(int, int, int, int, int, int, float, const float*, int, const float*, int,
                         float, float*, int);
  const auto sgemm = reinterpret_cast<Sgemm>(::dlsym(library, "cblas_sgemm"));
  const auto set_threads =
      reinterpret_cast<void (*)(int)>(::dlsym(library, "openblas_set_num_threads"));
  const auto core = reinterpret_cast<CoreName>(::dlsym(library, "openblas_get_corename"));
  if (sgemm == nullptr || set_threads == nullptr) return;
  set_threads(threads);
  if (core != nullptr) out.blas_core = core();
  if (out.blas_own_core == out.blas_core) out.blas_own_core.clear();
  out.sgemm_name = "OpenBLAS sgemm" + (core == nullptr ? "" : " (" + out.blas_core + ")");
  out.sgemm = [sgemm](const GemmShape& s, const float* a, const float* b, float* c) {
    const int n = static_cast<int>(s.n), k = static_cast<int>(s.k), m = static_cast<int>(s.m);
    sgemm(101, 111, 111, n, m, k, 1.0f, a, k, b, m, 0.0f, c, m);
  };
}

void load_int8(ExactLibraries& out, int threads) {
  for (const char* name : {"libdnnl.so.3", "libdnnl.so.2"}) {
    void* library = ::dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) continue;
    // dnnl_gemm_u8s8s32(transa, transb, offsetc, M, N, K, alpha, A, lda, ao, B, ldb, bo, beta, C,
    // ldc, co), row major.
    using Gemm =
        int (*)(char, char, char, std::int64_t, std::int64_t, std::int64_t, float,
                const std::uint8_t*, std::int64_t, std::uint8_t, const std::int8_t*, std::int64_t,
                std::int8_t, float, std::int32_t*, std::int64_t, const std::int32_t*);
    const auto gemm = reinterpret_cast<Gemm>(::dlsym(library, "dnnl_gemm_u8s8s32"));
    if (gemm == nullptr) continue;
    out.int8_name = std::string("oneDNN gemm_u8s8s32 (") + name + ")";
    out.int8 = [gemm, threads](const GemmShape& s, const std::uint8_t* a, const std::int8_t* b,
                               std::int32_t* c) {
      const auto n = static_cast<std::int64_t>(s.n), k = static_cast<std::int64_t>(s.k),
                 m = static_cast<std::int64_t>(s.m);
      const std::int32_t offset = 0;
      const int before = omp_get_max_threads();
      omp_set_num_threads(threads);
      gemm('N', 'N', 'F', n, m, k, 1.0f, a, k, 0, b, m, 0, 0.0f, c, m, &offset);
      omp_set_num_threads(before);
    };
    return;
  }
}

}  // namespace

std::vector<std::string> steering_variables() {
  std::vector<std::string> set;
  for (const char* name :
       {"AXMUL_KERNEL", "DNNL_MAX_CPU_ISA", "GOTO_NUM_THREADS", "OMP_NUM_THREADS", "OMP_PLACES",
        "OMP_PROC_BIND", "OMP_WAIT_POLICY", "ONEDNN_MAX_CPU_ISA", "OPENBLAS_BLOCK_FACTOR",
        "OPENBLAS_CORETYPE", "OPENBLAS_DEFAULT_NUM_THREADS", "OPENBLAS_L2_SIZE",
        "OPENBLAS_MAIN_FREE", "OPENBLAS_NUM_THREADS", "OPENBLAS_THREAD_TIMEOUT"})
    if (const char* value = std::getenv(name)) set.push_back(std::string(name) + "=" + value);
  return set;
}

ExactLibraries load_exact_libraries(int threads) {
  ExactLibraries out;
  load_sgemm(out, threads);
  load_int8(out, threads);
  return out;
}

}  // namespace axmul::detail
