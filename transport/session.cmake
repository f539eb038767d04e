# The link protocol without I/O: nodes put it on TLS, the simulator on a fake network.
wh_library(wh_session SOURCES frame_codec.cpp session.cpp session_rules.cpp spoke_identity.cpp DEPENDS wh_base wh_messages)
