#!/bin/bash
# A circuit designer: what errors has my multiplier, what does it cost, where does it stand?
set -euo pipefail

# The circuit. Yours is a Verilog file; this one is written by a generator.
axmul generate 'broken_array(h=2,v=5)' --verilog -o mine.v

# Its errors, under uniform operands and under those of a network: zeros and small activations.
axmul characterize mine.v --a uniform --a 'relu=0.4*point(0)+0.6*halfnormal(std=40)'

# Its cost from the gates, relative to an exact array multiplier.
axmul cost mine.v

# Where it stands in the shipped library: by cost and mean relative error.
axmul characterize mine.v --against "$AXMUL_SOURCE/luts/axmul-library.h5" --x power_rel --y mred

# The same as pictures, and all of it on one page.
axmul plot heatmap mine.v -o mine-errors.svg
axmul plot pareto mine.v --against "$AXMUL_SOURCE/luts/axmul-library.h5" --y mred -o mine-front.svg --data mine-front.csv
axmul report mine.v --against "$AXMUL_SOURCE/luts/axmul-library.h5" --y mred -o mine.html
