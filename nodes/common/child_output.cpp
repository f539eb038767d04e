#include "nodes/common/child_output.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

extern char** environ;

namespace wh {
namespace {

using clock = std::chrono::steady_clock;

/// Our environment with some of it replaced.
std::vector<std::string> whole_environment(const std::vector<std::string>& changes) {
  const auto name_of_entry = [](std::string_view entry) { return entry.substr(0, entry.find('=')); };
  std::vector<std::string> all = changes;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const auto replaced = [&](const std::string& change) { return name_of_entry(change) == name_of_entry(*entry); };
    if (std::none_of(changes.begin(), changes.end(), replaced)) all.emplace_back(*entry);
  }
  return all;
}

std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (auto& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

/// Starts it with `out` as its stdout.
result<pid_t> start(const child_command& command, int out) {
  auto words = command.words;
  auto environment = whole_environment(command.environment);
  const auto argv = pointers_to(words);
  const auto envp = pointers_to(environment);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  if (!command.own_stdin) ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  pid_t child = 0;
  const int failed = ::posix_spawnp(&child, argv.front(), &actions, nullptr, argv.data(), envp.data());
  ::posix_spawn_file_actions_destroy(&actions);
  if (failed == 0) return child;
  return fail(failed == ENOENT ? errc::not_found : errc::io, std::string("cannot be run: ") + std::strerror(failed));
}

result<std::string> read_until(int fd, clock::time_point deadline, std::size_t bytes_max) {
  std::string text;
  char buffer[4096];
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - clock::now()).count();
    if (left <= 0) return fail(errc::timeout, "did not end in time");
    pollfd waiting{.fd = fd, .events = POLLIN, .revents = 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(std::min<std::int64_t>(left, 60'000)));
    if (ready == 0 || (ready < 0 && errno == EINTR)) continue;
    const auto n = ::read(fd, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(errc::io, std::string("its output cannot be read: ") + std::strerror(errno));
    if (n == 0) return text;
    text.append(buffer, static_cast<std::size_t>(n));
    if (text.size() > bytes_max)
      return fail(errc::too_large, "printed more than " + std::to_string(bytes_max) + " bytes");
  }
}

/// Waits for its end, until the deadline; it may have closed its output long before.
result<void> reap(pid_t child, clock::time_point deadline) {
  int status = 0;
  while (true) {
    const auto ended = ::waitpid(child, &status, WNOHANG);
    if (ended == child) break;
    if (ended < 0 && errno != EINTR) return fail(errc::io, std::string("was lost: ") + std::strerror(errno));
    if (clock::now() >= deadline) {
      ::kill(child, SIGKILL);
      ::waitpid(child, &status, 0);
      return fail(errc::timeout, "did not end in time");
    }
    ::poll(nullptr, 0, 5);
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return fail(errc::io, WIFEXITED(status) ? "ended with exit code " + std::to_string(WEXITSTATUS(status))
                                          : "was ended by signal " + std::to_string(WTERMSIG(status)));
}

}  // namespace

result<std::string> output_of(const child_command& command) {
  const auto deadline = clock::now() + command.timeout;
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail(errc::io, std::string("cannot make a pipe: ") + std::strerror(errno));
  const auto child = start(command, ends[1]);
  ::close(ends[1]);
  result<std::string> text = child ? read_until(ends[0], deadline, command.bytes_max) : child.err();
  ::close(ends[0]);
  if (!child) return text;
  if (!text) ::kill(*child, SIGKILL);
  const auto ended = reap(*child, deadline);
  if (text && !ended) return ended.err();
  return text;
}

}  // namespace wh
