// What a run of `axmul train run` leaves behind: one record, as JSON and as HDF5.
#pragma once

#include <string>
#include <vector>

#include "axmul/train/run.hpp"
#include "io/json.hpp"

namespace axmul::train {

/// Of the approximate layers, how many measured σ lie in the stated interval.
struct IntervalShare {
  std::size_t inside = 0, of = 0;
};
IntervalShare interval_share(const RunPoint& point);

/// {"schema": "axmul.epochs/1", "epochs": […]}, the list as the record has it.
Json epochs_to_json(const std::vector<EpochRecord>& epochs);
/// Throws InputError AX972 unless the epochs count from 1 and their figures are in range.
std::vector<EpochRecord> epochs_from_json(const Json& json, const std::string& path);

std::string to_json(const RunReport& record);
/// Throws InputError AX972 where the text is not a run record, a figure is out of its range, a
/// point's layers are not those of the network, or its checksum is wrong (records of before there
/// were checksums have none).
RunReport run_record_from_json(const std::string& text, const std::string& path);

/// Format "axmul-run": one row a point. The layout is told in src/train/SEARCH.md.
void write_run_h5(const std::string& path, const RunReport& record);

/// Marks, among the search points, the one of least energy whose selection accuracy lost at most
/// max_loss (a fraction); none where none did.
void choose_point(RunReport& record);

}  // namespace axmul::train
