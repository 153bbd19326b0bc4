#!/usr/bin/env python3
"""axmul bench says which core OpenBLAS computes with, what forces it, and what it takes by itself."""
import json
import os
import subprocess
import sys


def bench(program, **variables):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS_")}
    environment.update(variables)
    result = subprocess.run(
        [program, "bench", "--shape", "4,8,16", "--lut", "exact", "--seconds", "0.01", "--format",
         "json"], check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment,
        encoding="utf-8")
    return json.loads(result.stdout), result.stderr


def main():
    program = sys.argv[1]
    plain, words = bench(program)
    if not plain["blas_core"] or os.uname().machine != "x86_64":
        print("needs OpenBLAS on x86-64")
        sys.exit(77)
    assert plain["blas_own_core"] == "" and "OPENBLAS" not in words, (plain, words)
    assert not any(v.startswith("OPENBLAS") for v in plain["environment"])

    other = "Prescott" if plain["blas_core"] != "Prescott" else "Nehalem"
    forced, words = bench(program, OPENBLAS_CORETYPE=other, OPENBLAS_L2_SIZE="512")
    assert forced["blas_core"] == other, forced["blas_core"]
    assert forced["blas_own_core"] == plain["blas_core"], forced["blas_own_core"]
    assert f"OPENBLAS_CORETYPE={other}" in forced["environment"]
    assert "OPENBLAS_L2_SIZE=512" in forced["environment"]
    assert f"by itself it would take {plain['blas_core']}" in words, words

    same, words = bench(program, OPENBLAS_CORETYPE=plain["blas_core"])
    assert same["blas_core"] == plain["blas_core"] and same["blas_own_core"] == "", same
    assert "by itself" not in words, words
    for r in forced["results"]:
        low, high = r["mac_per_second_spread"]
        assert low <= r["mac_per_second"] <= high
        low, high = r["ratio_to_spread"]["sgemm"]
        assert low <= r["ratio_to"]["sgemm"] <= high


main()
