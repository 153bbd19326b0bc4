// A small problem for `axmul train run` as a command: images whose bright quarter tells the class,
// three multipliers with costs. Include it last, as train_support.hpp.
#pragma once

#include <sys/wait.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <sstream>

#include "axmul/core/philox.hpp"
#include "cli_train/commands.hpp"
#include "train/train_support.hpp"

namespace axmul::test {

/// What a shell makes of it: its exit code, 128 and the signal's number where one ended it.
inline int run_process(const std::string& command) {
  const int status = std::system(command.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// A command of axmul-train in this process, which has libtorch already: its exit code. Words are
/// separated by spaces; ">FILE" and "2>FILE", or "2>&1", take what it writes to its streams.
inline int run(const std::string& command) {
  std::istringstream text(command);
  std::vector<std::string> words;
  std::string out, err;
  std::string word;
  text >> word;  // the program
  while (text >> word)
    if (word.starts_with("2>"))
      err = word.substr(2);
    else if (word.starts_with('>'))
      out = word.substr(1);
    else
      words.push_back(word);
  std::istringstream in;
  std::ostringstream written, said;
  cli::Io io{in, written, err == "&1" ? written : said, false, false};
  const int code = cli::run_program(train::train_program(), words, io);
  const auto keep = [](const std::string& path, const std::ostringstream& stream) {
    if (!path.empty() && path != "&1" && path != "/dev/null") write_text(path, stream.str());
  };
  keep(out, written);
  keep(err, said);
  return code;
}

inline std::string big_endian(std::uint32_t v) {
  return {static_cast<char>(v >> 24), static_cast<char>(v >> 16), static_cast<char>(v >> 8),
          static_cast<char>(v)};
}

// IDX files of images whose bright quarter tells the class.
inline void write_part(const std::filesystem::path& folder, const std::string& part,
                       std::uint32_t count, std::uint64_t seed) {
  Philox random(seed);
  std::string images = big_endian(0x803) + big_endian(count) + big_endian(28) + big_endian(28);
  std::string labels = big_endian(0x801) + big_endian(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto label = static_cast<int>(random.next_below(4));
    labels.push_back(static_cast<char>(label));
    for (int y = 0; y < 28; ++y)
      for (int x = 0; x < 28; ++x) {
        const bool bright = (y >= 14) == (label >= 2) && (x >= 14) == (label % 2 == 1);
        images.push_back(static_cast<char>(random.next_below(200) + (bright ? 50 : 0)));
      }
  }
  write_text(folder / (part + "-images-idx3-ubyte"), images);
  write_text(folder / (part + "-labels-idx1-ubyte"), labels);
}

inline void write_table(const std::filesystem::path& path, int (*f)(int, int)) {
  std::string bytes;
  for (int a = 0; a < 256; ++a)
    for (int b = 0; b < 256; ++b) {
      const int p = f(a, b);
      bytes += {static_cast<char>(p & 255), static_cast<char>(p >> 8)};
    }
  write_text(path, bytes);
}

struct Bench {
  ScratchDir folder;
  std::string program = (binary_dir() / "bin" / "axmul-train").string();

  Bench() {
    write_part(folder.path(), "train", 400, 1);
    write_part(folder.path(), "t10k", 300, 2);
    std::filesystem::create_directory(folder / "library");
    write_table(folder / "library" / "mul8u_fine.bin", [](int a, int b) { return a * b & ~15; });
    write_table(folder / "library" / "mul8u_coarse.bin", [](int a, int b) { return a * b & ~511; });
    write_table(folder / "library" / "mul8u_zero.bin", [](int, int) { return 0; });
    write_text(folder / "costs.csv",
               "name,PDK45_PWR_mW\nmul8u_fine,0.2\nmul8u_coarse,0.1\nmul8u_zero,0\n");
  }
  bool ready() const { return std::filesystem::exists(program); }
  std::string path(const std::string& name) const { return (folder / name).string(); }
  std::string command(const std::string& out, const std::string& more) const {
    return program + " run lenet5 --threads 2 --quiet --data mnist:" + folder.path().string() +
           " --schedule short --baseline-epochs 12 --baseline-lr 0.005 --quantize-epochs 1 "
           "--search-epochs 2"
           " --retrain-epochs 1 --batch 20 --calibrate 100 --fold-images 40 --trace-images 40"
           " --library " +
           path("library") + " --costs " + path("costs.csv") + " --out " + path(out) + " " + more +
           " >" + path("stdout") + " 2>" + path("stderr");
  }
  nlohmann::json record(const std::string& out) const {
    return nlohmann::json::parse(read_text(folder / out / "run.json"));
  }
};

// Wall clock differs between runs.
inline nlohmann::json without_seconds(nlohmann::json points) {
  for (nlohmann::json& point : points)
    for (const char* epochs : {"search_epochs", "retrain_epochs"})
      for (nlohmann::json& epoch : point[epochs]) epoch.erase("seconds");
  return points;
}

}  // namespace axmul::test
