// What the tests of this layer share: designs from tables in memory, Python as independent reader.
#pragma once

#include <cstdlib>
#include <string>
#include <vector>

#include "axmul/tables/characterization.hpp"
#include "axmul/tables/error_table.hpp"
#include "support/support.hpp"

namespace axmul::test {

inline DesignRef design(const std::string& name, const Lut& lut) {
  return {name, name, [name, lut] { return Multiplier{name, lut}; }};
}

/// Runs a Python program; true when it ends with 0 (its own asserts hold).
inline bool python(const std::string& code, const std::string& arguments = "") {
  const ScratchDir scratch;
  write_text(scratch / "t.py", code);
  return std::system(
             ("/usr/bin/python3 " + (scratch / "t.py").string() + " " + arguments).c_str()) == 0;
}

/// An environment variable for the life of the object.
class ScopedEnv {
 public:
  ScopedEnv(const std::string& name, const std::string& value) : name_(name) {
    setenv(name_.c_str(), value.c_str(), 1);
  }
  ~ScopedEnv() { unsetenv(name_.c_str()); }

 private:
  std::string name_;
};

inline std::vector<DesignRef> mixed_designs() {
  return {design("alpha", asymmetric_lut(OperandType::u8u8)),
          design("signed", random_lut(OperandType::s8s8, 7)),
          design("beta", random_lut(OperandType::u8u8, 8)),
          design("mixed", random_lut(OperandType::u8s8, 9)),
          design("exact", Lut::exact(OperandType::u8u8))};
}

/// Characterises and writes a table, as `axmul export` does.
inline void write_table(const std::string& path, const std::vector<DesignRef>& designs,
                        const CharacterizationOptions& options, const ErrorTableOptions& table) {
  const DistributionSet distributions(options);
  ErrorTableWriter writer(path, distributions, table);
  characterize_designs(designs, options, distributions,
                       [&](const Characterization& result) { writer.add(result); });
  writer.finish();
}

}  // namespace axmul::test
