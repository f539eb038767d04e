# What a question to RBAC costs.
add_executable(access_bench ${CMAKE_CURRENT_LIST_DIR}/access_bench.cpp)
target_link_libraries(access_bench PRIVATE wh_apiserver)
