// Multipliers from libraries, with costs that compare.
#include "train/flow/candidates.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <filesystem>

#include "axmul/core/errors.hpp"
#include "axmul/core/version.hpp"
#include "axmul/model/matching.hpp"
#include "axmul/tables/library_build.hpp"
#include "axmul/tables/open_design.hpp"

namespace axmul::train {
namespace {

namespace fs = std::filesystem;

// Matching refuses costs of different origin; better before the training than after it. Multipliers
// of different operand types never meet in one match.
void check_costs(const std::vector<Multiplier>& library) {
  for (const OperandType type : {OperandType::u8u8, OperandType::s8s8, OperandType::u8s8}) {
    std::vector<Multiplier> same;
    for (const Multiplier& m : library)
      if (m.lut.type() == type) same.push_back(m);
    PredictionMatrix none;
    none.multipliers = same.size();
    match({}, same, none, {});
  }
}

// Where libaxmul lies, for programs that lie elsewhere; empty where that is not known.
fs::path library_folder() {
  Dl_info info{};
  const auto address = reinterpret_cast<const void*>(&source_text);
  if (dladdr(address, &info) == 0 || info.dli_fname == nullptr) return {};
  std::error_code error;
  return fs::canonical(info.dli_fname, error).parent_path();
}

}  // namespace

std::string shipped_library() {
  std::error_code error;
  const fs::path bin = fs::read_symlink("/proc/self/exe", error).parent_path();
  std::vector<fs::path> places = {bin / "../share/axmul/axmul-library.h5"};
  for (fs::path up = bin; up.has_relative_path(); up = up.parent_path())
    places.push_back(up / "luts/axmul-library.h5");
  for (fs::path up = library_folder(); up.has_relative_path(); up = up.parent_path()) {
    places.push_back(up / "share/axmul/axmul-library.h5");
    places.push_back(up / "luts/axmul-library.h5");
  }
  for (const fs::path& place : places)
    if (fs::exists(place, error)) return place.lexically_normal().string();
  throw InputError(975, "the shipped library is not found (" +
                            places.front().lexically_normal().string() +
                            "); name one with --library");
}

std::vector<Multiplier> load_candidates(const std::vector<std::string>& libraries,
                                        const std::vector<Multiplier>& more,
                                        const std::string* costs,
                                        const std::function<void(const std::string&)>& warn) {
  const DesignList list = find_designs(libraries);
  for (const std::string& warning : list.warnings) warn(warning);
  std::vector<Multiplier> library;
  for (const DesignRef& design : list.designs) {
    Multiplier multiplier = design.load();
    if (!multiplier.lut.is_8x8()) continue;  // networks compute in 8x8 bits
    library.push_back(std::move(multiplier));
    library.back().name = design.name;
    const std::string& doubt = library.back().provenance.warning;
    if (!doubt.empty()) warn(design.source + ": " + doubt);
  }
  library.insert(library.end(), more.begin(), more.end());
  if (costs != nullptr) {
    const CostJoin join = join_costs(read_costs(*costs), library);
    for (const std::string& note : join.notes) warn(*costs + ": " + note);
    if (!join.missing.empty())
      warn(std::to_string(join.missing.size()) + " rows of " + *costs +
           " belong to no multiplier of the library, " + join.missing.front() + " for one");
  }
  if (std::none_of(library.begin(), library.end(),
                   [](const Multiplier& m) { return m.cost.power_rel > 0; }))
    throw InputError(976,
                     "no multiplier of the library has a positive power_rel, so none can be "
                     "chosen; give costs with --costs FILE.csv");
  check_costs(library);
  return library;
}

}  // namespace axmul::train
