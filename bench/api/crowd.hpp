#pragma once
#include <optional>

#include "bench/api/load.hpp"

namespace wh::bench {

/// Many connections that first are idle and then watch the same thing. A connection is called idle when it has been
/// answered once: one that never asked for anything is closed by the hub before long.
class crowd final : public line_user {
 public:
  /// An event has come to one of them. `text` is its whole line.
  std::function<void(std::size_t who, std::string_view text)> on_event;

  crowd(client_loop& loop, const endpoint& to) : loop_(loop), to_(to) {}

  /// Dials so many more, each asking once for `path`.
  result<void> gather(std::size_t count, const std::string& path);
  /// All of them watch.
  result<void> watch(const std::string& target);
  /// Why a connection has ended, if one has: the crowd is to stay.
  const std::optional<error>& broken() const { return broken_; }
  std::size_t size() const { return lines_.size(); }

  void on_open(line& l) override;
  void on_head(line& l) override;
  void on_body(line& l, std::string_view piece) override;
  void on_answer(line& l) override;
  void on_end(line& l, const error& why) override;

 private:
  result<void> step(std::size_t from, const std::function<void(line&)>& begin, const char* what);

  client_loop& loop_;
  const endpoint& to_;
  std::vector<std::unique_ptr<line>> lines_;
  std::vector<std::string> partial_;  ///< the beginning of a line of text whose end has not come
  std::string path_;
  bool watching_ = false;
  std::size_t done_ = 0;  ///< lines that have finished the step under way
  std::optional<error> broken_;
};

}  // namespace wh::bench
