#include "nodes/common/version.hpp"

#ifndef WH_VERSION
#define WH_VERSION "0.0.0-unbuilt"
#endif

namespace wh {

std::string_view software_version() { return WH_VERSION; }

}  // namespace wh
