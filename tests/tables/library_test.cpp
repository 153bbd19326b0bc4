// Libraries and error tables as sources of designs: round trips, selection, refusals.
#include <algorithm>
#include <filesystem>
#include <set>
#include <tuple>

#include "axmul/core/errors.hpp"
#include "axmul/formats/table_file.hpp"
#include "axmul/tables/error_table.hpp"
#include "axmul/tables/open_design.hpp"
#include "tables/tables_support.hpp"

using namespace axmul;

namespace {

Multiplier full_entry(const std::string& name, const Lut& lut) {
  Multiplier m{name, lut};
  m.cost = {0.25, 101.5, 1.75, 0.625, "published", "PDK45"};
  m.provenance.source_file = "dir/x.v";
  m.provenance.format = "verilog";
  m.provenance.order = OperandOrder::ba;
  m.provenance.index = OperandIndex::bits;
  m.provenance.type_from = "name";
  m.provenance.order_from = "option";
  m.provenance.index_from = "values";
  m.provenance.decoding = "big-endian";
  m.provenance.resemblance = 0.8125;
  m.provenance.warning = "check it";
  m.provenance.generator = "drum(k=6)";
  m.provenance.reference = "Somebody, 2015";
  m.published = {{"MAE%", 0.1}, {"WCE", 1.0 / 3.0}};
  m.aliases = {"other", "third"};
  m.alias_published = {{"other", {{"MAE%", "0.05"}}}, {"third", {{"WCE", "7.2e1"}}}};
  m.provenance.output_shift = 3;
  m.transpose_of = "origin";
  return m;
}

std::vector<DesignRef> find(const std::vector<std::string>& texts) {
  return find_designs(texts).designs;
}

template <class F>
std::string input_error(F&& f) {
  try {
    f();
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a library keeps everything that is known of its entries") {
  const test::ScratchDir scratch;
  const std::string path = scratch / "l.h5";
  const std::vector<Multiplier> list{full_entry("a", test::asymmetric_lut(OperandType::u8u8)),
                                     Multiplier{"s", test::asymmetric_lut(OperandType::s8s8)},
                                     Multiplier{"m", test::asymmetric_lut(OperandType::u8s8)},
                                     Multiplier{"b", test::random_lut(OperandType::u8u8, 4)}};
  write_library(path, list);
  const ErrorTableFile file(path);
  CHECK(file.format() == "axmul-library");
  CHECK(file.complete());
  REQUIRE(file.entries().size() == 4);
  for (const TableEntry& entry : file.entries())
    for (const Multiplier& m : list)
      if (m.name == entry.name) {
        CHECK(file.multiplier(entry).lut == m.lut);
        CHECK(file.sha256(entry) == m.lut.sha256());
      }
  const Multiplier back = open_design(path + ":a");
  const Multiplier& a = list.front();
  CHECK(back.cost.power_mw == a.cost.power_mw);
  CHECK(back.cost.area_um2 == a.cost.area_um2);
  CHECK(back.cost.delay_ns == a.cost.delay_ns);
  CHECK(back.cost.power_rel == a.cost.power_rel);
  CHECK(back.cost.source == "published");
  CHECK(back.cost.technology == "PDK45");
  CHECK(back.provenance.source_file == "dir/x.v");
  CHECK(back.provenance.format == "verilog");
  CHECK(back.provenance.order == OperandOrder::ba);
  CHECK(back.provenance.order_from == "option");
  CHECK(back.provenance.index_from == "values");
  CHECK(back.provenance.decoding == "big-endian");
  CHECK(back.provenance.resemblance == 0.8125);
  CHECK(back.provenance.warning == "check it");
  CHECK(back.provenance.index == OperandIndex::bits);
  CHECK(back.provenance.type_from == "name");
  CHECK(back.provenance.generator == "drum(k=6)");
  CHECK(back.provenance.reference == "Somebody, 2015");
  CHECK(back.published == a.published);
  CHECK(back.aliases == a.aliases);
  CHECK(back.alias_published == a.alias_published);
  CHECK(back.provenance.output_shift == 3);
  CHECK(open_design(path + ":b").provenance.output_shift == 0);
  CHECK(back.transpose_of == "origin");
  CHECK(std::isnan(open_design(path + ":b").cost.power_mw));
  CHECK(test::python(R"(import sys, h5py, xarray as xr
g = h5py.File(sys.argv[1])['u8u8']
assert g['product'][0, 3, 200] == 3*3*200 + 7*3 - 5*200 + 11
ds = xr.open_dataset(sys.argv[1], group='s8s8', engine='h5netcdf')
assert int(ds['product'].sel(multiplier='s', operand_a=-3, operand_b=100)) == -900 - 21 - 500 + 11
)",
                     path));
}

TEST_CASE("texts name whole files, entries, aliases; near misses are suggested") {
  const test::ScratchDir scratch;
  const std::string path = scratch / "l.h5";
  write_library(path, std::vector<Multiplier>{
                          full_entry("drum(k=6)", test::asymmetric_lut(OperandType::u8u8)),
                          Multiplier{"exact", Lut::exact(OperandType::u8u8)}});
  CHECK(find({path}).size() == 2);
  CHECK(find({path + ":exact"}).at(0).load().lut == Lut::exact(OperandType::u8u8));
  CHECK(find({path + ":third"}).at(0).name == "drum(k=6)");
  CHECK(contains(input_error([&] { find({path + ":drum(k=7)"}); }), "did you mean drum(k=6)?"));
  CHECK(contains(input_error([&] { find({path + ":exakt"}); }), "did you mean exact?"));
  CHECK(contains(input_error([&] { open_design(path); }), "AX803"));
  CHECK(find({scratch.path().string()}).size() == 2);
  CHECK(find({"exact"}).at(0).load().lut == Lut::exact(OperandType::u8u8));
}

TEST_CASE("entries of one name are told apart by type and by hash") {
  const test::ScratchDir scratch;
  const std::string path = scratch / "l.h5";
  const Lut u = test::asymmetric_lut(OperandType::u8u8),
            s = test::asymmetric_lut(OperandType::s8s8);
  write_library(path, std::vector<Multiplier>{{"drum(k=6)", u}, {"drum(k=6)", s}});
  const DesignList all = find_designs(std::vector{path});
  REQUIRE(all.designs.size() == 2);
  for (const DesignRef& ref : all.designs) {
    CAPTURE(ref.name);
    CHECK(open_design(path + ":" + ref.name).lut == ref.load().lut);
  }
  CHECK(open_design(path + ":drum(k=6)@" + s.sha256()).lut == s);
  CHECK(contains(input_error([&] { find({path + ":drum(k=6)@00000000"}); }), "AX802"));
  CHECK(contains(input_error([&] { find({path + ":drum(k=6)@"}); }), "AX802"));
  OpenOptions options;
  options.read.type = OperandType::s8s8;
  CHECK(open_design(path + ":drum(k=6)", options).lut == s);
  options.read.type = OperandType::u8s8;
  CHECK(contains(input_error([&] { open_design(path + ":drum(k=6)", options); }),
                 "has type u8u8, not u8s8"));
}

TEST_CASE("names stay unique when a file is called like a hashed name") {
  const test::ScratchDir scratch;
  const Lut x = test::asymmetric_lut(OperandType::u8u8), y = Lut::exact(OperandType::u8u8);
  const Lut z = test::random_lut(OperandType::u8u8, 5);
  const std::string hashed = "m@" + x.sha256().substr(0, 8);
  for (const auto& [folder, name, lut] :
       {std::tuple("a", std::string("m"), x), {"b", "m", y}, {"c", hashed, z}, {"d", hashed, x}}) {
    std::filesystem::create_directory(scratch / folder);
    write_table((scratch / folder).string() + "/" + name + ".csv", {name, lut});
  }
  const std::vector<DesignRef> designs = find({scratch.path().string()});
  REQUIRE(designs.size() == 4);
  std::set<std::string> names;
  for (const DesignRef& ref : designs) {
    names.insert(ref.name);
    CHECK(ref.load().name == ref.name);
  }
  CHECK(names.size() == 4);
}

TEST_CASE("broken files in a folder are told, not only counted") {
  const test::ScratchDir scratch;
  const Lut lut = test::asymmetric_lut(OperandType::u8u8);
  write_table(scratch / "good.bin", {"good", lut});
  for (const std::string format : {"bin", "hex"}) {
    const std::string bytes = encode_table({"x", lut}, {.format = format});
    test::write_text(scratch / ("short." + format), bytes.substr(0, bytes.size() / 16));
  }
  test::write_text(scratch / "notes.txt", "nothing here\n");
  test::write_text(scratch / "notes.h", "int x;\n");
  write_library(scratch / "l.h5", std::vector<Multiplier>{{"m", lut}});
  const std::string whole = test::read_text(scratch / "l.h5");
  test::write_text(scratch / "short.h5", whole.substr(0, whole.size() / 2));
  const DesignList list = find_designs(std::vector{scratch.path().string()});
  CHECK(list.designs.size() == 2);
  CHECK(list.skipped == 5);
  const auto told = [&](const std::string& part) {
    return std::ranges::count_if(list.warnings, [&](const auto& w) { return contains(w, part); });
  };
  CHECK(list.warnings.size() == 3);
  CHECK(told("short.bin: has the extension of a bin table") == 1);
  CHECK(told("short.hex: has the extension of a hex table") == 1);
  CHECK(told("short.h5") == 1);
}

TEST_CASE("a partial table and a group that cannot be opened are told") {
  const test::ScratchDir scratch;
  const std::string path = scratch / "t.h5";
  CharacterizationOptions options;
  const DistributionSet distributions(options);
  ErrorTableWriter writer(path, distributions);
  characterize_designs(test::mixed_designs(), options, distributions,
                       [&](const Characterization& result) { writer.add(result); });
  const std::string partial = writer.finish_partial();
  for (const std::string& text : {partial, partial + ":signed", scratch.path().string()}) {
    const DesignList list = find_designs(std::vector{text});
    REQUIRE(list.warnings.size() == 1);
    CHECK(contains(list.warnings[0], "t.partial.h5: is incomplete"));
  }
  const std::string damaged = scratch / "d.h5";
  for (const std::string link : {"h5py.SoftLink('/u8u8')", "h5py.SoftLink('/absent')",
                                 "h5py.ExternalLink('x.h5', '/')", "[1, 2]"}) {
    CAPTURE(link);
    REQUIRE(
        test::python("import sys, h5py\nf = h5py.File(sys.argv[1], 'w')\n"
                     "f.attrs['format'] = 'axmul-library'\n"
                     "f.attrs['format_version'] = '1.0'\nf['u8u8'] = " +
                         link + "\n",
                     damaged));
    CHECK(contains(input_error([&] { ErrorTableFile file(damaged); }), "/u8u8: is no group"));
  }
}

TEST_CASE("error tables are sources too; one without products says so") {
  const test::ScratchDir scratch;
  const std::string with = scratch / "with.h5", without = scratch / "without.h5";
  test::write_table(with, test::mixed_designs(), {}, {});
  ErrorTableOptions table;
  table.products = false;
  test::write_table(without, test::mixed_designs(), {}, table);
  CHECK(find({with}).size() == 5);
  CHECK(find({with + ":signed"}).at(0).load().lut == test::random_lut(OperandType::s8s8, 7));
  CHECK(contains(input_error([&] { find({without}); }), "holds statistics but no products"));
  const ErrorTableFile file(without);
  CHECK(file.distributions(OperandType::u8u8) == std::vector<std::string>{"uniform x uniform"});
  CHECK(file.metric(OperandType::u8u8, "mae").size() == 3);
  CHECK(file.metric(OperandType::u8u8, "mae")[2] == 0);
  CHECK(file.metrics(OperandType::s8s8).size() == metric_fields().size());
}

TEST_CASE("a folder without designs, foreign HDF5 and unknown versions are refused") {
  const test::ScratchDir scratch;
  test::write_text(scratch / "readme.txt", "nothing here\n");
  CHECK(contains(input_error([&] { find({scratch.path().string()}); }), "AX801"));
  CHECK(contains(input_error([&] { find({scratch / "absent.h5"}); }), "AX800"));
  const std::string path = scratch / "x.h5";
  const auto h5py = [&](const std::string& code) {
    REQUIRE(test::python("import sys, h5py\nf = h5py.File(sys.argv[1], 'w')\n" + code, path));
    return input_error([&] { find({path}).at(0).load(); });
  };
  CHECK(contains(h5py("f['x'] = 1\n"), "has no attribute format"));
  CHECK(contains(h5py("f.attrs['format'] = 'axmul-traces'\n"), "axmul-traces"));
  const std::string library = "f.attrs['format'] = 'axmul-library'\nf.attrs['format_version'] = ";
  CHECK(contains(h5py(library + "'2.0'\n"), "this axmul reads 1.x"));
  CHECK(contains(h5py(library + "'1.7'\n"), "AX801"));
  const std::string group = library +
                            "'1.0'\ng = f.create_group('u8u8')\n"
                            "g['multiplier'] = ['m', 'n']\n";
  CHECK(contains(h5py(group + "g['product'] = [[1]]\n"), "/u8u8/product"));
  CHECK(contains(h5py(group + "g.create_dataset('product', (3, 256, 256), 'i4')\n"),
                 "shape [3, 256, 256] for 2 multipliers"));
  CHECK(contains(h5py(group + "g.create_dataset('product', (2, 256, 256), 'f4')\n"), "float32"));
  CHECK(contains(h5py(group + "d = g.create_dataset('product', (2, 256, 256), 'i4')\n"
                              "d[0, 7, 9] = 1 << 24\n"),
                 "16777216"));
  CHECK(contains(h5py(group + "g.create_dataset('product', (2, 256, 256), 'i4')\n"
                              "g['sha256'] = ['00' * 32] * 2\n"),
                 "damaged"));
  CHECK(contains(h5py(group + "g['operand_a'] = list(range(255, -1, -1))\n"), "/u8u8/operand_a"));
  CHECK(contains(h5py(group + "g['power_mw'] = [1.0]\n"), "/u8u8/power_mw"));
}

TEST_CASE("what another program writes by the documented layout is read") {
  const test::ScratchDir scratch;
  const std::string path = scratch / "x.h5";
  REQUIRE(test::python(R"(import sys, h5py, numpy as np
f = h5py.File(sys.argv[1], 'w')
f.attrs['format'] = 'axmul-library'; f.attrs['format_version'] = '1.0'
a = np.arange(-128, 128)[:, None]; b = np.arange(-128, 128)[None, :]
f['s8s8/multiplier'] = ['mine']
f['s8s8/product'] = np.array([3*a*b + 7*a - 5*b + 11], dtype='>i4')
)",
                       path));
  CHECK(open_design(path).lut == test::asymmetric_lut(OperandType::s8s8));
}

TEST_CASE("folding a list makes aliases, transposes and unique names") {
  const Lut x = test::asymmetric_lut(OperandType::u8u8);
  std::vector<Multiplier> list{{"x", x},
                               {"same", x},
                               {"turned", transposed(x)},
                               {"x", Lut::exact(OperandType::u8u8)},
                               {"x", x}};
  const auto notes = fold_library(list);
  REQUIRE(list.size() == 3);
  CHECK(list[0].name == "x@" + x.sha256().substr(0, 8));
  CHECK(list[0].aliases == std::vector<std::string>{"same"});
  CHECK(list[1].transpose_of == list[0].name);
  CHECK(list[2].transpose_of.empty());
  CHECK(notes.size() == 3);  // one alias, two renamed; the same name again is no news
}

TEST_CASE("names are settled before aliases: a name of two functions is the alias of neither") {
  // One tree has x and z, another calls z's function x: in either order x stands for two.
  const Lut f = test::asymmetric_lut(OperandType::u8u8), g = test::random_lut(OperandType::u8u8, 3);
  const auto hashed = [](const Lut& lut) { return "x@" + lut.sha256().substr(0, 8); };
  for (std::vector<Multiplier> list : {std::vector<Multiplier>{{"x", f}, {"z", g}, {"x", g}},
                                       std::vector<Multiplier>{{"z", g}, {"x", g}, {"x", f}}}) {
    const auto notes = fold_library(list);
    REQUIRE(list.size() == 2);
    CHECK(notes.size() == 3);
    const Multiplier& one = list[0].lut == f ? list[0] : list[1];
    const Multiplier& other = list[0].lut == f ? list[1] : list[0];
    CHECK(one.name == hashed(f));
    CHECK(other.name == "z");
    CHECK(other.aliases == std::vector<std::string>{hashed(g)});
  }
  // Aliases that a library brought along.
  Multiplier brought{"z", g};
  brought.aliases = {"x", "y"};
  std::vector<Multiplier> list{{"x", f}, brought, {"w", g}};
  fold_library(list);
  REQUIRE(list.size() == 2);
  CHECK(list[0].name == "x");
  CHECK(list[1].aliases == std::vector<std::string>{hashed(g), "y", "w"});
}

TEST_CASE("folding keeps the published figures of every file") {
  const Lut f = test::asymmetric_lut(OperandType::u8u8);
  const auto published = [&](const std::string& name, const std::string& mae) {
    Multiplier m{name, f};
    m.provenance.source_file = "dir/" + name + ".v";
    if (!mae.empty()) m.published_text = {{"MAE", mae}};
    if (!mae.empty()) m.published = {{"MAE", std::stod(mae)}};
    return m;
  };
  std::vector<Multiplier> list{published("a", ""), published("b", "1.5"), published("b", "1.50"),
                               published("c", "1.5"), published("d", "2.5")};
  fold_library(list);
  REQUIRE(list.size() == 1);
  CHECK(list[0].aliases == std::vector<std::string>{"b", "c", "d"});
  CHECK(list[0].published_text.at("MAE") == "1.5");
  CHECK(list[0].alias_published.size() == 2);
  CHECK(list[0].alias_published.at("b").at("MAE") == "1.50");
  CHECK(list[0].alias_published.at("d").at("MAE") == "2.5");
}

TEST_CASE("files that are given twice, and copies of a whole tree, are told in one line") {
  const test::ScratchDir scratch;
  for (const std::string folder : {"a", "b"}) {
    std::filesystem::create_directory(scratch / folder);
    for (int seed = 0; seed < 6; ++seed) {
      const std::string name = "m" + std::to_string(seed);
      write_table((scratch.path() / folder / (name + ".npy")).string(),
                  {name, test::random_lut(OperandType::u8u8, static_cast<std::uint64_t>(seed))});
    }
  }
  const std::string root = scratch.path().string(), a = root + "/a", b = root + "/b";
  const auto warnings = [&](const std::vector<std::string>& texts) {
    const DesignList list = find_designs(texts);
    CHECK(list.designs.size() == 6);
    return list.warnings;
  };
  CHECK(warnings({a}).empty());
  CHECK(warnings({a, a}).size() == 1);
  CHECK(warnings({a, root + "/b/../a"}).size() == 1);
  CHECK(warnings({a, a + "/m1.npy"}).size() == 1);
  CHECK(warnings({a, b}).size() == 1);
  CHECK(contains(warnings({root, a, b}).at(0), "12 files are given more than once"));
}
