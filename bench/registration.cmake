# What registration costs: joins, heartbeats, renewals.
add_executable(registration_bench ${CMAKE_CURRENT_LIST_DIR}/registration_bench.cpp)
target_link_libraries(registration_bench PRIVATE wh_sim_fleet wh_node_parts)
