// The 36 published tables keep their identity through every format.
#include <algorithm>

#include "formats/helpers.hpp"

using namespace axmul;

namespace {

/// Reads a .bin without the library: uint16, first positional argument slow.
std::vector<std::int32_t> plain_products(const std::filesystem::path& path) {
  const std::string bytes = test::read_text(path);
  REQUIRE(bytes.size() == 131072);
  std::vector<std::int32_t> products;
  for (std::size_t i = 0; i < bytes.size(); i += 2)
    products.push_back(static_cast<unsigned char>(bytes[i]) +
                       256 * static_cast<unsigned char>(bytes[i + 1]));
  return products;
}

std::vector<std::filesystem::path> tables() {
  std::vector<std::filesystem::path> result;
  if (const auto folder = test::data_path("evoapprox"))
    for (const auto& entry : std::filesystem::directory_iterator(*folder))
      if (entry.path().extension() == ".bin") result.push_back(entry.path());
  std::sort(result.begin(), result.end());
  return result;
}

}  // namespace

TEST_CASE("the published tables are read with the first positional index as a") {
  if (tables().empty()) AXMUL_SKIP("needs AXMUL_DATA/evoapprox");
  CHECK(tables().size() == 36);
  for (const auto& path : tables()) {
    CAPTURE(path);
    const std::vector<std::int32_t> products = plain_products(path);
    const Multiplier read = read_table(path.string());
    CHECK(read.lut == Lut(OperandType::u8u8, products));
    CHECK(read.name == path.stem().string());
    CHECK(read.provenance.type_from == "name");
    const Multiplier swapped = read_table(path.string(), {.order = OperandOrder::ba});
    CHECK(swapped.lut(200, 3) == products[3 * 256 + 200]);
    CHECK(swapped.lut.sha256() == read.lut.sha256_swapped());
  }
}

TEST_CASE("no published table is doubted, by name or by its products alone, but the one of zeros") {
  if (tables().empty()) AXMUL_SKIP("needs AXMUL_DATA/evoapprox");
  for (const auto& path : tables()) {
    CAPTURE(path);
    const Multiplier named = read_table(path.string());
    const Multiplier nameless = parse_table(test::read_text(path), "x.bin");
    CHECK(nameless.lut == named.lut);
    CHECK(named.provenance.warning.empty() == (named.name != "mul8u_199Z"));
    CHECK(nameless.provenance.warning == (named.name == "mul8u_199Z"
                                              ? "the table resembles a product of two 8-bit "
                                                "operands in no reading (taken as u8u8, type from "
                                                "format): score 0.00, an exact multiplier has 1; "
                                                "check --type, --order, --index and "
                                                "--input-format, and whether it holds products"
                                              : ""));
  }
}

TEST_CASE("sha256 survives conversion to every format, order and index") {
  if (tables().empty()) AXMUL_SKIP("needs AXMUL_DATA/evoapprox");
  const test::ScratchDir dir;
  for (const auto& path : tables()) {
    const Multiplier original = read_table(path.string());
    const std::string identity = original.lut.sha256();
    for (const TableFormat& format : table_formats()) {
      CAPTURE(path);
      CAPTURE(format.name);
      const std::string file = (dir / (original.name + format.extensions[0])).string();
      write_table(file, original);
      const Multiplier back = read_table(file);
      CHECK(back.lut.sha256() == identity);
      CHECK(back.provenance.format == format.name);
      const std::string swapped = encode_table(
          original,
          {.format = format.name, .order = OperandOrder::ba, .index = OperandIndex::bits});
      CHECK(parse_table(swapped, file, {.order = OperandOrder::ba, .index = OperandIndex::bits})
                .lut.sha256() == identity);
    }
  }
}

TEST_CASE("sign-magnitude tables made from them keep theirs, recognised by their values") {
  if (tables().empty()) AXMUL_SKIP("needs AXMUL_DATA/evoapprox");
  for (const auto& path : tables()) {
    const Multiplier original = read_table(path.string());
    if (original.name == "mul8u_199Z") continue;  // all zero: nothing to recognise
    for (const OperandType type : {OperandType::u8s8, OperandType::s8s8}) {
      const Multiplier derived{.name = "sm", .lut = sign_magnitude(original.lut, type)};
      for (const TableFormat& format : table_formats())
        for (const OperandIndex index : {OperandIndex::value, OperandIndex::bits}) {
          CAPTURE(path);
          CAPTURE(format.name);
          CAPTURE(test::text_of(index));
          const std::string bytes = encode_table(derived, {.format = format.name, .index = index});
          const Multiplier read = parse_table(bytes, "sm" + format.extensions[0]);
          CHECK(read.lut == derived.lut);
          CHECK(read.provenance.warning.empty());
        }
    }
  }
}

TEST_CASE("a folder's other files are no tables") {
  for (const char* name : {"evoapprox/facts.csv", "evoapprox/verilog-grammar.txt", "README.md"}) {
    const auto path = test::data_path(name);
    if (!path) AXMUL_SKIP("needs AXMUL_DATA/evoapprox");
    CHECK(sniff_table_format(test::read_text(*path), path->string()) == nullptr);
  }
}
