#include "tests/sim/patient_user.hpp"

#include <fmt/format.h>

namespace wh::testing {
namespace {

constexpr duration pause_between = std::chrono::milliseconds(250);
constexpr duration patience = std::chrono::minutes(2);

revision revision_in(const document& doc) {
  const std::string text(string_at(doc, {"metadata", "resourceVersion"}));
  return revision(text.empty() ? 0 : std::stoull(text));
}

/// The request may or may not have had its effect.
bool is_lost(const result<document>& r) {
  return !r && (r.err().code == errc::unavailable || r.err().code == errc::timeout);
}

}  // namespace

void patient_user::pause() { fleet_.world().advance(pause_between); }

void patient_user::expect_done(const std::string& what, const result<document>& answer) const {
  if (!answer) throw broken_promise(what + " failed: " + answer.err().message);
}

void patient_user::note(const std::string& path, const document& object) {
  const auto rev = revision_in(object);
  auto& before = known_[path];
  if (before.rev > rev)
    throw broken_promise(fmt::format("{} went back from revision {} to {}", path, before.rev.get(), rev.get()));
  if (before.removed && before.uid == uid_of(object) && !is_deleting(object))
    throw broken_promise(path + " is there again although its deletion was acknowledged");
  before.removed &= before.uid == uid_of(object);
  before.uid = uid_of(object);
  before.rev = rev;
  newest_ = std::max(newest_, rev);
}

document patient_user::look(const std::string& path) {
  for (;;) {
    const auto answer = fleet_.request("GET", path);
    if (is_lost(answer)) {
      pause();
      continue;
    }
    if (!answer && answer.err().code == errc::not_found) {
      if (known_.contains(path) && !unwanted_.contains(path))
        throw broken_promise(path + " is gone although nobody deleted it");
      return nullptr;
    }
    expect_done("GET " + path, answer);
    note(path, *answer);
    return *answer;
  }
}

document patient_user::list(const std::string& path) {
  auto answer = fleet_.request("GET", path);
  while (is_lost(answer)) {
    pause();
    answer = fleet_.request("GET", path);
  }
  expect_done("GET " + path, answer);
  const auto rev = revision_in(*answer);
  if (rev < newest_)
    throw broken_promise(
        fmt::format("{} shows revision {}, but {} was acknowledged before", path, rev.get(), newest_.get()));
  newest_ = rev;
  return (*answer)["items"];
}

void patient_user::create(const std::string& collection, const document& wanted) {
  const std::string path = collection + "/" + std::string(name_of(wanted));
  for (;;) {
    const auto answer = fleet_.request("POST", collection, wanted);
    if (answer) note(path, *answer);
    if (answer) break;
    if (!is_lost(answer) && answer.err().code != errc::already_exists) expect_done("POST " + path, answer);
    pause();
    if (!look(path).is_null()) break;
  }
  unwanted_.erase(path);
}

void patient_user::change(const std::string& path, const std::function<bool(document&)>& edit,
                          const std::string& subresource) {
  for (;;) {
    document object = look(path);
    if (object.is_null()) throw broken_promise(path + " is not there to be changed");
    if (!edit(object)) return;
    const auto answer = fleet_.request("PUT", path + subresource, object);
    if (answer) return note(path, *answer);
    if (!is_lost(answer) && answer.err().code != errc::conflict) expect_done("PUT " + path, answer);
    pause();
  }
}

void patient_user::remove(const std::string& path) {
  unwanted_.insert(path);
  for (;;) {
    const auto answer = fleet_.request("DELETE", path);
    const bool gone = !answer && answer.err().code == errc::not_found;
    if (answer || gone) {
      known_[path].removed = true;
      return;
    }
    if (!is_lost(answer) && answer.err().code != errc::conflict) expect_done("DELETE " + path, answer);
    pause();
    const auto left = look(path);
    if (left.is_null() || is_deleting(left)) return;
  }
}

void patient_user::wait(const std::string& what, const std::function<std::string()>& obstacle) {
  const auto until = fleet_.world().now() + patience;
  for (auto left = obstacle(); !left.empty(); left = obstacle()) {
    if (fleet_.world().now() > until) throw broken_promise("not within two minutes: " + what + ", because " + left);
    pause();
  }
}

}  // namespace wh::testing
