# The training module is optional, and so is its benchmark.
if(TARGET axmul_train)
  target_link_libraries(bench_train PRIVATE axmul_train)
else()
  set_target_properties(bench_train PROPERTIES EXCLUDE_FROM_ALL ON)
endif()
