# TLS handshakes of links per second, full and resumed.
add_executable(handshake_bench ${CMAKE_CURRENT_LIST_DIR}/handshake_bench.cpp)
target_link_libraries(handshake_bench PRIVATE wh_transport)
