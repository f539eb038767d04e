#pragma once
#include <memory>

#include "nodes/common/options.hpp"
#include "nodes/spoke/spoke_settings.hpp"
#include "transport/proxy.hpp"

namespace wh {

void add_proxy_options(command& program, proxy_settings& s);

/// The proxy that settings name, with its credentials and CA read from their files; null without one. Errors name flag and
/// file, never a password.
result<std::shared_ptr<const proxy_config>> open_proxy(const proxy_settings& s);

}  // namespace wh
