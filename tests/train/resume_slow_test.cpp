// kill -9 at random moments, then --resume: the weights are those of an undisturbed run.
#include <chrono>

#include "axmul/core/philox.hpp"
#include "train/run_support.hpp"

using namespace axmul;
using test::run_process;

namespace {

// Finished steps inside the epoch that the checkpoint says; −1 without a checkpoint.
int step_of(const std::string& checkpoint) {
  if (!std::filesystem::exists(checkpoint)) return -1;
  return static_cast<int>(read_state_dict(checkpoint).tensors.at("run.counters").doubles().at(1));
}

bool same_tensors(const std::string& x, const std::string& y) {
  const StateDict a = read_state_dict(x), b = read_state_dict(y);
  if (a.tensors.size() != b.tensors.size()) return false;
  for (const auto& [name, tensor] : a.tensors)
    if (tensor.bytes != b.tensors.at(name).bytes) return false;
  return true;
}

}  // namespace

TEST_CASE("ten killed runs continue to the same weights") {
  const auto program = test::binary_dir() / "bin" / "axmul-train";
  if (!std::filesystem::exists(program)) AXMUL_SKIP("needs the executable axmul-train");
  const test::ScratchDir folder;
  std::string records;
  Philox random(17);
  for (int i = 0; i < 600; ++i) {
    records.push_back(static_cast<char>(random.next_below(10)));
    for (int j = 0; j < 3072; ++j) records.push_back(static_cast<char>(random.next_below(256)));
  }
  test::write_text(folder / "train.bin", records);
  const std::string base = program.string() +
                           " baseline resnet8 --data cifar10:" + folder.path().string() +
                           " --epochs 4 --lr 0.05 --batch 25 --threads 2" +
                           " --seed 5 --checkpoint-steps 2 --quiet >/dev/null 2>&1 --out ";
  const std::string reference = (folder / "reference").string();
  const auto start = std::chrono::steady_clock::now();
  REQUIRE(run_process(base + reference) == 0);
  const double whole =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  int kills = 0, inside = 0, finished = 0;
  while (kills < 10 || inside < 5) {
    const std::string out = (folder / ("run" + std::to_string(finished))).string();
    const double delay = whole * (0.15 + 0.5 * random.next_double());
    const int code =
        run_process("timeout -s KILL " + std::to_string(delay) + " " + base + out + " --resume");
    if (code == 0) {
      CHECK(same_tensors(reference + "/weights.h5", out + "/weights.h5"));
      ++finished;
      continue;
    }
    REQUIRE(code == 137);
    ++kills;
    inside += step_of(out + "/checkpoint.safetensors") > 0;
    REQUIRE(kills < 100);
  }
  const std::string last = (folder / ("run" + std::to_string(finished))).string();
  REQUIRE(run_process(base + last + " --resume") == 0);
  CHECK(same_tensors(reference + "/weights.h5", last + "/weights.h5"));
  MESSAGE(kills << " kills, " << inside << " inside an epoch, whole run " << whole << " s");
}
