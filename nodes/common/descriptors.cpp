#include "nodes/common/descriptors.hpp"

#include <sys/resource.h>

#include <cerrno>
#include <cstring>

namespace wh {

result<descriptor_limits> read_descriptor_limits() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return fail(errc::io, std::string("cannot read the limit of open files: ") + std::strerror(errno));
  return descriptor_limits{.soft = limit.rlim_cur, .hard = limit.rlim_max};
}

result<descriptor_limits> raise_descriptor_limit() {
  auto limits = read_descriptor_limits();
  if (!limits || limits->soft == limits->hard) return limits;
  const rlimit raised{limits->hard, limits->hard};
  if (::setrlimit(RLIMIT_NOFILE, &raised) != 0)
    return fail(errc::io, "cannot raise the limit of open files from " + std::to_string(limits->soft) + " to " +
                              std::to_string(limits->hard) + ": " + std::strerror(errno));
  limits->soft = limits->hard;
  return limits;
}

}  // namespace wh
