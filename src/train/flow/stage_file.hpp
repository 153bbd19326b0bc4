// Files that a run's stages leave and --resume goes on from: sealed when they are written, and
// believed only when the seal is whole.
#pragma once

#include <string>

#include "axmul/core/errors.hpp"
#include "axmul/train/state_dict.hpp"
#include "io/json.hpp"

namespace axmul::train {

/// What a stage's file belongs to. A file of another run, or of another stage of the same one, is
/// no better than a damaged one.
struct StageId {
  std::string run;    ///< SHA-256 of the run's settings
  std::string stage;  ///< the stage's folder in the run, "lambda-0.1/search"
};

enum class Seal : std::uint8_t { none, whole, broken };
/// Adds "checksum", the SHA-256 of all else in the object.
void add_checksum(Json& object);
/// Takes it off again and says what it was worth.
Seal take_checksum(Json& object);

/// The object as a file's text, with "run", "stage" and "checksum" (SHA-256 of all else) at its
/// end.
std::string seal(Json object, const StageId& id);
/// Reads such a file. Throws InputError AX946, naming the file, what is wrong and the next step,
/// unless it is whole and of that stage.
Json unseal(const std::string& path, const StageId& id);

/// The same for weights: the metadata carry run, stage and checksum.
void seal(StateDict& state, const StageId& id);
StateDict unseal_weights(const std::string& path, const StageId& id);

/// Throws the InputError AX946 of a stage's file.
[[noreturn]] void refuse_stage_file(const std::string& path, const std::string& why);

/// Calls body(), whose errors of JSON and of input are said to be of that file.
template <class Body>
auto reading_stage_file(const std::string& path, const Body& body) {
  try {
    return body();
  } catch (const Json::exception& error) {
    refuse_stage_file(path, error.what());
  } catch (const InputError& error) {
    if (error.id() == 946) throw;
    refuse_stage_file(path, error.what());
  }
}

}  // namespace axmul::train
