# The hub's API through its real binary: rates against etcd, lists, watches.
add_executable(api_bench
  ${CMAKE_CURRENT_LIST_DIR}/api/answer_reader.cpp ${CMAKE_CURRENT_LIST_DIR}/api/crowd.cpp
  ${CMAKE_CURRENT_LIST_DIR}/api/line.cpp ${CMAKE_CURRENT_LIST_DIR}/api/lists.cpp ${CMAKE_CURRENT_LIST_DIR}/api/load.cpp
  ${CMAKE_CURRENT_LIST_DIR}/api/main.cpp ${CMAKE_CURRENT_LIST_DIR}/api/objects.cpp
  ${CMAKE_CURRENT_LIST_DIR}/api/rates.cpp ${CMAKE_CURRENT_LIST_DIR}/api/report.cpp
  ${CMAKE_CURRENT_LIST_DIR}/api/servers.cpp ${CMAKE_CURRENT_LIST_DIR}/api/watches.cpp)
target_link_libraries(api_bench PRIVATE wh_sim_process)
add_dependencies(api_bench wheelhouse-hub)
# That it still runs, on next to nothing; what it measures here means nothing.
add_test(NAME api_bench_smoke COMMAND api_bench --parts rates,watches --connections 2 --rounds 1 --time 100ms
  --operations get,put,patch,create --watches 12 --changes 1)
