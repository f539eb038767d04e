# What ManagedClusterSets cost a hub.
add_executable(cluster_sets_bench ${CMAKE_CURRENT_LIST_DIR}/cluster_sets_bench.cpp)
target_link_libraries(cluster_sets_bench PRIVATE wh_actors)
