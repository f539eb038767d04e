#include "nodes/hub/front_settings.hpp"

namespace wh {
namespace {

constexpr const char* group = "Requests";

result<void> between(const char* flag, std::uint64_t value, std::uint64_t least, std::uint64_t most,
                     const char* unit = "") {
  if (value >= least && value <= most) return {};
  return fail(errc::invalid, std::string(flag) + " must be between " + std::to_string(least) + " and " +
                                 std::to_string(most) + unit + ", not " + std::to_string(value));
}

}  // namespace

void add_front_options(command& program, front_settings& s) {
  program.add({.name = "request-threads", .value = "N", .help = "Threads that serve API requests", .group = group},
              s.threads);
  program.add({.name = "requests-running",
               .value = "N",
               .help = "API requests begun and not answered, of all users together; most of them wait for the disk",
               .group = group},
              s.running);
  program.add({.name = "user-requests-running",
               .value = "N",
               .help = "API requests of one user begun and not answered; further ones wait",
               .group = group},
              s.user_running);
  program.add({.name = "user-requests-waiting",
               .value = "N",
               .help = "API requests of one user that wait for their turn; further ones get 429",
               .group = group},
              s.user_waiting);
  program.add({.name = "user-answers-unread",
               .value = "MIB",
               .help = "Answers that one user's clients have yet to read, in MiB; who has more gets 429",
               .group = group},
              s.user_unread_mib);
  program.add({.name = "requests-waiting-size",
               .value = "MIB",
               .help = "Bodies of all API requests that wait, in MiB; what comes beyond gets 429",
               .group = group},
              s.waiting_mib);
  program.add({.name = "requests-wait",
               .value = "DURATION",
               .help = "How long an API request may wait for its turn before it gets 429",
               .group = group},
              s.wait);
}

result<void> validate(const front_settings& s) {
  for (const auto& ok :
       {between("--request-threads", s.threads, 1, 256), between("--requests-running", s.running, 1, 100'000),
        between("--user-requests-running", s.user_running, 1, 100'000),
        between("--user-requests-waiting", s.user_waiting, 1, 100'000),
        between("--user-answers-unread", s.user_unread_mib, 1, 65'536, " MiB"),
        between("--requests-waiting-size", s.waiting_mib, 4, 65'536, " MiB")})
    if (!ok) return ok;
  if (s.wait < std::chrono::seconds(1) || s.wait > std::chrono::minutes(10))
    return fail(errc::invalid, "--requests-wait must be between 1s and 10m");
  return {};
}

fair_limits limits_of(const front_settings& s) {
  fair_limits out;
  out.threads = static_cast<unsigned>(s.threads);
  out.running_max = s.running;
  out.user_running_max = s.user_running;
  out.user_waiting_max = s.user_waiting;
  out.waiting_bytes_max = s.waiting_mib << 20;
  out.user_unread_bytes_max = s.user_unread_mib << 20;
  out.wait_max = s.wait;
  return out;
}

}  // namespace wh
