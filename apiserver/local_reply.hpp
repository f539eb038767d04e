#pragma once
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "apiserver/api.hpp"

namespace wh {

/// Takes the one answer of a request that is made inside the process; not for watches.
class local_reply final : public api_reply {
 public:
  explicit local_reply(std::function<void(api_response)> done) : done_(std::move(done)) {}
  void respond(api_response response) override { done_(std::move(response)); }
  void start_stream(int, std::map<std::string, std::string>) override {}
  void write(shared_bytes) override {}
  void finish() override {}
  std::size_t unsent() const override { return 0; }
  bool alive() const override { return true; }
  void on_done(std::function<void()>) override {}

 private:
  std::function<void(api_response)> done_;
};

}  // namespace wh
