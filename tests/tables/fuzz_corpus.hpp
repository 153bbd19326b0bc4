// Seeds and target of the HDF5 fuzzers: our own files, and files by h5py in its older layout.
#pragma once

#include "axmul/tables/open_design.hpp"
#include "axmul/tables/traces.hpp"
#include "support/fuzz.hpp"
#include "tables/tables_support.hpp"

namespace axmul::test {

inline std::vector<std::string> hdf5_corpus(const std::filesystem::path& folder) {
  const std::vector<Multiplier> entries{
      {"steps", Lut::from_function(OperandType::u8u8, [](int a, int b) { return a * (b & 240); })},
      {"ones", Lut::from_function(OperandType::s8s8, [](int a, int) { return a; })}};
  write_library(folder / "library.h5", entries);
  write_table(folder / "table.h5", {design("steps", entries[0].lut)}, {}, {});
  LayerOperands layer;
  layer.name = "fc";
  layer.fan_in = layer.in_channels = 4;
  layer.out_channels = 2;
  layer.patch_count = 3;
  layer.patches = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  layer.weights = {1, 2, 3, 4, 5, 6, 7, 8};
  write_traces(folder / "traces.h5", "net", std::span(&layer, 1));
  REQUIRE(python(R"(import sys, h5py, numpy as np
f = h5py.File(sys.argv[1] + '/old_library.h5', 'w')
f.attrs.update(format='axmul-library', format_version='1.0')
g = f.create_group('u8u8')
g['multiplier'] = ['m']
g.create_dataset('product', data=np.arange(65536).reshape(1, 256, 256) // 256, dtype='i4',
                 chunks=(1, 64, 256), compression=4, shuffle=True)
f.close()
f = h5py.File(sys.argv[1] + '/old_traces.h5', 'w')
f.attrs.update(format='axmul-traces', format_version='1.0')
g = f.create_group('traces/n/conv')
g.create_dataset('patches', data=np.full((4, 18), 7, 'u1'), compression=4, chunks=(2, 9))
g['weights'] = np.full((18, 5), 9, 'u1')
g.attrs.update(type='u8u8', layer_index=0, fan_in=18, b_scale=np.ones(5), tap_order='c,kh,kw')
)",
                 folder.string()));
  std::vector<std::string> corpus;
  for (const char* name :
       {"library.h5", "table.h5", "traces.h5", "old_library.h5", "old_traces.h5"})
    corpus.push_back(read_text(folder / name));
  return corpus;
}

/// Everything a user can do with a file: designs of it, layers of it, a distribution of it.
inline void read_everything(const std::string& path) {
  bool refused = false;
  try {
    const ErrorTableFile file(path);
    for (const TableEntry& entry : file.entries()) file.multiplier(entry);
    for (const OperandType type : kOperandTypes)
      if (file.has_products(type))
        for (const std::string& name : file.metrics(type)) file.metric(type, name);
  } catch (const InputError&) {
    refused = true;
  }
  try {
    read_traces(path);
  } catch (const InputError&) {
    if (refused) throw;
  }
}

inline void fuzz_tables(double seconds) {
  const ScratchDir scratch;
  const std::vector<std::string> corpus = hdf5_corpus(scratch.path());
  FuzzOptions options;
  options.seconds = seconds;
  options.max_case_seconds = 60;  // an endless loop of the HDF5 library is ended after 5 s of CPU
  options.dictionary = {"OHDR", "FRHP", "BTHD", "TREE",
                        "GCOL", "HEAP", "SNOD", "\x89HDF\r\n\x1a\n"};
  const std::string path = scratch / "input.h5";
  const FuzzReport report = fuzz(
      "hdf5", corpus,
      [&](const std::string& input) {
        write_text(path, input);
        read_everything(path);
      },
      options);
  CHECK(report.refused > 0);
  CHECK(report.accepted >= corpus.size());
}

}  // namespace axmul::test
