# One OBJECT target per layer, all of them together one shared libaxmul, and tests per file.

add_library(axmul_flags INTERFACE)
target_compile_features(axmul_flags INTERFACE cxx_std_20)
target_include_directories(axmul_flags INTERFACE ${CMAKE_SOURCE_DIR}/include ${CMAKE_BINARY_DIR}/include
                                                 ${CMAKE_SOURCE_DIR}/src)
# -Wno-restrict: g++ 12 warns wrongly of std::string concatenation (GCC bug 105651).
target_compile_options(axmul_flags INTERFACE -Wall -Wextra -Wconversion -Wshadow
                                             $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
                                             $<$<BOOL:${AXMUL_WERROR}>:-Werror>)
if(AXMUL_SANITIZE)
  target_compile_options(axmul_flags INTERFACE -fsanitize=${AXMUL_SANITIZE} -fno-omit-frame-pointer
                                               -fno-sanitize-recover=all)
  target_link_options(axmul_flags INTERFACE -fsanitize=${AXMUL_SANITIZE})
endif()

include(AxmulHardening)

set_property(GLOBAL PROPERTY AXMUL_LAYERS "")

# axmul_layer(NAME SOURCES file... [LINK target...]): the OBJECT target axmul_NAME.
# Sources named *_simd.cpp are compiled with -ffp-contract=off, so all clones give the same bits.
function(axmul_layer name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
  set(target axmul_${name})
  if(NOT arg_SOURCES)
    return()
  endif()
  add_library(${target} OBJECT ${arg_SOURCES})
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON
                        CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  target_compile_definitions(${target} PRIVATE AXMUL_BUILDING)
  target_link_libraries(${target} PRIVATE axmul_flags OpenMP::OpenMP_CXX ${arg_LINK})
  foreach(source IN LISTS arg_SOURCES)
    if(source MATCHES "_simd\\.cpp$")
      set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "-ffp-contract=off")
    endif()
  endforeach()
  set_property(GLOBAL APPEND PROPERTY AXMUL_LAYERS ${target})
  set_property(GLOBAL APPEND PROPERTY AXMUL_LINK ${arg_LINK})
endfunction()

# The shared library users link, and the interface target (all objects) that tests and tools link.
function(axmul_shared_library)
  get_property(layers GLOBAL PROPERTY AXMUL_LAYERS)
  get_property(link GLOBAL PROPERTY AXMUL_LINK)
  list(REMOVE_DUPLICATES link)
  add_library(axmul_shared SHARED)
  add_library(axmul_objects INTERFACE)
  foreach(layer IN LISTS layers)
    target_sources(axmul_shared PRIVATE $<TARGET_OBJECTS:${layer}>)
    target_sources(axmul_objects INTERFACE $<TARGET_OBJECTS:${layer}>)
  endforeach()
  set_target_properties(axmul_shared PROPERTIES OUTPUT_NAME axmul EXPORT_NAME axmul LINKER_LANGUAGE CXX
                        VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
  target_compile_features(axmul_shared INTERFACE cxx_std_20)
  target_include_directories(axmul_shared INTERFACE $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include>
                             $<BUILD_INTERFACE:${CMAKE_BINARY_DIR}/include>
                             $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(axmul_shared PRIVATE axmul_flags OpenMP::OpenMP_CXX ${link})
  target_link_libraries(axmul_objects INTERFACE axmul_flags OpenMP::OpenMP_CXX ${link})
  add_library(axmul::axmul ALIAS axmul_shared)
endfunction()

# axmul_tests(LAYER file...): one doctest executable axmul_test_LAYER; one ctest per file, named
# LAYER/file. A file named *_slow_test.cpp carries the label slow, *_optional_test.cpp (needs what not
# every machine has) the label optional; exit code 77 reports a skip.
function(axmul_tests layer)
  cmake_parse_arguments(arg "" "" "LINK" ${ARGN})
  set(target axmul_test_${layer})
  add_executable(${target} ${arg_UNPARSED_ARGUMENTS})
  target_link_libraries(${target} PRIVATE axmul_objects axmul_test_main ${arg_LINK})
  foreach(file IN LISTS arg_UNPARSED_ARGUMENTS)
    get_filename_component(stem ${file} NAME_WE)
    string(REGEX REPLACE "_test$" "" short ${stem})
    add_test(NAME ${layer}/${short} COMMAND ${target} --source-file=*/${file})
    set_tests_properties(${layer}/${short} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 600
                         ENVIRONMENT OMP_WAIT_POLICY=passive)  # tests share their cores
    if(stem MATCHES "_slow_test$")
      set_tests_properties(${layer}/${short} PROPERTIES LABELS slow TIMEOUT 7200)
    elseif(stem MATCHES "_optional_test$")
      set_tests_properties(${layer}/${short} PROPERTIES LABELS optional)
    endif()
  endforeach()
endfunction()
