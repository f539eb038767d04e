# What a change costs when ten thousand clients watch it.
add_executable(watch_bench ${CMAKE_CURRENT_LIST_DIR}/watch_bench.cpp)
target_link_libraries(watch_bench PRIVATE wh_apiserver)
