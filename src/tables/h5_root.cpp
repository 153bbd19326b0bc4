// What the root of every HDF5 file of axmul says, and the check of it on reading.
#include "tables/h5_root.hpp"

#include <charconv>
#include <cstdlib>
#include <ctime>

#include "axmul/core/errors.hpp"
#include "axmul/core/version.hpp"
#include "tables/h5_columns.hpp"

namespace axmul {

namespace {

std::string utc_text(std::time_t seconds) {
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

}  // namespace

std::string history_text(const FileOrigin& origin) {
  const char* epoch = std::getenv("SOURCE_DATE_EPOCH");
  if (epoch == nullptr) return utc_text(std::time(nullptr)) + " " + origin.command;
  const std::string text = epoch;
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  // 253402300799 is the last second of the year 9999.
  if (error != std::errc() || end != text.data() + text.size() || seconds < 0 ||
      seconds > 253402300799)
    throw UsageError(830, "SOURCE_DATE_EPOCH=" + text +
                              " is not a number of seconds since 1970-01-01; unset or correct it");
  return utc_text(static_cast<std::time_t>(seconds)) + " " + origin.reproducible_command;
}

namespace detail {

void write_root(h5::File& file, const std::string& format, const FileOrigin& origin) {
  file.set_attribute("/", "format", format);
  file.set_attribute("/", "format_version", kFormatVersion);
  if (!origin.title.empty()) file.set_attribute("/", "title", utf8_text(origin.title));
  file.set_attribute("/", "source", source_text());
  file.set_attribute("/", "history", utf8_text(history_text(origin)));
  if (!origin.references.empty())
    file.set_attribute("/", "references", utf8_text(origin.references));
  if (origin.seed) file.set_attribute("/", "seed", *origin.seed);
}

std::string check_root(const h5::File& file, std::initializer_list<const char*> formats) {
  std::string wanted;
  for (const char* format : formats) wanted += (wanted.empty() ? "" : " or ") + std::string(format);
  const auto format = file.attribute_text("/", "format");
  if (!format)
    throw InputError(820, Place{file.path()},
                     "has no attribute format, so is no " + wanted + " file");
  bool known = false;
  for (const char* name : formats) known = known || *format == name;
  if (!known)
    throw InputError(820, Place{file.path()},
                     "attribute format is \"" + *format + "\", not " + wanted);
  const auto version = file.attribute_text("/", "format_version");
  if (!version) throw InputError(820, Place{file.path()}, "has no attribute format_version");
  const std::string major = version->substr(0, version->find('.'));
  if (major != "1")
    throw InputError(
        820, Place{file.path()},
        "format_version is \"" + *version + "\", this axmul reads 1.x; a newer axmul may read it");
  return *format;
}

}  // namespace detail
}  // namespace axmul
