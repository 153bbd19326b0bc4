// Reads an archive into parts, has them checked in a child process, and gives libtorch a new one.
#include "train/script/archive.hpp"

#include <fcntl.h>
#include <omp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <torch/csrc/jit/serialization/import.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "axmul/core/errors.hpp"
#include "axmul/core/parallel.hpp"
#include "train/script/check.hpp"
#include "train/script/module.hpp"
#include "train/torch_error.hpp"

namespace axmul::train {
namespace {

constexpr std::uint64_t kMostMetadata = std::uint64_t{16} << 20;
constexpr unsigned kSeconds = 300;  // of the clock, and of processor time
constexpr std::uint64_t kFreeMemory = std::uint64_t{1} << 30;
constexpr int kOutOfBounds = 1, kFine = 0;  // what the child ends with

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  throw InputError(982, {path}, why);
}

// --- parts ---------------------------------------------------------------------------------------

std::uint64_t read_version(const ZipFile& zip) {
  const auto bytes = zip.read(zip.has(".data/version") ? ".data/version" : "version", 16);
  std::uint64_t version = 0;
  for (const std::byte b : bytes) {
    const char c = static_cast<char>(b);
    if (c == '\n') break;
    if (c < '0' || c > '9') throw BadArchive("has no version number");
    version = version * 10 + static_cast<std::uint64_t>(c - '0');
  }
  if (version == 0 || version > 1000) throw BadArchive("has no version number that makes sense");
  return version;
}

// A dot in a qualifier ("__torch__.net") is a slash in the name of its record.
std::map<std::string, std::string> read_sources(TorchArchive& archive) {
  std::map<std::string, std::string> sources;
  for (const auto& [name, record] : archive.zip().records()) {
    if (!name.starts_with("code/__torch__") || !name.ends_with(".py")) continue;
    std::string qualifier = name.substr(5, name.size() - 5 - 3);
    if (qualifier.find('.') != qualifier.npos) continue;
    std::replace(qualifier.begin(), qualifier.end(), '/', '.');
    sources[qualifier] = archive.code(name);
  }
  return sources;
}

// The records that hold the elements of tensors.
std::set<std::string> tensor_records(const TorchArchive& archive, const Pickle& pickle,
                                     const std::string& folder) {
  std::set<std::string> records;
  for (std::size_t ref = 0; ref < pickle.values.size(); ++ref)
    if (const auto tensor = archive.tensor(pickle, static_cast<PickleRef>(ref), folder);
        tensor && !tensor->record.empty())
      records.insert(tensor->record);
  return records;
}

std::vector<std::byte> bytes_of(const std::string& text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

std::string write_clean(const TorchArchive& archive, const ScriptParts& parts) {
  ZipWriter writer;
  writer.add("version", bytes_of(std::to_string(parts.version) + "\n"));
  writer.add("data.pkl", write_pickle(parts.data));
  writer.add("constants.pkl", write_pickle(parts.constants));
  for (const auto& [qualifier, text] : parts.sources) {
    std::string name = qualifier;
    std::replace(name.begin(), name.end(), '.', '/');
    writer.add("code/" + name + ".py", bytes_of(text));
  }
  std::set<std::string> records = tensor_records(archive, parts.data, "data");
  records.merge(tensor_records(archive, parts.constants, "constants"));
  for (const std::string& record : records)
    writer.add(record, archive.zip().read(record, archive.zip().records().at(record).size));
  return writer.finish();
}

torch::jit::Module load_clean(const std::string& bytes) {
  std::istringstream stream(bytes);
  return torch::jit::load(stream, c10::Device(c10::kCPU));
}

// --- the child -----------------------------------------------------------------------------------

std::uint64_t address_space() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t pages = 0;
  statm >> pages;
  return pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

void limit_child(std::size_t archive_size) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (const int signal :
       {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGALRM, SIGXCPU, SIGINT, SIGTERM, SIGHUP})
    std::signal(signal, SIG_DFL);
  // The parent's threads are not here: a team of OpenMP that counts on them would wait for ever.
  omp_set_num_threads(1);
  alarm(kSeconds);
  const rlimit cpu{kSeconds, kSeconds}, no_core{0, 0}, no_file{0, 0};
  setrlimit(RLIMIT_CPU, &cpu);
  setrlimit(RLIMIT_CORE, &no_core);
  setrlimit(RLIMIT_FSIZE, &no_file);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  const rlim_t space = address_space() + kFreeMemory + 6 * archive_size;
  const rlimit memory{space, space};
  setrlimit(RLIMIT_AS, &memory);
#else
  (void)archive_size;
#endif
  rlimit stack{};  // what fits here fits the parent too
  if (getrlimit(RLIMIT_STACK, &stack) == 0 && stack.rlim_cur != RLIM_INFINITY) {
    stack.rlim_cur = stack.rlim_cur / 4 * 3;
    setrlimit(RLIMIT_STACK, &stack);
  }
}

[[noreturn]] void rehearse(const TorchArchive& archive, const ScriptParts& parts,
                           const std::string& clean, bool any_operator, int words) {
  limit_child(clean.size());
  const int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
  dup2(nothing, STDOUT_FILENO);
  dup2(nothing, STDERR_FILENO);
  std::string complaint;
  try {
    check_script(archive, parts, any_operator);
    load_clean(clean);
  } catch (const BadArchive& error) {
    complaint = error.what();
  } catch (const std::exception& error) {
    complaint = "cannot be loaded: " + torch_message(error);
  } catch (...) {
    complaint = "cannot be loaded";
  }
  complaint.resize(std::min<std::size_t>(complaint.size(), 2000));
  if (complaint.empty()) _exit(kFine);
  if (write(words, complaint.data(), complaint.size()) < 0) _exit(2);
  _exit(kOutOfBounds);
}

// Everything the child writes until it closes its end; an interrupt ends the child.
std::string listen(int pipe_end, pid_t child) {
  std::string text;
  char bytes[2048];
  for (;;) {
    if (interrupt_requested()) {
      kill(child, SIGKILL);
      return text;
    }
    pollfd waiting{pipe_end, POLLIN, 0};
    if (poll(&waiting, 1, 100) <= 0) continue;
    const ssize_t got = read(pipe_end, bytes, sizeof bytes);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    text.append(bytes, static_cast<std::size_t>(got));
  }
}

void rehearse_in_child(const std::string& path, const TorchArchive& archive,
                       const ScriptParts& parts, const std::string& clean, bool any_operator) {
  int words[2];
  if (pipe2(words, O_CLOEXEC) != 0)
    throw UnavailableError(924, path + ": cannot be tried out first: no pipe to be had");
  const pid_t child = fork();
  if (child == 0) rehearse(archive, parts, clean, any_operator, words[1]);
  close(words[1]);
  const std::string complaint = child > 0 ? listen(words[0], child) : std::string();
  close(words[0]);
  if (child < 0)
    throw UnavailableError(924, path + ": cannot be tried out first: no process can be started");
  int result = 0;
  while (waitpid(child, &result, 0) < 0 && errno == EINTR) {
  }
  poll_interrupt();
  if (!complaint.empty()) refuse(path, complaint);
  if (!WIFEXITED(result) || WEXITSTATUS(result) != kFine)
    refuse(path,
           "makes libtorch fail, or takes more than 5 minutes or 1 GiB to load (tried in a process "
           "of its own)");
}

}  // namespace

LoadedScript load_script(const std::string& path, bool any_operator) {
  if (!std::filesystem::is_regular_file(path)) refuse(path, "is no file");
  std::string clean;
  LoadedScript loaded;
  try {
    char start[2] = {};
    std::ifstream(path, std::ios::binary).read(start, 2);
    constexpr const char* kNone =
        "is no TorchScript archive; write one in Python with torch.jit.script(model).save(FILE)";
    if (start[0] != 'P' || start[1] != 'K') refuse(path, kNone);
    TorchArchive archive(path);
    if (!archive.is_script()) refuse(path, kNone);
    ScriptParts parts;
    parts.version = read_version(archive.zip());
    parts.sources = read_sources(archive);
    parts.constants = archive.pickle("constants");
    parts.data = archive.pickle("data");
    const std::string extra = std::string("extra/") + kMetadataFile;
    if (archive.zip().has(extra)) {
      const auto bytes = archive.zip().read(extra, kMostMetadata);
      loaded.metadata.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    }
    clean = write_clean(archive, parts);
    rehearse_in_child(path, archive, parts, clean, any_operator);
  } catch (const BadArchive& error) {
    refuse(path, error.what());
  }
  try {
    loaded.module = load_clean(clean);
  } catch (const std::exception& error) {
    throw_torch_error(982, {path}, "cannot be loaded: ", error);
  }
  return loaded;
}

}  // namespace axmul::train
