#include "sim/process/child_process.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>
#include <filesystem>

namespace wh {
namespace {

error os_error(const std::string& what) { return fail(errc::io, what + ": " + std::strerror(errno)); }

/// Everything that the child needs, made before the fork: after it, in a program with threads, nothing may be allocated.
struct launch {
  const char* program = nullptr;
  std::vector<char*> argv;
  int log = -1;
  int report = -1;  ///< takes the errno of what failed; closed unread by a successful exec
  pid_t parent = 0;
};

[[noreturn]] void give_up(int report) {
  const int why = errno;
  // Nobody is left to tell if this fails too.
  [[maybe_unused]] const auto written = ::write(report, &why, sizeof why);
  ::_exit(127);
}

/// Sockets of thousands of spokes must not live on in a hub that knows nothing of them.
void close_others_on_exec() {
  if (::syscall(SYS_close_range, 3U, UINT_MAX, CLOSE_RANGE_CLOEXEC) == 0) return;
  const long limit = ::sysconf(_SC_OPEN_MAX);
  for (int fd = 3; fd < limit; ++fd) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
}

[[noreturn]] void become(const launch& l) {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) give_up(l.report);
  // The parent may have died before the line above.
  if (::getppid() != l.parent) ::_exit(127);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const int in = ::open("/dev/null", O_RDONLY);
  if (in < 0 || ::dup2(in, STDIN_FILENO) < 0 || ::dup2(l.log, STDOUT_FILENO) < 0 || ::dup2(l.log, STDERR_FILENO) < 0)
    give_up(l.report);
  close_others_on_exec();
  ::execv(l.program, l.argv.data());
  give_up(l.report);
}

/// Waits until the child runs its program; an error if it could not.
result<void> await_exec(int report, const std::string& program) {
  int why = 0;
  ssize_t n = 0;
  do n = ::read(report, &why, sizeof why);
  while (n < 0 && errno == EINTR);
  if (n == 0) return {};
  if (n == static_cast<ssize_t>(sizeof why)) errno = why;
  return os_error("cannot run " + program);
}

result<pid_t> spawn(const child_options& options) {
  std::vector<std::string> words = {options.program};
  words.insert(words.end(), options.arguments.begin(), options.arguments.end());
  launch l{.program = options.program.c_str(), .argv = {}, .parent = ::getpid()};
  for (auto& word : words) l.argv.push_back(word.data());
  l.argv.push_back(nullptr);
  l.log = ::open(options.log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (l.log < 0) return os_error("cannot write " + options.log_file);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    const auto why = os_error("pipe");
    ::close(l.log);
    return why;
  }
  l.report = ends[1];
  const pid_t pid = ::fork();
  if (pid == 0) become(l);
  const auto forked =
      pid < 0 ? result<void>(os_error("cannot start a process for " + options.program)) : result<void>();
  ::close(l.log);
  ::close(ends[1]);
  const auto runs = forked ? await_exec(ends[0], options.program) : forked;
  ::close(ends[0]);
  if (runs) return pid;
  if (pid > 0) ::waitpid(pid, nullptr, 0);
  return runs.err();
}

}  // namespace

std::string process_end::text() const {
  if (!by_signal) return "exit code " + std::to_string(number);
  const char* name = ::sigabbrev_np(number);
  return name ? std::string("SIG") + name : "signal " + std::to_string(number);
}

result<std::unique_ptr<child_process>> child_process::start(const child_options& options) {
  std::unique_ptr<child_process> self(new child_process());
  self->watcher_ = std::thread([me = self.get(), options] { me->run(options); });
  std::unique_lock lock(self->mutex_);
  self->changed_.wait(lock, [&] { return self->started_.has_value(); });
  const auto started = *self->started_;
  lock.unlock();
  if (!started) return started.err();
  return self;
}

child_process::~child_process() {
  // It has ended already if this fails.
  static_cast<void>(send_signal(SIGKILL));
  watcher_.join();
}

void child_process::run(const child_options& options) {
  const auto pid = spawn(options);
  {
    const std::lock_guard lock(mutex_);
    if (pid) pid_ = *pid;
    started_ = pid ? result<void>() : result<void>(pid.err());
  }
  changed_.notify_all();
  if (pid) reap();
}

void child_process::reap() {
  siginfo_t info{};
  while (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
  }
  const std::lock_guard lock(mutex_);
  // Only now may its number go to another process: signals are sent under the mutex, and no more once end_ is set.
  ::waitpid(pid_, nullptr, 0);
  end_ = process_end{.by_signal = info.si_code != CLD_EXITED, .number = info.si_status};
  changed_.notify_all();
}

std::optional<process_end> child_process::ended() const {
  const std::lock_guard lock(mutex_);
  return end_;
}

std::optional<process_end> child_process::wait(duration timeout) const {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, timeout, [this] { return end_.has_value(); });
  return end_;
}

result<void> child_process::send_signal(int signal) {
  const std::lock_guard lock(mutex_);
  if (pid_ == 0 || end_) return fail(errc::not_found, "the process has ended");
  if (::kill(pid_, signal) != 0) return os_error("kill " + std::to_string(pid_));
  return {};
}

std::string own_program_folder() {
  std::error_code failed;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", failed);
  return failed ? std::string() : self.parent_path().string() + "/";
}

}  // namespace wh
