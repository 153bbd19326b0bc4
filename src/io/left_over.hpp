// Temporaries that a killed process left behind: named so that a later one knows them and removes
// them.
#pragma once

#include <string>
#include <string_view>

namespace axmul::detail {

/// "<8 hex>-<pid>", for names of temporaries. The hex digits stand for the machine's present run
/// and this container, so that the number means the same process to whoever shares them.
std::string process_tag();

/// Removes the entries of a folder whose name holds `mark`, the process_tag() of a process that has
/// ended, and "-": files and folders of this user only. Looks into a folder once in a process's
/// life. Never throws.
void remove_left_overs(const std::string& folder, std::string_view mark);

}  // namespace axmul::detail
