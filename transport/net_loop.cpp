#include "transport/net_loop.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <csignal>

#include "base/assert.hpp"

namespace wh {
loop_resident::~loop_resident() {
  const auto core = home_.lock();
  if (!core) return;
  const std::lock_guard lock(core->mutex_);
  core->residents_.erase(place_);
}

bool loop_resident::settle(const std::shared_ptr<loop_core>& core) {
  const std::lock_guard lock(core->mutex_);
  if (core->stopped) return false;
  place_ = core->residents_.insert(core->residents_.end(), weak_from_this());
  home_ = core;
  return true;
}

void loop_core::evict_all() {
  // Collected first: giving up a handler may end other residents, which take the mutex to leave.
  std::vector<std::shared_ptr<loop_resident>> all;
  {
    const std::lock_guard lock(mutex_);
    stopped = true;
    for (const auto& resident : residents_)
      if (auto alive = resident.lock()) all.push_back(std::move(alive));
  }
  for (const auto& resident : all) resident->loop_stopped();
  behind_.close();
  handshakes_.close();
}

void loop_core::post_behind(std::function<void()> f) { behind_.post(std::move(f)); }

void loop_core::post_handshake(std::function<void()> f) { handshakes_.post(std::move(f)); }

void slow_lane::post(std::function<void()> f) {
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  waiting_.push_back(std::move(f));
  if (!std::exchange(runs_, true)) asio::post(io_, [this] { run(); });
}

void slow_lane::run() {
  std::vector<std::function<void()>> due;
  {
    const std::lock_guard lock(mutex_);
    for (; !waiting_.empty() && due.size() < at_once_; waiting_.pop_front()) due.push_back(std::move(waiting_.front()));
    // Before these run, so that another thread may take the next ones meanwhile.
    runs_ = !waiting_.empty();
    if (runs_) asio::post(io_, [this] { run(); });
  }
  for (const auto& f : due) f();
}

void slow_lane::close() {
  std::deque<std::function<void()>> dropped;  // outlives the lock: what the functions hold may be anything
  const std::lock_guard lock(mutex_);
  closed_ = true;
  dropped.swap(waiting_);
}

bool event_loop::impl::on_own_thread() const {
  return std::any_of(threads.begin(), threads.end(),
                     [](const std::thread& t) { return t.get_id() == std::this_thread::get_id(); });
}

namespace {

// A handler that throws must not take the loop's other connections with it.
void run_loop(asio::io_context& io) {
  while (true) {
    try {
      io.run();
      return;
    } catch (const std::exception& e) {
      spdlog::error("event loop: a handler threw: {}", e.what());
    }
  }
}

}  // namespace

event_loop::event_loop(unsigned threads) : impl_(std::make_unique<impl>()) {
  for (unsigned i = 0; i < std::max(threads, 1U); ++i)
    impl_->threads.emplace_back([core = impl_->core] { run_loop(core->io); });
}

event_loop::~event_loop() {
  WH_ASSERT(!impl_->on_own_thread());
  stop();
}

void event_loop::post(std::function<void()> f) {
  const std::lock_guard lock(impl_->mutex);
  if (!impl_->joined) asio::post(impl_->core->io, std::move(f));
}

std::uint64_t event_loop::after(duration d, std::function<void()> f) {
  const std::lock_guard lock(impl_->mutex);
  if (impl_->joined) return 0;
  const auto token = impl_->next_token++;
  auto timer = std::make_unique<loop_timer>(impl_->core->io, d);
  timer->async_wait([self = impl_.get(), token](const asio_error&) {
    impl::waiting due;
    {
      // cancel() may come when the timer has expired already and this handler is queued: the map decides.
      const std::lock_guard guard(self->mutex);
      const auto found = self->timers.find(token);
      if (found == self->timers.end()) return;
      due = std::move(found->second);
      self->timers.erase(found);
    }
    due.then();
  });
  impl_->timers.emplace(token, impl::waiting{std::move(timer), std::move(f)});
  return token;
}

void event_loop::cancel(std::uint64_t token) {
  impl::waiting dropped;  // outlives the lock: what the function holds may be anything
  const std::lock_guard lock(impl_->mutex);
  const auto found = impl_->timers.find(token);
  if (found == impl_->timers.end()) return;
  dropped = std::move(found->second);
  impl_->timers.erase(found);
}

void event_loop::on_terminate(std::function<void(int signal)> f) {
  const std::lock_guard lock(impl_->mutex);
  if (impl_->joined) return;
  impl_->signals = std::make_unique<asio::basic_signal_set<loop_executor>>(impl_->core->io, SIGTERM, SIGINT);
  impl_->signals->async_wait([self = impl_.get(), f = std::move(f)](const asio_error& ec, int signal) {
    if (ec) return;
    {
      // From here the default applies: a second Ctrl-C ends a program that hangs in its shutdown.
      const std::lock_guard guard(self->mutex);
      asio_error ignored;
      if (self->signals) self->signals->clear(ignored);
    }
    f(signal);
  });
}

void event_loop::stop() {
  impl_->core->io.stop();
  // From a handler of the loop itself only the end can be asked for; the destructor, elsewhere, waits for it.
  if (impl_->on_own_thread()) return;
  {
    const std::lock_guard lock(impl_->mutex);
    if (impl_->joined) return;
    impl_->joined = true;
  }
  for (auto& thread : impl_->threads) thread.join();
  impl_->core->evict_all();
  std::unordered_map<std::uint64_t, impl::waiting> dropped;
  const std::lock_guard lock(impl_->mutex);
  dropped.swap(impl_->timers);
  impl_->signals.reset();
}

void watch_refused_clients(event_loop& loop, refused_client_function tell) {
  loop.internals().core->tell_refused = std::move(tell);
}

}  // namespace wh
