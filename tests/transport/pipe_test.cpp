#include <catch2/catch.hpp>

#include <malloc.h>

#include <cerrno>

#include "fixtures.hpp"
#include "transport/pipe.hpp"

using namespace wh;
using namespace wh::test;
using namespace std::chrono_literals;

namespace {

struct waiter final : port_waiter {
  void port_ready(readiness what, bool ok) override {
    if (ok) (what == readiness::readable ? readable : writable).set(true);
  }
  awaited<bool> readable, writable;
};

/// Both ends, and a loop to wait on.
struct piped {
  event_loop loop{1};
  loop_strand strand{loop.internals().core->io.get_executor()};
  pipe_ends ends = make_pipe("near:1", "far:1");
  byte_port& near = *ends.near;
  byte_port& far = *ends.far;

  std::shared_ptr<waiter> wait(byte_port& port, readiness what) const {
    auto who = std::make_shared<waiter>();
    port.wait(what, strand, who);
    return who;
  }
  /// Everything posted before has run.
  void settle() {
    awaited<bool> done;
    asio::post(strand, [&] { done.set(true); });
    done.get();
  }
};

std::string receive(byte_port& from, std::size_t most = 1 << 20) {
  std::string got(most, '\0');
  const auto n = from.receive(got.data(), got.size());
  got.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return got;
}

/// The errno of a call that failed; 0 if it did not.
int failure(ssize_t n) { return n < 0 ? errno : 0; }

int send_failure(byte_port& to) { return failure(to.send("x", 1)); }

int receive_failure(byte_port& from) {
  char byte = 0;
  return failure(from.receive(&byte, 1));
}

ssize_t send(byte_port& to, const std::string& bytes) { return to.send(bytes.data(), bytes.size()); }

}  // namespace

TEST_CASE("a pipe carries bytes both ways and each end knows the other's address", "[pipe]") {
  piped p;
  CHECK(p.near.remote() == "far:1");
  CHECK(p.far.remote() == "near:1");
  CHECK(receive_failure(p.far) == EAGAIN);
  CHECK(send(p.near, "hello") == 5);
  CHECK(send(p.far, "yes") == 3);
  CHECK(receive(p.far, 2) == "he");
  CHECK(receive(p.far) == "llo");
  CHECK(receive(p.near) == "yes");
}

TEST_CASE("a full pipe takes no more, and wakes its writer when half of it is free", "[pipe]") {
  piped p;
  CHECK(send(p.near, std::string(pipe_bytes_max + 100, 'x')) == static_cast<ssize_t>(pipe_bytes_max));
  CHECK(send_failure(p.near) == EAGAIN);
  const auto who = p.wait(p.near, readiness::writable);
  receive(p.far, pipe_bytes_max / 4);
  p.settle();
  CHECK(who->writable.times() == 0);
  receive(p.far, pipe_bytes_max / 4);
  CHECK(who->writable.get());
  CHECK(send(p.near, std::string(pipe_bytes_max, 'y')) == static_cast<ssize_t>(pipe_bytes_max / 2));
  CHECK(receive(p.far) == std::string(pipe_bytes_max / 2, 'x') + std::string(pipe_bytes_max / 2, 'y'));
}

TEST_CASE("a reader is woken by bytes, by the end, and at once if they are there already", "[pipe]") {
  piped p;
  const auto before = p.wait(p.far, readiness::readable);
  p.settle();
  CHECK(before->readable.times() == 0);
  send(p.near, "x");
  CHECK(before->readable.get());
  CHECK(p.wait(p.far, readiness::readable)->readable.get());
  receive(p.far);
  const auto end = p.wait(p.far, readiness::readable);
  p.near.shut_sending();
  CHECK(end->readable.get());
}

TEST_CASE("after a half-close the other direction goes on", "[pipe]") {
  piped p;
  send(p.near, "last");
  p.near.shut_sending();
  CHECK(send_failure(p.near) == EPIPE);
  CHECK(receive(p.far) == "last");
  CHECK(p.far.receive(nullptr, 0) == 0);
  send(p.far, "answer");
  CHECK(receive(p.near) == "answer");
}

TEST_CASE("closing leaves what is on its way to the peer and takes no more from it", "[pipe]") {
  piped p;
  send(p.near, "bye");
  send(p.far, "unread");
  const auto who = p.wait(p.far, readiness::writable);
  p.ends.near.reset();
  CHECK(who->writable.get());
  CHECK(receive(p.far) == "bye");
  CHECK(receive_failure(p.far) == 0);
  CHECK(send_failure(p.far) == EPIPE);
}

TEST_CASE("a reset drops what is on its way, in both directions", "[pipe]") {
  piped p;
  send(p.near, "lost");
  const auto who = p.wait(p.near, readiness::readable);
  p.far.reset();
  p.far.close();
  CHECK(who->readable.get());
  CHECK(receive_failure(p.near) == ECONNRESET);
  CHECK(send_failure(p.near) == ECONNRESET);
}

TEST_CASE("closing gives a wait up without an answer", "[pipe]") {
  piped p;
  const auto who = p.wait(p.near, readiness::readable);
  p.near.close();
  CHECK(who.use_count() == 1);
  send(p.far, "x");
  p.settle();
  CHECK(who->readable.times() == 0);
}

TEST_CASE("an idle pipe is small and holds no buffer after use", "[.weight]") {
  const event_loop loop(1);
  std::vector<pipe_ends> all(10000);
  const auto before = mallinfo2().uordblks;
  for (auto& ends : all) {
    ends = make_pipe("memory:12345", "127.0.0.1:6444");
    send(*ends.near, std::string(20000, 'x'));
    receive(*ends.far);
  }
  const auto each = (mallinfo2().uordblks - before) / all.size() / 2;
  WARN("an idle pipe end: " << each << " bytes");
  CHECK(each < 500);
}
