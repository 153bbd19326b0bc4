// The folder of a run: which run it holds, and whether this one may go on in it or replace it.
#pragma once

#include <string>

#include "axmul/train/run.hpp"
#include "train/flow/folder_lock.hpp"

namespace axmul::train {

/// "runs/<YYYY-MM-DD, UTC>-what"
std::string usual_folder(const std::string& what);

/// Everything that decides the results of a run, as the JSON of settings.json; folders and the
/// number of threads do not, nor do λ, further models and rules, and baselines, by which a run may
/// grow. The plan's schedules are set.
std::string settings_text(const RunPlan& plan, const Network& network);

/// Makes the folder, holds it as long as what it returns lives, empties it of the run it holds
/// (`force`), and writes settings.json. Throws OutputError AX961, UsageError AX965 (another program
/// holds it), AX962 (it holds a run, and the plan says neither resume nor force), AX973 (resumed
/// with other settings), InputError AX946 (settings.json is missing or not whole).
[[nodiscard]] FolderLock claim_folder(const RunPlan& plan, const std::string& settings);

}  // namespace axmul::train
