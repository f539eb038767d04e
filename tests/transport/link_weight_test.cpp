#include <catch2/catch.hpp>

#include <malloc.h>

#include <atomic>
#include <thread>

#include "fixtures.hpp"
#include "transport/link_live.hpp"

using namespace wh;
using namespace wh::test;

namespace {

struct quiet : connection_handler {
  void on_bytes(std::string_view) override {}
  void on_closed(const error&) override {}
};

/// Holds every end of every link.
struct many {
  std::mutex mutex;
  std::vector<std::shared_ptr<connection>> ends;
  std::atomic<std::size_t> open = 0;

  accept_handler keep() {
    return [this](std::shared_ptr<connection> end) {
      const std::lock_guard lock(mutex);
      ends.push_back(std::move(end));
      ++open;
      return std::make_shared<quiet>();
    };
  }
};

std::size_t bytes_per_link(event_loop& loop, many& all, const link_dialer& dialer, const host_port& to, tls_config tls,
                           std::size_t links, const authority* anew = nullptr) {
  std::vector<key_and_cert> identities;
  for (std::size_t i = 0; anew != nullptr && i < 50 + links; ++i) identities.push_back(anew->client());
  constexpr std::size_t warm = 50;
  std::size_t before = 0;
  for (std::size_t i = 0; i < warm + links; ++i) {
    if (i == warm) before = mallinfo2().uordblks;
    if (anew != nullptr) tls.identity = identities[i];
    dialer(to, tls, patience, all.keep(), [](const error& why) { FAIL(why.message); });
    while (all.open < 2 * (i + 1)) std::this_thread::yield();
  }
  const auto used = mallinfo2().uordblks - before;
  loop.stop();
  return used / links;
}

}  // namespace

// Run alone: transport_link_test '[.weight]'. What the kernel holds for a socket is not in it.
TEST_CASE("what an idle link weighs over sockets and over memory, both ends together", "[.weight]") {
  const authority ca;
  auto client = ca.client_config();
  client.identity = ca.client();
  constexpr std::size_t links = 2000;
  {
    event_loop loop(1);
    many all;
    const auto server =
        listen_link(loop, {"127.0.0.1", 0}, ca.server_config(), {.ticket_life = duration::zero()}, all.keep());
    WARN("sockets, no tickets: " << bytes_per_link(loop, all, live_link_dialer(loop), (*server)->local(), client, links)
                                 << " bytes");
  }
  {
    event_loop loop(1);
    many all;
    const auto server = listen_link(loop, {"127.0.0.1", 0}, ca.server_config(), {}, all.keep());
    WARN("sockets, full handshakes and their tickets: "
         << bytes_per_link(loop, all, live_link_dialer(loop), (*server)->local(), client, links, &ca) << " bytes");
  }
  {
    event_loop loop(1);
    many all;
    const auto server = listen_link(loop, {"127.0.0.1", 0}, ca.server_config(), {}, all.keep());
    WARN("sockets, resumed: " << bytes_per_link(loop, all, live_link_dialer(loop), (*server)->local(), client, links)
                              << " bytes");
  }
  memory_network net;
  event_loop loop(1);
  many all;
  const auto server = net.listen(loop, {"127.0.0.1", 0}, ca.server_config(), {}, all.keep());
  WARN("memory: " << bytes_per_link(loop, all, net.dialer(loop), (*server)->local(), client, links) << " bytes");
}
