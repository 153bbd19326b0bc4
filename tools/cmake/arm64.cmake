# Toolchain: arm64 with g++-aarch64-linux-gnu; its libraries lie under AXMUL_SYSROOT (tools/test-arm64
# makes one), its programs run under qemu-user.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES AXMUL_SYSROOT)
set(CMAKE_SYSROOT ${AXMUL_SYSROOT})
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
# Notes of a change between GCC 9 and 10 in how some pairs are passed.
set(CMAKE_CXX_FLAGS_INIT -Wno-psabi)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64 -L ${AXMUL_SYSROOT})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
# FindHDF5 asks a compiler wrapper, and the machine's own is not of this architecture.
set(HDF5_C_COMPILER_EXECUTABLE OFF CACHE FILEPATH "")
set(HDF5_NO_FIND_PACKAGE_CONFIG_FILE TRUE)
set(HDF5_C_INCLUDE_DIR ${AXMUL_SYSROOT}/usr/include/hdf5/serial CACHE PATH "")
