# Where the layer lists lie.
target_compile_definitions(bench_lut_conv PRIVATE AXMUL_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
