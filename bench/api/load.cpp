#include "bench/api/load.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

namespace wh::bench {
namespace {

constexpr auto dial_limit = std::chrono::seconds(30);
constexpr auto patience = std::chrono::minutes(10);

class load final : public line_user {
 public:
  load(client_loop& loop, const endpoint& to, const load_plan& plan) : loop_(loop), plan_(plan) {
    for (std::size_t i = 0; i < plan.connections; ++i) lines_.push_back(std::make_unique<line>(loop, to, *this, i));
    bodies_.resize(plan.connections);
  }

  result<load_result> run() {
    for (auto& each : lines_) each->dial();
    if (!loop_.run([&] { return broken_ || open_ == lines_.size(); }, dial_limit))
      return fail(errc::timeout, "connections could not be made in time");
    begin_ = clock::now() + (plan_.requests > 0 ? clock::duration::zero() : plan_.warm_up);
    end_ = begin_ + plan_.time;
    for (auto& each : lines_) ask(*each);
    if (!loop_.run([&] { return broken_ || under_way_ == 0; }, patience))
      return fail(errc::timeout, "the server does not answer");
    if (broken_) return *broken_;
    out_.seconds = std::chrono::duration<double>(plan_.requests > 0 ? clock::now() - begin_ : plan_.time).count();
    std::sort(out_.ms.begin(), out_.ms.end());
    return std::move(out_);
  }

  void on_open(line&) override { ++open_; }

  void on_body(line& l, std::string_view piece) override {
    if (l.status() / 100 != 2) bodies_[l.number()] += piece;
  }

  void on_answer(line& l) override {
    --under_way_;
    ++out_.answers;
    const auto now = clock::now();
    if (l.status() / 100 != 2) count_failure(l);
    else if (plan_.requests > 0 || (now >= begin_ && now < end_)) out_.ms.push_back(ms_between(l.sent_at(), now));
    if (plan_.requests > 0 || now < end_) ask(l);
  }

  void on_end(line&, const error& why) override { broken_ = why; }

 private:
  void ask(line& l) {
    if (broken_ || (plan_.requests > 0 && sent_ == plan_.requests)) return;
    ++under_way_;
    const auto r = plan_.next(l.number(), sent_++);
    l.send(r.method, r.target, r.body, r.content_type);
  }

  void count_failure(const line& l) {
    auto& body = bodies_[l.number()];
    if (out_.failures++ == 0) out_.first_failure = std::to_string(l.status()) + ": " + body.substr(0, 300);
    body.clear();
  }

  client_loop& loop_;
  const load_plan& plan_;
  std::vector<std::unique_ptr<line>> lines_;
  std::vector<std::string> bodies_;
  std::size_t open_ = 0;
  std::uint64_t sent_ = 0, under_way_ = 0;
  clock::time_point begin_, end_;
  std::optional<error> broken_;
  load_result out_;
};

}  // namespace

result<load_result> run_load(client_loop& loop, const endpoint& to, const load_plan& plan) {
  return load(loop, to, plan).run();
}

double quantile(const std::vector<double>& sorted, double share) {
  if (sorted.empty()) return 0;
  const auto at = static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  return sorted[std::clamp<std::size_t>(at, 1, sorted.size()) - 1];
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return quantile(values, 0.5);
}

double ms_between(clock::time_point from, clock::time_point to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

}  // namespace wh::bench
