#!/bin/bash
# A performance engineer: which kernels simulate by table here, and how fast is a shape of mine?
set -euo pipefail

axmul bench --list
axmul generate 'drum(k=6)' -o drum6.bin
axmul bench --lut drum6.bin --shape 64,288,256
