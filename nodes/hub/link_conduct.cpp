#include "nodes/hub/link_conduct.hpp"

#include <functional>

namespace wh {
namespace {

constexpr int told_max = 16;

std::uint64_t digest_of(const std::string& uid) { return std::hash<std::string>{}(uid); }

}  // namespace

void link_conduct::on_sent(const frame_to_spoke& frame) {
  if (const auto* w = std::get_if<welcome>(&frame)) {
    accepted_ = w->accepted;
    cleanup_ = w->cleanup;
  } else if (const auto* work = std::get_if<work_desired>(&frame)) {
    known_.insert(digest_of(work->uid));
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
    for (const auto& held : sync->works) known_.insert(digest_of(held.uid));
    if (!accepted_ && !cleanup_) return ignored("sync_request");
  } else if (const auto* report = std::get_if<work_report>(&frame)) {
    if (!accepted_ && !cleanup_) return ignored("work_report");
    return judge_work("work_report", report->name, report->uid);
  } else if (const auto* done = std::get_if<work_finished>(&frame)) {
    return judge_work("work_finished", done->name, done->uid);
  } else if (std::holds_alternative<cluster_report>(frame) && !accepted_) {
    return ignored("cluster_report");
  }
  return std::nullopt;
}

std::optional<error> link_conduct::judge_work(const char* what, const std::string& name, const std::string& uid) const {
  if (known_.contains(digest_of(uid))) return std::nullopt;
  constexpr std::size_t said_max = 80;
  return fail(errc::not_found, std::string(what) + " was ignored: it names work " + name.substr(0, said_max) +
                                   " (uid " + uid.substr(0, said_max) + "), which the hub did not give this cluster");
}

}  // namespace wh
