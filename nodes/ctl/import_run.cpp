#include "nodes/ctl/import_run.hpp"

#include <algorithm>
#include <ostream>

#include "nodes/ctl/import_source.hpp"

namespace wh::ctl {
namespace {

constexpr auto namespace_wait = std::chrono::seconds(30);
constexpr auto poll_interval = std::chrono::milliseconds(100);
constexpr auto busy_pause = std::chrono::seconds(1);
constexpr int busy_max = 30;
constexpr int conflicts_max = 5;

std::string namespace_path(std::string_view name = {}) {
  std::string path = "/api/v1/namespaces";
  if (!name.empty()) path += "/" + percent_encode(name);
  return path;
}

/// Whether trying the next object makes no sense: it would fail for the same reason.
bool ends_all(errc code) {
  switch (code) {
    case errc::unavailable:
    case errc::unauthorized:
    case errc::timeout:
    case errc::io:
    case errc::read_only:
    case errc::corrupt: return true;
    default: return false;
  }
}

import_row row_of(const document& wanted, import_action action, std::string reason = {}) {
  return {.kind = std::string(kind_of(wanted)),
          .ns = std::string(namespace_of(wanted)),
          .name = std::string(name_of(wanted)),
          .action = action,
          .reason = std::move(reason)};
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace

void importer::run() {
  std::size_t served = 0;
  for (const auto& kind : imported_kinds()) {
    if (ended_) break;
    const auto& only = options_.only;
    if (!only.empty() && std::find(only.begin(), only.end(), kind.part) == only.end()) continue;
    const auto before = report_.notes.size() + report_.failures.size();
    import_kind(kind);
    if (report_.notes.size() + report_.failures.size() == before) ++served;
  }
  if (served == 0 && report_.failures.empty())
    report_.failures.push_back(
        "the source serves none of the kinds that were asked for: is it an OCM hub, and this its kubeconfig?");
  if (c_.progress) c_.err << "\r\x1b[K" << std::flush;
}

void importer::import_kind(const imported_kind& kind) {
  const auto at_source = served_version(source_, kind);
  const auto here = served_version(c_.hub, kind);
  if (!at_source || !here) {
    report_.failures.push_back(at_source ? here.err().message : "the source: " + at_source.err().message);
    ended_ = true;
  } else if (!*at_source) {
    report_.notes.push_back("the source has no " + kind.plural + "." + kind.group + ": none are taken over");
  } else if (!*here) {
    report_.notes.push_back("this hub has no " + kind.plural + "." + kind.group + ": none are taken over");
  } else if (auto done = read(kind, **at_source); !done) {
    report_.failures.push_back(kind.kind + ": cannot be read at the source: " + done.err().message);
    ended_ = ended_ || ends_all(done.err().code);
  }
}

result<void> importer::read(const imported_kind& kind, const std::string& version) {
  const bool by_cluster = kind.part == "clusters" || kind.kind == "ManifestWork";
  if (by_cluster && !options_.clusters.empty()) return read_chosen(kind, version);
  return read_objects(
      source_, kind.path(version), kind.page, [&](const document& o) { return take(kind, o); },
      [this] { c_.sleep(busy_pause); });
}

/// Only the clusters that --clusters names, and their works.
result<void> importer::read_chosen(const imported_kind& kind, const std::string& version) {
  for (const auto& name : options_.clusters) {
    if (ended_) break;
    if (kind.namespaced) {
      const auto done = read_objects(
          source_, kind.path(version, name), kind.page, [&](const document& o) { return take(kind, o); },
          [this] { c_.sleep(busy_pause); });
      if (!done) return done;
      continue;
    }
    const auto found = source_.find(kind.path(version) + "/" + percent_encode(name));
    if (!found) return found.err();
    if (*found) (void)take(kind, **found);
    else
      report_.rows.push_back({.kind = kind.kind,
                              .ns = {},
                              .name = name,
                              .action = import_action::fail,
                              .reason = "the source has no cluster of this name"});
  }
  return {};
}

/// Deals with one object of the source; false: no more.
bool importer::take(const imported_kind& kind, const document& object) {
  const auto wanted = portable(kind, object);
  draw(kind.kind);
  if (const auto why = reason_to_leave_out(kind, object, owners_); !why.empty()) {
    report_.rows.push_back(row_of(wanted, import_action::leave_out, why));
    return true;
  }
  // The namespace of works is the cluster's, and comes with it; others are made.
  const bool has_place =
      !kind.namespaced || kind.kind == "ManifestWork" || provide_namespace(std::string(namespace_of(wanted)));
  if (!has_place) {
    report_.rows.push_back(row_of(wanted, import_action::fail, "its namespace cannot be made"));
    return !ended_;
  }
  auto row = judge(kind, wanted);
  if (const auto lost = what_is_lost(kind, object, owners_); !lost.empty() && row.action != import_action::fail)
    row.reason += (row.reason.empty() ? "" : "; ") + lost;
  if (kind.part == "clusters") note_cluster(wanted, row);
  if (kind.kind == "ManifestWorkReplicaSet" && row.action != import_action::fail)
    owners_.replica_sets.insert(row.ns + "." + row.name);
  report_.rows.push_back(std::move(row));
  return !ended_;
}

import_row importer::judge(const imported_kind& kind, const document& wanted) {
  const auto path = kind.path(kind.versions.front(), namespace_of(wanted));
  auto made = create(path, wanted);
  const bool late = !made && made.err().code == errc::not_found && options_.apply;
  if (late && wait_for_namespace(std::string(namespace_of(wanted)))) made = create(path, wanted);
  if (made) return row_of(wanted, import_action::create);
  if (made.err().code == errc::already_exists) return judge_existing(kind, wanted);
  if (made.err().code == errc::not_found && kind.namespaced) return judge_without_namespace(kind, wanted, made.err());
  return failure(wanted, made.err());
}

import_row importer::judge_without_namespace(const imported_kind& kind, const document& wanted, const error& why) {
  const std::string ns(namespace_of(wanted));
  if (!options_.apply && coming_.contains(ns))
    return row_of(wanted, import_action::create, "not checked: its namespace is not here yet");
  if (kind.kind != "ManifestWork") return failure(wanted, why);
  return row_of(
      wanted, import_action::fail,
      "no namespace " + ns + ": it comes when cluster " + ns + " is here and accepted (whctl accept " + ns + ")");
}

import_row importer::judge_existing(const imported_kind& kind, const document& wanted) {
  const auto path = kind.path(kind.versions.front(), namespace_of(wanted)) + "/" + percent_encode(name_of(wanted));
  for (int attempt = 1;; ++attempt) {
    const auto existing = c_.hub.get(path);
    if (!existing) return failure(wanted, existing.err());
    if (is_deleting(*existing)) return row_of(wanted, import_action::fail, "it is being deleted here");
    if (differences(kind, *existing, wanted).empty()) return same(kind, *existing, wanted);
    const auto changed = change(kind, path, *existing, wanted);
    if (changed) return *changed;
    // A cluster that is alive changes all the time.
    if (changed.err().code != errc::conflict || attempt >= conflicts_max) return failure(wanted, changed.err());
  }
}

import_row importer::same(const imported_kind& kind, const document& existing, const document& wanted) {
  const bool accepted = bool_at(existing, {"spec", "hubAcceptsClient"}, false);
  if (kind.part != "clusters" || accepted == bool_at(wanted, {"spec", "hubAcceptsClient"}, false))
    return row_of(wanted, import_action::same);
  return row_of(wanted, import_action::same,
                accepted ? "accepted here, not at the source" : "accepted at the source, not here");
}

/// What differs may only seem to: the server's defaults are in what is here. So the server is asked what it would make of
/// it.
result<import_row> importer::change(const imported_kind& kind, const std::string& path, const document& existing,
                                    const document& wanted) {
  const auto changed = overwritten(kind, existing, wanted);
  const auto asked = c_.hub.replace(path + "?dryRun=All", changed);
  if (!asked) return asked.err();
  const auto names = differences(kind, existing, *asked);
  if (names.empty()) return same(kind, existing, wanted);
  if (!options_.overwrite) return row_of(wanted, import_action::differs, joined(names));
  if (options_.apply)
    if (const auto done = c_.hub.replace(path, changed); !done) return done.err();
  return row_of(wanted, import_action::overwrite, joined(names));
}

void importer::note_cluster(const document& wanted, const import_row& row) {
  const bool created = row.action == import_action::create;
  if (created && bool_at(wanted, {"spec", "hubAcceptsClient"}, false)) coming_.insert(row.name);
}

/// Makes sure that a namespace is here, or would be.
bool importer::provide_namespace(const std::string& ns) {
  if (namespaces_.contains(ns) || coming_.contains(ns)) return true;
  const document wanted = {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", ns}}}};
  const auto made = create(namespace_path(), wanted);
  const bool there = !made && made.err().code == errc::already_exists;
  if (!made && !there) {
    report_.rows.push_back(failure(wanted, made.err()));
    return false;
  }
  if (made) report_.rows.push_back(row_of(wanted, import_action::create));
  (there || options_.apply ? namespaces_ : coming_).insert(ns);
  return true;
}

/// The hub makes the namespaces of accepted clusters by itself, a moment after the clusters.
bool importer::wait_for_namespace(const std::string& ns) {
  if (!coming_.contains(ns)) return false;
  const auto deadline = c_.now() + namespace_wait;
  while (c_.now() < deadline) {
    const auto found = c_.hub.find(namespace_path(ns));
    if (!found) return false;
    if (*found) return true;
    c_.sleep(poll_interval);
  }
  coming_.erase(ns);
  return false;
}

result<document> importer::create(const std::string& path, const document& object) {
  const auto target = options_.apply ? path : path + "?dryRun=All";
  for (int attempt = 0;; ++attempt) {
    auto made = c_.hub.create(target, object);
    if (made || made.err().code != errc::busy || attempt >= busy_max) return made;
    c_.sleep(busy_pause);
  }
}

import_row importer::failure(const document& wanted, const error& why) {
  if (ends_all(why.code) && !ended_) {
    ended_ = true;
    report_.failures.push_back("ended early: " + why.message);
  }
  return row_of(wanted, import_action::fail, why.message);
}

void importer::draw(const std::string& kind) {
  const auto n = ++taken_[kind];
  if (!c_.progress || n % 20 != 1) return;
  c_.err << "\r\x1b[K" << kind << ": " << n << std::flush;
}

}  // namespace wh::ctl
