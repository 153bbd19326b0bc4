#!/bin/bash
# A user of tables: everything about a folder of designs as one HDF5 file, and what is in it.
set -euo pipefail

# A folder of product tables in different formats.
mkdir -p tables
axmul generate 'drum(k=6)' -o tables/drum6.bin
axmul generate 'truncated(k=4)' -o tables/trunc4.npy
axmul generate mitchell -o tables/mitchell.csv

# What is what, and how it was read.
axmul list tables/ --columns type,sha256,format
axmul info tables/drum6.bin

# Products, errors and all figures under two distributions as HDF5.
axmul export tables/ --a uniform --a 'acts=halfnormal(std=40)' -o tables.h5

# The three smallest errors as CSV for a spreadsheet.
axmul characterize tables.h5 --sort mred --columns mred,mae,wce --top 3 --format csv

# The same figure read by an independent tool.
/usr/bin/python3 - <<'PYTHON'
import h5py

with h5py.File("tables.h5") as file:
    group = file["u8u8"]
    for name, error in zip(group["multiplier"].asstr()[:], group["mae"][:, 0]):
        print(f"{name}: MAE {error:.2f}")
PYTHON
