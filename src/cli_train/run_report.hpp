// What axmul train run says in the end, and leaves as report.txt.
#pragma once

#include <string>

#include "axmul/train/run.hpp"

namespace axmul::train {

std::string report_text(const RunReport& report, bool color);

}  // namespace axmul::train
