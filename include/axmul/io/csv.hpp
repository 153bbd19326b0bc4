// Numeric text tables (CSV, TSV, white space) and the writing of numbers and text fields.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "axmul/core/api.hpp"
#include "axmul/core/array2.hpp"

namespace axmul {

struct CsvOptions {
  bool allow_header = false;  ///< the first line that is not a comment may be words, not numbers
  bool allow_non_finite = false;                  ///< accept nan and inf
  std::size_t max_values = std::size_t{1} << 24;  ///< refuse more numbers than this
};

/// A rectangular table of numbers.
struct AXMUL_API CsvMatrix {
  Array2<double> values;
  std::vector<std::size_t> lines;     ///< line number (from 1) of each row
  std::vector<std::string> comments;  ///< comment lines without the '#', in order
  std::vector<std::string> header;    ///< fields of the header line, empty when there is none
};

/// Reads rows of numbers. Fields are separated by ';', else ',', else white space: the first row
/// decides, and one separator at the end of a row is ignored. '#' starts a comment, blank lines are
/// skipped, fields may stand in double quotes; CRLF and a UTF-8 byte order mark are accepted.
/// `name` stands for the path in messages. Throws InputError with line and column (= number of the
/// field): AX110 a field is empty or not a number, AX111 rows of different length, AX112 nan or
/// inf, AX113 no row at all, AX114 more than max_values numbers.
AXMUL_API CsvMatrix parse_csv(std::string_view text, const std::string& name,
                              const CsvOptions& options = {});
AXMUL_API CsvMatrix read_csv(const std::string& path, const CsvOptions& options = {});

/// Appends the shortest text that reads back as the same double ("nan", "inf", "-inf" else).
AXMUL_API void append_number(std::string& text, double value);
AXMUL_API void append_number(std::string& text, std::int64_t value);
/// Appends a text field, in double quotes where it holds a comma, quote or line break (RFC 4180).
AXMUL_API void append_field(std::string& text, std::string_view field);

}  // namespace axmul
