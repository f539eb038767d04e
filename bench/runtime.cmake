# Messages per second through the shell and through bare CAF, bytes per actor, scheduling policies.
add_executable(runtime_bench ${CMAKE_CURRENT_LIST_DIR}/runtime_bench.cpp)
target_link_libraries(runtime_bench PRIVATE wh_runtime)
if(WH_SANITIZE MATCHES "undefined")
  target_compile_options(runtime_bench PRIVATE -fno-sanitize=null)  # CAF's headers, as in actors/runtime
endif()
