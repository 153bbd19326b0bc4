// Every format of the registry x type x order x index x dtype, entry by entry, asymmetric tables.
#include "axmul/core/errors.hpp"
#include "formats/helpers.hpp"

using namespace axmul;

TEST_CASE("a written table reads back with the same options") {
  for (const TableFormat& format : table_formats())
    for (const OperandType type : kOperandTypes)
      for (const auto& [order, index] : test::conventions())
        for (const Lut& lut :
             {test::asymmetric_lut(type), test::random_lut(type, 7), test::plausible_lut(type)}) {
          CAPTURE(format.name);
          CAPTURE(std::string(to_string(type)));
          CAPTURE(test::text_of(order));
          CAPTURE(test::text_of(index));
          const std::string bytes = encode_table(
              {.name = "x", .lut = lut}, {.format = format.name, .order = order, .index = index});
          const Multiplier back = parse_table(bytes, "x" + format.extensions[0],
                                              {.type = type, .order = order, .index = index});
          test::check_same(back.lut, lut);
          CHECK(back.provenance.format == format.name);
          CHECK(back.provenance.order == order);
          CHECK(back.provenance.index == index);
          CHECK(back.provenance.type_from == "option");
          CHECK(back.lut.sha256() == lut.sha256());
        }
}

TEST_CASE("text formats state type, order and index, so they read back without options") {
  for (const TableFormat& format : table_formats())
    for (const OperandType type : kOperandTypes)
      for (const auto& [order, index] : test::conventions()) {
        if (!format.text) continue;
        CAPTURE(format.name);
        const Lut lut = test::asymmetric_lut(type);
        const std::string bytes = encode_table(
            {.name = "x", .lut = lut}, {.format = format.name, .order = order, .index = index});
        const Multiplier back = parse_table(bytes, "any");
        test::check_same(back.lut, lut);
        CHECK(back.provenance.format == format.name);
        CHECK(back.provenance.type_from == "file");
        CHECK(bytes.find(lut.sha256()) < 4096);
      }
}

TEST_CASE("a swap is visible, in every format") {
  const Lut lut = test::asymmetric_lut(OperandType::s8s8);
  for (const TableFormat& format : table_formats()) {
    CAPTURE(format.name);
    const std::string ab = encode_table({.name = "x", .lut = lut}, {.format = format.name});
    const std::string ba =
        encode_table({.name = "x", .lut = lut}, {.format = format.name, .order = OperandOrder::ba});
    CHECK(ab != ba);
    const Multiplier swapped = parse_table(ab, "x",
                                           {.type = OperandType::s8s8,
                                            .order = OperandOrder::ba,
                                            .index = format.index,
                                            .format = format.name});
    CHECK(swapped.lut(3, -100) == lut(-100, 3));
    CHECK(swapped.lut.sha256() == lut.sha256_swapped());
  }
}

TEST_CASE("each dtype of a format keeps the table or refuses it") {
  for (const TableFormat& format : table_formats())
    for (const std::string& dtype : format.dtypes)
      for (const OperandType type : kOperandTypes) {
        CAPTURE(format.name);
        CAPTURE(dtype);
        CAPTURE(std::string(to_string(type)));
        const Lut lut = test::plausible_lut(type);
        const WriteOptions options{.format = format.name, .dtype = dtype};
        const bool fits = dtype == "uint16"  ? type == OperandType::u8u8
                          : dtype == "int16" ? type != OperandType::u8u8
                                             : true;
        if (!fits) {
          CHECK_THROWS_AS(encode_table({.name = "x", .lut = lut}, options), Error);
          continue;
        }
        test::check_same(parse_table(encode_table({.name = "x", .lut = lut}, options),
                                     "x" + format.extensions[0], {.type = type})
                             .lut,
                         lut);
      }
}

TEST_CASE("a product that does not fit is named") {
  const auto wide = [](OperandType type, int value) {
    return Lut::from_function(type, [=](int a, int b) { return a == 7 && b == 9 ? value : a * b; });
  };
  const auto fails = [&](const char* format, const char* dtype, const Lut& lut, const char* text) {
    CAPTURE(format);
    CHECK_THROWS_WITH_AS(
        encode_table({.name = "m", .lut = lut}, {.format = format, .dtype = dtype}),
        doctest::Contains(text), InputError);
  };
  fails("bin", "uint16", wide(OperandType::u8u8, -1),
        "product -1 of a = 7, b = 9 does not fit uint16");
  fails("bin", "int16", wide(OperandType::s8s8, 32768), "32768 of a = 7, b = 9 does not fit int16");
  fails("npy", "int16", wide(OperandType::s8s8, (1 << 24) - 1), "16777215");
  fails("cheader", "int16", wide(OperandType::u8u8, 7), "does not fit int16");
  fails("hex", "uint16", wide(OperandType::u8u8, -5), "AX350");
  CHECK_THROWS_WITH_AS(encode_table({.name = "m", .lut = Lut::exact(OperandType::u8u8)},
                                    {.format = "csv", .dtype = "int16"}),
                       doctest::Contains("AX351"), UsageError);
  // Without a wish the next wider element is taken: 24-bit products pass through every format.
  for (const TableFormat& format : table_formats())
    for (const int value : {(1 << 24) - 1, 1 - (1 << 24), -1}) {
      const Lut lut = wide(OperandType::u8u8, value);
      CAPTURE(format.name);
      test::check_same(parse_table(encode_table({.name = "m", .lut = lut}, {.format = format.name}),
                                   "m" + format.extensions[0], {.type = OperandType::u8u8})
                           .lut,
                       lut);
    }
}

TEST_CASE("files are written atomically under the extension's format") {
  const test::ScratchDir dir;
  const Multiplier multiplier{.name = "mul", .lut = test::asymmetric_lut(OperandType::s8s8)};
  for (const TableFormat& format : table_formats())
    for (const std::string& extension : format.extensions) {
      const std::string path = (dir / ("file" + extension)).string();
      CAPTURE(path);
      write_table(path, multiplier);
      const Multiplier back = read_table(path, {.type = OperandType::s8s8, .index = format.index});
      CHECK(back.provenance.format == format.name);
      CHECK(back.provenance.source_file == path);
      CHECK(back.name == "file");
      test::check_same(back.lut, multiplier.lut);
      CHECK_THROWS_WITH_AS(write_table(path, multiplier), doctest::Contains("--force"),
                           OutputError);
      CHECK_NOTHROW(write_table(path, multiplier, {.force = true}));
    }
  CHECK_THROWS_WITH_AS(write_table((dir / "file.xyz").string(), multiplier),
                       doctest::Contains("--format"), UsageError);
  CHECK_THROWS_AS(write_table((dir / "file.bin").string(), multiplier, {.format = "nope"}),
                  UsageError);
  CHECK_THROWS_AS(write_table("/dev/full", multiplier, {.format = "csv"}), OutputError);
}

TEST_CASE("a hostile name cannot break out of a comment") {
  const Lut lut = test::asymmetric_lut(OperandType::u8s8);
  const std::string name = "*/ int x; /*\n9 9 9\r\n#axmul-table: type=s8s8\\";
  for (const TableFormat& format : table_formats()) {
    CAPTURE(format.name);
    const std::string bytes = encode_table({.name = name, .lut = lut}, {.format = format.name});
    const Multiplier back = parse_table(bytes, "x" + format.extensions[0],
                                        {.type = OperandType::u8s8, .index = format.index});
    test::check_same(back.lut, lut);
  }
}
