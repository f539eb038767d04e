#include "bench/api/crowd.hpp"

#include <fmt/format.h>

namespace wh::bench {
namespace {

// So many begin at once: the rest would only wait for the same processors.
constexpr std::size_t at_once = 64;
constexpr auto step_limit = std::chrono::minutes(3);

}  // namespace

result<void> crowd::step(std::size_t from, const std::function<void(line&)>& begin, const char* what) {
  done_ = from;
  std::size_t begun = from;
  const bool all = loop_.run(
      [&] {
        while (begun < lines_.size() && begun - done_ < at_once) begin(*lines_[begun++]);
        return broken_ || done_ == lines_.size();
      },
      step_limit);
  if (broken_) return fail(broken_->code, fmt::format("{}: {}", what, broken_->message));
  if (!all) return fail(errc::timeout, fmt::format("{}: {} of {} in time", what, done_, lines_.size()));
  return {};
}

result<void> crowd::gather(std::size_t count, const std::string& path) {
  path_ = path;
  const auto from = lines_.size();
  for (std::size_t i = from; i < from + count; ++i) lines_.push_back(std::make_unique<line>(loop_, to_, *this, i));
  partial_.resize(lines_.size());
  return step(
      from, [](line& l) { l.dial(); }, "connecting");
}

result<void> crowd::watch(const std::string& target) {
  watching_ = true;
  return step(
      0, [&](line& l) { l.send("GET", target); }, "watching");
}

void crowd::on_open(line& l) { l.send("GET", path_); }

void crowd::on_head(line& l) {
  if (l.status() != 200 && !broken_) broken_ = fail(errc::unavailable, fmt::format("status {}", l.status()));
  if (watching_) ++done_;
}

void crowd::on_body(line& l, std::string_view piece) {
  if (!watching_) return;
  auto& partial = partial_[l.number()];
  for (auto end = piece.find('\n'); end != std::string_view::npos; end = piece.find('\n')) {
    auto text = piece.substr(0, end);
    if (!partial.empty()) text = partial += text;
    if (on_event) on_event(l.number(), text);
    partial.clear();
    piece.remove_prefix(end + 1);
  }
  partial += piece;
}

void crowd::on_answer(line&) {
  if (watching_ && !broken_) broken_ = fail(errc::unavailable, "the hub ended a watch");
  ++done_;
}

void crowd::on_end(line&, const error& why) {
  if (!broken_) broken_ = why;
}

}  // namespace wh::bench
