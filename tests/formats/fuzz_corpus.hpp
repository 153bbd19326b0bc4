// Seeds of the format fuzzers: what the writer gives, small broken pieces, and the format's tokens.
#pragma once

#include "formats/helpers.hpp"
#include "support/fuzz.hpp"

namespace axmul::test {

inline std::vector<std::string> table_corpus(const TableFormat& format) {
  std::vector<std::string> corpus = {"", "\n", "1 2 3\n4 5 6\n", "\x93NUMPY",
                                     std::string(131072, '\0')};
  for (const OperandType type : kOperandTypes)
    for (const OperandIndex index : {OperandIndex::value, OperandIndex::bits}) {
      const std::string bytes = encode_table({.name = "seed", .lut = plausible_lut(type)},
                                             {.format = format.name, .index = index});
      corpus.push_back(bytes);
      corpus.push_back(bytes.substr(0, 700));
    }
  return corpus;
}

inline FuzzReport fuzz_format(const TableFormat& format, double seconds) {
  FuzzOptions options;
  options.seconds = seconds;
  options.dictionary = {"axmul-table: type=s8s8 order=ba index=bits\n",
                        "# ",
                        "// ",
                        "/*",
                        "*/",
                        "@ffff ",
                        "@0 ",
                        "x",
                        "{",
                        "}",
                        "[256]",
                        "[65536]",
                        "const int16_t lut[256][256] = {",
                        "#define X \\\n",
                        "{'descr': '<i2', 'fortran_order': True, 'shape': (256, 256), }",
                        "INFO: ",
                        "-128 127 5\n",
                        "\r\n",
                        ";",
                        ","};
  const std::string path = "fuzz" + format.extensions[0];
  return fuzz(
      "format-" + format.name, table_corpus(format),
      [&](const std::string& input) {
        // Detected and forced: both must hold for any bytes.
        try {
          parse_table(input, path);
        } catch (const InternalError&) {
          throw;
        } catch (const Error&) {
        }
        const Multiplier table = parse_table(input, path, {.format = format.name});
        if (table.lut.products().size() != kLutSize) throw InternalError("a table of another size");
      },
      options);
}

}  // namespace axmul::test
