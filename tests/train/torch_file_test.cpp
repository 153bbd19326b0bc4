// PyTorch's files read as data: values by hand, hostile archives, mutants.
#include <cstdlib>
#include <functional>

#include "axmul/core/errors.hpp"
#include "axmul/train/state_dict.hpp"
#include "support/fuzz.hpp"
#include "support/support.hpp"
#include "train/data/pickle_data.hpp"
#include "train/data/zip_file.hpp"
#include "train/script/allowed_operators.hpp"

using namespace axmul;
using namespace std::string_literals;
using train::BadArchive;

namespace {

std::vector<std::byte> bytes_of(const std::string& text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

// --- pickles as torch.save() writes them ---------------------------------------------------------

std::string number(std::int64_t value) {
  std::string text = "\x8a\x08"s;
  for (int i = 0; i < 64; i += 8) text.push_back(static_cast<char>(value >> i));
  return text;
}
std::string word(const std::string& value) {
  return "X"s + static_cast<char>(value.size()) + "\0\0\0"s + value;
}
std::string numbers(const std::vector<std::int64_t>& values) {
  std::string text = "(";
  for (const std::int64_t v : values) text += number(v);
  return text + "t";
}

struct TensorText {
  std::string type = "FloatStorage", key = "0";
  std::int64_t elements = 6, offset = 0;
  std::vector<std::int64_t> sizes = {2, 3}, strides = {3, 1};

  std::string text() const {
    return "ctorch._utils\n_rebuild_tensor_v2\n((" + word("storage") + "ctorch\n" + type + "\n" +
           word(key) + word("cpu") + number(elements) + "tQ" + number(offset) + numbers(sizes) +
           numbers(strides) + "\x89" + "ccollections\nOrderedDict\n)RtR";
  }
};

std::string dict_of(const std::string& items) { return "\x80\x02}(" + items + "u."; }
std::string dict_of(const TensorText& tensor) { return dict_of(word("w") + tensor.text()); }

template <class T>
std::vector<std::byte> raw(const std::vector<T>& values) {
  const auto bytes = std::as_bytes(std::span(values));
  return {bytes.begin(), bytes.end()};
}
const std::vector<float> kSix = {1, 2, 3, 4, 5, 6.5f};

std::string archive(const std::string& pickle, const std::vector<std::byte>& record = raw(kSix)) {
  train::ZipWriter zip;
  zip.add("data.pkl", bytes_of(pickle));
  zip.add("data/0", record);
  zip.add("version", bytes_of("3\n"));
  return zip.finish();
}

struct Reader {
  test::ScratchDir folder;
  StateDict operator()(const std::string& file) const {
    test::write_text(folder / "x.pt", file);
    return read_state_dict((folder / "x.pt").string());
  }
  // The id and text of the error.
  std::pair<int, std::string> error(const std::string& file) const {
    try {
      (*this)(file);
    } catch (const Error& e) {
      return {e.id(), e.what()};
    }
    return {0, ""};
  }
};

}  // namespace

TEST_CASE("tensors of an archive are the elements at their offsets and strides") {
  const Reader read;
  CHECK(read(archive(dict_of(TensorText{}))).tensors.at("w").doubles() ==
        std::vector<double>{1, 2, 3, 4, 5, 6.5});
  const TensorText transposed{.offset = 0, .sizes = {3, 2}, .strides = {1, 3}};
  const StateDict state = read(archive(dict_of(transposed)));
  CHECK(state.tensors.at("w").shape == std::vector<std::int64_t>{3, 2});
  CHECK(state.tensors.at("w").doubles() == std::vector<double>{1, 4, 2, 5, 3, 6.5});
  CHECK(read(archive(dict_of(TensorText{.offset = 1, .sizes = {2, 2, 1}, .strides = {2, 1, 7}})))
            .tensors.at("w")
            .doubles() == std::vector<double>{2, 3, 4, 5});
  CHECK(read(archive(dict_of(TensorText{.offset = 5, .sizes = {}, .strides = {}})))
            .tensors.at("w")
            .doubles() == std::vector<double>{6.5});
  CHECK(read(archive(dict_of(TensorText{.sizes = {0, 3}, .strides = {3, 1}})))
            .tensors.at("w")
            .doubles()
            .empty());
  CHECK(
      read(archive(dict_of(TensorText{.sizes = {4}, .strides = {0}}))).tensors.at("w").doubles() ==
      std::vector<double>(4, 1.0));
  TensorText longs{.type = "LongStorage", .elements = 2, .sizes = {2}, .strides = {1}};
  CHECK(read(archive(dict_of(longs), raw(std::vector<std::int64_t>{-5, 1LL << 40})))
            .tensors.at("w")
            .doubles() == std::vector<double>{-5, 0x1p40});
  TensorText bfloats{.type = "BFloat16Storage", .elements = 1, .sizes = {1}, .strides = {1}};
  CHECK(read(archive(dict_of(bfloats), raw(std::vector<std::uint16_t>{0xc040})))
            .tensors.at("w")
            .doubles() == std::vector<double>{-3});
}

TEST_CASE("a tensor that claims more than its record holds is refused before it is read") {
  const Reader read;
  const auto refused = [&](const TensorText& tensor, const std::string& says) {
    const auto [id, text] = read.error(archive(dict_of(tensor)));
    CHECK(id == 921);
    CAPTURE(text);
    CHECK(text.find(says) != text.npos);
  };
  refused({.elements = 7, .sizes = {7}, .strides = {1}}, "data/0 holds 24 bytes");
  refused({.type = "DoubleStorage"}, "data/0 holds 24 bytes");
  refused({.elements = 1LL << 62}, "absurd");
  refused({.elements = -1}, "absurd");
  refused({.key = "1"}, "no record data/1");
  refused({.key = "../version"}, "no record");
  refused({.sizes = {3, 3}}, "beyond its storage");
  refused({.sizes = {2, 3}, .strides = {4, 1}}, "beyond its storage");
  refused({.strides = {-3, 1}}, "beyond its storage");
  refused({.offset = -1}, "beyond its storage");
  refused({.offset = 1}, "beyond its storage");
  refused({.offset = std::numeric_limits<std::int64_t>::max()}, "beyond its storage");
  refused({.sizes = {2, 3}, .strides = {3}}, "beyond its storage");
  refused({.sizes = {2, 3}, .strides = {std::numeric_limits<std::int64_t>::max(), 1}},
          "beyond its storage");
  refused({.sizes = {1LL << 33, 1LL << 33}}, "absurd");
  refused({.sizes = {-2, 3}}, "absurd");
  refused(
      {.sizes = std::vector<std::int64_t>(100, 1), .strides = std::vector<std::int64_t>(100, 1)},
      "in a way that PyTorch does not");
  // Few elements, said to be many: memory would be taken for all of them.
  refused({.sizes = {1 << 30}, .strides = {0}}, "many times its size");
  const auto [id, text] = read.error(archive(
      dict_of({.type = "ComplexFloatStorage", .elements = 3, .sizes = {3}, .strides = {1}})));
  CHECK(id == 920);  // a sound file that holds no weights
  CHECK(text.find("weights are real numbers") != text.npos);
}

TEST_CASE("what a pickle names is never looked up") {
  const Reader read;
  const std::string mark = (read.folder / "was-here").string();
  const std::string call = "cposix\nsystem\n(" + word("touch " + mark) + "tR";
  auto [id, text] = read.error(archive("\x80\x02" + call + "."));
  CHECK(id == 920);
  CHECK(text.find("posix system") != text.npos);
  CHECK(text.find("torch.save(model.state_dict(), FILE)") != text.npos);
  std::tie(id, text) =
      read.error(archive(dict_of(word("w") + TensorText{}.text() + word("x") + call)));
  CHECK(id == 920);
  // Beside a state dict it is none of our business.
  const std::string nested =
      word("state_dict") + "}(" + word("w") + TensorText{}.text() + "u" + word("optimizer") + call;
  CHECK(read(archive(dict_of(nested))).tensors.size() == 1);
  CHECK_FALSE(std::filesystem::exists(mark));
}

TEST_CASE("pickles that contain themselves, nest without end or break their stack are refused") {
  const auto refused = [](const std::string& text) {
    try {
      train::read_pickle(bytes_of(text));
    } catch (const BadArchive& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(refused("\x80\x02]q\0h\0a."s).find("contains itself") != std::string::npos);
  CHECK(refused("\x80\x02}q\0"s + word("a") + "h\0s."s).find("contains itself") !=
        std::string::npos);
  std::string deep = "\x80\x02";
  for (int i = 0; i < 100000; ++i) deep += "(";
  deep += "N";
  for (int i = 0; i < 100000; ++i) deep += "t";
  CHECK(refused(deep + ".").find("nests deeper") != std::string::npos);
  for (const std::string& broken : {""s,
                                    "\x80"s,
                                    "\x80\x01N."s,
                                    "\x80\x06N."s,
                                    "\x80\x02"s,
                                    "\x80\x02."s,
                                    "\x80\x02NN."s,
                                    "\x80\x02(."s,
                                    "\x80\x02t."s,
                                    "\x80\x02\x87."s,
                                    "\x80\x02h\x05."s,
                                    "\x80\x02N}s."s,
                                    "\x80\x02}(Nu."s,
                                    "\x80\x02NR."s,
                                    "\x80\x02NNR."s,
                                    "\x80\x02Nb."s,
                                    "\x80\x02](0t."s,
                                    "\x80\x02X\xff\xff\xff\xff."s,
                                    "\x80\x02\x8e\xff\xff\xff\xff\xff\xff\xff\xff."s,
                                    "\x80\x02r\xff\xff\xff\xff."s,
                                    "\x80\x02Nr\xff\xff\xff\xff."s,
                                    "\x80\x02"
                                    "cposix."s,
                                    "\x80\x02iposix\nsystem\n."s,
                                    "\x80\x02Nq\0(h\0R."s,
                                    "\x80\x02\xff."s})
    CHECK_FALSE(refused(broken).empty());
  // A tree that doubles at every level is a million leaves, but only 20 values.
  std::string doubled = "\x80\x02N";
  for (int i = 0; i < 20; ++i)
    doubled += "q" + std::string(1, static_cast<char>(i)) + "h" +
               std::string(1, static_cast<char>(i)) + "\x86";
  CHECK(train::read_pickle(bytes_of(doubled + ".")).values.size() == 21);
}

TEST_CASE("a pickle written anew says the same") {
  const std::string text = dict_of(word("w") + TensorText{}.text() + word("n") +
                                   "(]q\x01(K\x01K\x02"
                                   "eh\x01N\x88\x89G?\xf8\0\0\0\0\0\0t"s);
  const train::Pickle first = train::read_pickle(bytes_of(text));
  const auto written = train::write_pickle(first);
  const train::Pickle second = train::read_pickle(written);
  CHECK(train::write_pickle(second) == written);
  const auto& tuple = second.item(second.at(second.root), 3);
  REQUIRE(tuple.items.size() == 6);
  CHECK(tuple.items[0] == tuple.items[1]);  // still one list
  CHECK(second.item(tuple, 0).items.size() == 2);
  CHECK(second.item(tuple, 5).real == 1.5);
}

TEST_CASE("zip archives are checked before anything is taken from them") {
  const Reader read;
  const std::string whole = archive(dict_of(TensorText{}));
  const auto count = [&](const std::string& text) { return read.error(text).first; };
  for (std::size_t size = 2; size < whole.size(); ++size) {
    CAPTURE(size);
    CHECK(count(whole.substr(0, size)) == 921);
  }
  CHECK(count("PK") == 921);
  CHECK(count("\x80\x02N.") == 920);
  std::string damaged = whole;
  damaged[whole.find("\x40\xd0") == whole.npos ? whole.find("data/0") + 8
                                               : whole.find("\xd0\x40")] ^= 1;
  const auto [id, text] = read.error(damaged);
  CHECK(id == 921);
  CHECK(text.find("checksum") != text.npos);
  // Two records of one name: readers differ in which one they take.
  train::ZipWriter twice;
  for (int i = 0; i < 2; ++i) twice.add("data.pkl", bytes_of(dict_of(TensorText{})));
  CHECK(count(twice.finish()) == 921);
}

TEST_CASE("mutants of archives end in a value or in an error of axmul") {
  const Reader read;
  const std::vector<std::string> seeds = {archive(dict_of(TensorText{})),
                                          archive(dict_of(TensorText{.strides = {1, 2}}))};
  test::FuzzOptions options;
  options.seconds = 1;
  test::fuzz(
      "torch-archive", seeds,
      [&](const std::string& text) {
        read("PK" + text.substr(std::min<std::size_t>(2, text.size())));
      },
      options);
  // The same behind right checksums, which mutants of the whole file do not have.
  options.dictionary = {TensorText{}.text(),     word("w"), "tR", "q\x01", "h\x01",
                        "ctorch\nFloatStorage\n"};
  const std::vector<std::string> pickles = {
      dict_of(TensorText{}), dict_of(TensorText{.sizes = {3, 2}, .strides = {1, 3}}),
      dict_of(word("state_dict") + "}(" + word("w") + TensorText{}.text() + "u")};
  const auto report = test::fuzz(
      "torch-pickle", pickles, [&](const std::string& text) { read(archive(text)); }, options);
  CHECK(report.refused > 0);
}

TEST_CASE("operators that reach files, processes or other memory are not on the list") {
  for (const char* name :
       {"aten::save", "aten::from_file", "aten::load", "prim::Print", "prim::PythonOp",
        "prim::rpc_sync", "c10d::send", "aten::set_", "aten::set_data", "aten::as_strided",
        "aten::resize_", "profiler::_record_function_enter", "aten::", "", "conv2d",
        "aten::conv2d ", "axmul_train::layer"})
    CHECK_FALSE(train::is_allowed_operator(name));
  for (const char* name : {"aten::conv2d", "aten::relu_", "aten::linear", "prim::If", "prim::Loop",
                           "quantized::linear_dynamic", "axmul::lut_conv2d"})
    CHECK(train::is_allowed_operator(name));
  CHECK(train::is_allowed_native_class("__torch__.torch.classes.quantized.LinearPackedParamsBase"));
  CHECK_FALSE(train::is_allowed_native_class("__torch__.torch.classes.dist_rpc.WorkerInfo"));
}
