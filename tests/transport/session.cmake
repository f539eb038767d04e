wh_test(session_test SOURCES frame_codec_test.cpp session_test.cpp spoke_identity_test.cpp DEPENDS wh_session)
wh_test(virtual_link_test SOURCES spoke_addresses_test.cpp virtual_link_test.cpp virtual_storm_test.cpp DEPENDS wh_sim wh_hub wh_spoke)
wh_test(link_host_test SOURCES link_host_test.cpp link_conduct_test.cpp order_book_test.cpp DEPENDS wh_hub wh_spoke wh_transport)
