#pragma once
#include <algorithm>

#include "actors/cell.hpp"
#include "tests/actors/runtime/test_actors.hpp"

namespace wh::test {

using namespace std::chrono_literals;

/// Durable objects that the test changes as it likes.
struct map_reader final : reader {
  std::map<object_key, seen> objects;
  std::optional<error> broken;
  std::optional<seen> read(const object_key& key) const override {
    if (broken) throw unreadable(*broken);
    const auto found = objects.find(key);
    return found == objects.end() ? std::nullopt : std::optional(found->second);
  }
  std::vector<record> list(const key_range& range) const override {
    std::vector<record> out;
    for (const auto& [key, object] : objects)
      if (range.contains(key)) out.push_back({key, object.rev, object.body});
    return out;
  }
  std::vector<record> list_namespace(const std::string& ns) const override {
    return list({.resource = "configmaps", .ns = ns, .name = {}});
  }
  std::string store_incarnation() const override { return "store-1"; }
};

/// A runtime by hand: submissions wait until the test decides their outcome, time until the test moves it.
struct manual_host final : cell_host {
  instant now() const override { return instant{} + std::chrono::duration_cast<duration>(time); }
  std::chrono::nanoseconds ticks() const override { return time; }
  void submit(batch b, std::uint64_t ticket) override { submitted.emplace_back(ticket, std::move(b)); }
  void dispatch(envelope e, const std::optional<commit>& under) override {
    sent.push_back(to_string(e.to) + " " + word_of(e.body) + (under ? " @" + std::to_string(under->first.get()) : ""));
    if (auto* r = std::get_if<admit_reply>(&e.body)) replies.push_back(*r);
  }
  void wake_after(duration after) override { wakes.push_back(time + after); }
  void log(const address&, note n) override { notes.push_back(std::move(n.text)); }
  void restarted(const address&) override { ++restarts_told; }

  std::chrono::nanoseconds time = 1000s;
  std::vector<std::pair<std::uint64_t, batch>> submitted;
  std::vector<std::string> sent;
  std::vector<admit_reply> replies;
  std::vector<std::chrono::nanoseconds> wakes;
  std::vector<std::string> notes;
  int restarts_told = 0;
};

/// One cell on a manual host. Its actor writes the object `x` on "write x", sends "echo" on "say x", throws on "throw".
struct cell_fixture {
  explicit cell_fixture(scripted::restore_fn restore = {})
      : subject(env, host, self,
                std::make_unique<scripted>(
                    [this, restore](const context& ctx, outbox& out) {
                      seen_words.push_back("(restore)");
                      if (restore) restore(ctx, out);
                    },
                    [this](const message& m, const context& ctx, outbox& out) { handle(m, ctx, out); }),
                counters) {
    subject.start();
  }

  void handle(const message& m, const context& ctx, outbox& out) {
    const auto word = word_of(m);
    seen_words.push_back(word);
    if (also) also(m, ctx, out);
    if (word == "throw") throw std::runtime_error("as asked");
    if (word.starts_with("write ")) out.store(key_of(word.substr(6)), share(word));
    if (const auto* w = std::get_if<admit_write>(&m)) {
      out.writes = w->proposed;
      out.send(ctx.from, admit_reply{.id = w->id, .failure = {}, .put_index = 0, .body = {}});
    } else {
      out.send(port(), text("done " + word));
    }
  }

  void post(std::string word) { subject.deliver({self, port(), text(std::move(word))}, host.time); }
  void admit(std::uint64_t id, batch proposed) {
    admit_write w;
    w.id = request_id{id};
    w.key = key_of("mine");
    w.proposed = std::move(proposed);
    subject.deliver({self, {actor_kind::api, {}}, std::move(w)}, host.time);
  }
  /// Decides the oldest submission.
  void succeed(std::uint64_t rev) { decide(commit{revision{rev}, revision{rev}, 1}); }
  void refuse(errc code) { decide(fail(code, "refused by the test")); }
  void decide(result<commit> outcome) {
    const auto ticket = host.submitted.front().first;
    host.submitted.erase(host.submitted.begin());
    subject.on_outcome(ticket, std::move(outcome));
  }
  /// Lets time pass and delivers the wake-ups that fall due.
  void advance(std::chrono::nanoseconds d) {
    const auto until = host.time + d;
    while (!host.wakes.empty()) {
      const auto next = std::min_element(host.wakes.begin(), host.wakes.end());
      if (*next > until) break;
      host.time = std::max(host.time, *next);
      host.wakes.erase(next);
      subject.on_wake();
    }
    host.time = until;
  }

  using words = std::vector<std::string>;
  map_reader durable;
  no_crypto crypto;
  manual_host host;
  cell_environment env{.durable = durable, .crypto = crypto, .seed = 1, .lives = {}, .trace = {}};
  const address self = worker("w");
  cell_counters counters;
  words seen_words;
  scripted::handler_fn also;
  cell subject;
};

}  // namespace wh::test
