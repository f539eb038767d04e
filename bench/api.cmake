# The hub's API through its real binary: rates against etcd, lists, watches.
add_executable(api_bench
  ${CMAKE_CURRENT_LIST_DIR}/api/answer_reader.cpp ${CMAKE_CURRENT_LIST_DIR}/api/crowd.cpp
  ${CMAKE_CURRENT_LIST_DIR}/api/line.cpp ${CMAKE_CURRENT_LIST_DIR}/api/lists.cpp ${CMAKE_CURRENT_LIST_DIR}/api/load.cpp
  ${CMAKE_CURRENT_LIST_DIR}/api/main.cpp ${CMAKE_CURRENT_LIST_DIR}/api/objects.cpp
  ${CMAKE_CURRENT_LIST_DIR}/api/rates.cpp ${CMAKE_CURRENT_LIST_DIR}/api/report.cpp
  ${CMAKE_CURRENT_LIST_DIR}/api/servers.cpp ${CMAKE_CURRENT_LIST_DIR}/api/watches.cpp)
target_link_libraries(api_bench PRIVATE wh_sim_process)
add_dependencies(api_bench wheelhouse-hub)
