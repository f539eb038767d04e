#include "nodes/hub/link_conduct.hpp"

#include <algorithm>
#include <functional>

namespace wh {
namespace {

constexpr int told_max = 16;
constexpr std::size_t said_max = 80;

std::uint64_t digest_of(const std::string& uid) { return std::hash<std::string>{}(uid); }

}  // namespace

void link_conduct::on_sent(const frame_to_spoke& frame) {
  if (const auto* w = std::get_if<welcome>(&frame)) {
    accepted_ = w->accepted;
    cleanup_ = w->cleanup;
  } else if (const auto* work = std::get_if<work_desired>(&frame)) {
    note(work->uid, work->gen, work->deleting);
  } else if (const auto* unknown = std::get_if<work_unknown>(&frame)) {
    known_.erase(digest_of(unknown->uid));
  }
}

std::optional<error> link_conduct::on_received(const frame_to_hub& frame) {
  if (told_ >= told_max) return std::nullopt;
  auto problem = judge(frame);
  if (problem) ++told_;
  return problem;
}

std::optional<error> link_conduct::judge(const frame_to_hub& frame) {
  const auto ignored = [](const std::string& what) {
    return fail(errc::forbidden, what + " was ignored: the hub does not accept this cluster");
  };
  if (const auto* sync = std::get_if<sync_request>(&frame)) {
    for (const auto& held : sync->works) note(held.uid, held.gen, held.deleting);
    if (!accepted_ && !cleanup_) return ignored("sync_request");
  } else if (const auto* report = std::get_if<work_report>(&frame)) {
    if (!accepted_ && !cleanup_) return ignored("work_report");
    return judge_report(*report);
  } else if (const auto* done = std::get_if<work_finished>(&frame)) {
    return judge_end(*done);
  } else if (std::holds_alternative<cluster_report>(frame) && !accepted_) {
    return ignored("cluster_report");
  }
  return std::nullopt;
}

void link_conduct::note(const std::string& uid, generation gen, bool deleting) {
  auto& known = known_[digest_of(uid)];
  known.gen = std::max(known.gen, gen);
  known.deleting |= deleting;
}

std::optional<error> link_conduct::judge_end(const work_finished& done) const {
  if (auto problem = judge_work("work_finished", done.name, done.uid)) return problem;
  if (known_.at(digest_of(done.uid)).deleting) return std::nullopt;
  return fail(errc::conflict,
              "work_finished was ignored: nobody deletes work " + done.name.substr(0, said_max) + " on the hub");
}

std::optional<error> link_conduct::judge_report(const work_report& report) const {
  if (auto problem = judge_work("work_report", report.name, report.uid)) return problem;
  const auto newest = known_.at(digest_of(report.uid)).gen;
  if (report.observed <= newest) return std::nullopt;
  return fail(errc::conflict, "work_report was ignored: it claims generation " + std::to_string(report.observed.get()) +
                                  " of work " + report.name.substr(0, said_max) + ", of which the hub has sent " +
                                  std::to_string(newest.get()));
}

std::optional<error> link_conduct::judge_work(const char* what, const std::string& name, const std::string& uid) const {
  if (known_.contains(digest_of(uid))) return std::nullopt;
  return fail(errc::not_found, std::string(what) + " was ignored: it names work " + name.substr(0, said_max) +
                                   " (uid " + uid.substr(0, said_max) + "), which the hub did not give this cluster");
}

}  // namespace wh
