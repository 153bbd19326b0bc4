# libaxmul_torch.so for one PyTorch, from a C++20 compiler and that PyTorch alone (tools/build-torch):
# AXMUL_TORCH_INCLUDES    its include folders
# AXMUL_TORCH_LIBRARIES   paths of libtorch, libtorch_cpu and libc10
# AXMUL_TORCH_CXX11_ABI   ON or OFF, as its libstdc++ strings are
# AXMUL_TORCH_OPENMP      the OpenMP runtime it brings along, so that there is one only; may be empty
foreach(name IN ITEMS INCLUDES LIBRARIES CXX11_ABI)
  if(NOT DEFINED AXMUL_TORCH_${name})
    message(FATAL_ERROR "AXMUL_TORCH_${name} is missing: run tools/build-torch")
  endif()
endforeach()
add_library(axmul_libtorch INTERFACE)
target_include_directories(axmul_libtorch SYSTEM INTERFACE ${AXMUL_TORCH_INCLUDES})
target_link_libraries(axmul_libtorch INTERFACE ${AXMUL_TORCH_LIBRARIES})
# In every file: strings go from core to the operators.
add_compile_definitions(_GLIBCXX_USE_CXX11_ABI=$<BOOL:${AXMUL_TORCH_CXX11_ABI}>)
if(AXMUL_TORCH_OPENMP)
  set_target_properties(OpenMP::OpenMP_CXX PROPERTIES INTERFACE_LINK_LIBRARIES "${AXMUL_TORCH_OPENMP}")
endif()
foreach(layer IN ITEMS core kernels train/operators)
  add_subdirectory(src/${layer})
endforeach()
