// Seals of stage files.
#include "train/flow/stage_file.hpp"

#include "axmul/core/sha256.hpp"
#include "axmul/io/read_file.hpp"

namespace axmul::train {
namespace {

// The order of the keys does not count, nor do spaces.
std::string checksum_of(const Json& object) {
  Sha256 sum;
  sum.update(std::string_view(nlohmann::json::parse(object.dump()).dump()));
  return sum.hex();
}

void check_id(const std::string& path, const std::string& run, const std::string& stage,
              const StageId& id) {
  if (run != id.run) refuse_stage_file(path, "belongs to a run with other settings");
  if (stage != id.stage) refuse_stage_file(path, "belongs to stage \"" + stage + "\"");
}

}  // namespace

void refuse_stage_file(const std::string& path, const std::string& why) {
  throw InputError(946, {path},
                   "cannot be gone on from: " + why +
                       ". Delete it, and --resume makes it anew; or start the run anew with "
                       "--force");
}

void add_checksum(Json& object) { object["checksum"] = checksum_of(object); }

Seal take_checksum(Json& object) {
  if (!object.is_object() || !object.contains("checksum")) return Seal::none;
  const Json claimed = object["checksum"];
  object.erase("checksum");
  return claimed == checksum_of(object) ? Seal::whole : Seal::broken;
}

std::string seal(Json object, const StageId& id) {
  object["run"] = id.run;
  object["stage"] = id.stage;
  add_checksum(object);
  return object.dump(1) + "\n";
}

Json unseal(const std::string& path, const StageId& id) {
  return reading_stage_file(path, [&] {
    Json object = parse_json(read_file(path));
    const Seal found = take_checksum(object);
    if (found == Seal::none) refuse_stage_file(path, "it carries no checksum");
    if (found == Seal::broken)
      refuse_stage_file(path, "its checksum is wrong, so it was changed or damaged");
    check_id(path, object.at("run").get<std::string>(), object.at("stage").get<std::string>(), id);
    return object;
  });
}

void seal(StateDict& state, const StageId& id) {
  state.metadata["run"] = id.run;
  state.metadata["stage"] = id.stage;
  state.metadata[kChecksum] = checksum_of(state);
}

StateDict unseal_weights(const std::string& path, const StageId& id) {
  return reading_stage_file(path, [&] {
    StateDict state = read_state_dict(path);
    if (!state.metadata.contains(kChecksum)) refuse_stage_file(path, "it carries no checksum");
    check_id(path, state.metadata["run"], state.metadata["stage"], id);
    return state;
  });
}

}  // namespace axmul::train
