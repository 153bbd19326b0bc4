// C sources that hold a table.
#include "tables/c_table.hpp"

#include "axmul/core/errors.hpp"
#include "axmul/formats/table_file.hpp"
#include "axmul/io/read_file.hpp"
#include "axmul/netlist/circuits.hpp"

namespace axmul::detail {

bool is_c_table(const std::string& path) {
  if (!is_c_model_file(path)) return false;
  const std::string content = read_file(path);
  const TableFormat* format = sniff_table_format(content, path);
  if (format == nullptr || format->name != "cheader") return false;
  if (!has_c_model(path)) return true;  // reading it says what is wrong with it
  try {
    parse_table(content, path, {});
    return true;
  } catch (const InputError&) {
    return false;
  }
}

}  // namespace axmul::detail
