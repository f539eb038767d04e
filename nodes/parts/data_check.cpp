#include "nodes/parts/data_check.hpp"

#include <fmt/format.h>

#include <iostream>
#include <map>

#include "actors/names.hpp"
#include "nodes/common/files.hpp"
#include "resources/document.hpp"

namespace wh {
namespace {

/// Resources of the spoke's own store, which are no Kubernetes objects.
bool is_internal(const std::string& resource) {
  return resource == names::identities || resource == names::prescriptions || resource == names::work_states;
}

/// Collects what can only be judged when everything was seen.
class object_examiner {
 public:
  void examine(const record& r, const std::function<void(std::string)>& problem) {
    if (!r.body) {
      ++sealed_;
      return;
    }
    const auto doc = decode_record(r);
    const std::string what = to_string(r.key);
    if (!doc) return problem(fmt::format("{}: its body is no JSON object: {}", what, doc.err().message));
    if (is_internal(r.key.resource)) return;
    if (name_of(*doc) != r.key.name || namespace_of(*doc) != r.key.ns)
      return problem(fmt::format("{}: its metadata names {}/{}", what, namespace_of(*doc), name_of(*doc)));
    const std::string uid(uid_of(*doc));
    if (uid.empty()) return problem(what + ": it has no metadata.uid");
    if (const auto [known, added] = uids_.emplace(uid, what); !added)
      return problem(fmt::format("{}: its uid {} is that of {}, too", what, uid, known->second));
    const document* owners = find_path(*doc, {"metadata", "ownerReferences"});
    if (owners == nullptr || !owners->is_array()) return;
    for (const auto& owner : *owners)
      if (owner.is_object()) owned_.emplace_back(string_at(owner, {"uid"}), what);
  }

  std::vector<std::string> notes() const {
    // Owners may be among those that could not be read.
    if (sealed_ > 0) return {fmt::format("{} sealed objects were not opened: no key file was given", sealed_)};
    std::size_t orphans = 0;
    std::string first;
    for (const auto& [uid, what] : owned_) {
      if (uids_.contains(uid)) continue;
      if (orphans++ == 0) first = what;
    }
    if (orphans == 0) return {};
    return {
        fmt::format("{} owner references lead to objects that are gone (the first: {}); the garbage collector "
                    "will see to them",
                    orphans, first)};
  }

 private:
  std::size_t sealed_ = 0;
  std::map<std::string, std::string> uids_;
  std::vector<std::pair<std::string, std::string>> owned_;
};

std::string mib(std::uint64_t bytes) { return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1 << 20)); }

std::string sealing_text(const verify_report& r) {
  std::string out;
  for (const auto& [id, n] : r.sealed_with)
    out += fmt::format("{}{} versions with key {}", out.empty() ? "" : ", ", n, id);
  return out.empty() ? "none sealed" : "sealed: " + out;
}

void print_one(std::ostream& out, const data_check_result& c) {
  const auto& r = c.report;
  out << fmt::format("{} ({})\n", c.label, c.where);
  out << fmt::format("  history     format {}, incarnation {}, revision {} (compacted: {})\n", r.format, r.incarnation,
                     r.current.get(), r.compacted.get());
  out << fmt::format("  objects     {} in {} resources; {} versions, {}\n", r.objects, r.resources.size(), r.versions,
                     mib(r.body_bytes));
  out << fmt::format("  pages       {} used, {} free; file {}\n", r.pages, r.free_pages, mib(r.file_bytes));
  out << fmt::format("  secrets     {}\n", sealing_text(r));
  for (const auto& note : c.notes) out << "  note        " << note << "\n";
  if (r.problems_total == 0) {
    out << "  verdict     sound\n";
    return;
  }
  out << fmt::format("  verdict     DAMAGED, {} problems\n", r.problems_total);
  for (const auto& p : r.problems) out << "    - " << p << "\n";
  if (r.problems_total > r.problems.size())
    out << fmt::format("    and {} more\n", r.problems_total - r.problems.size());
}

document to_document(const data_check_result& c) {
  const auto& r = c.report;
  return {{"store", c.label},
          {"path", c.where},
          {"sound", r.problems_total == 0},
          {"format", r.format},
          {"incarnation", r.incarnation},
          {"revision", r.current.get()},
          {"compactedRevision", r.compacted.get()},
          {"objects", r.objects},
          {"versions", r.versions},
          {"resources", r.resources},
          {"sealedVersions", r.sealed_with},
          {"pages", {{"used", r.pages}, {"free", r.free_pages}}},
          {"fileBytes", r.file_bytes},
          {"notes", c.notes},
          {"problemsTotal", r.problems_total},
          {"problems", r.problems}};
}

}  // namespace

result<data_check_result> check_data(const data_check_target& target, const std::shared_ptr<const key_ring>& keys) {
  object_examiner examiner;
  verify_options o;
  o.dir = target.dir;
  o.file = target.file;
  o.keys = keys;
  o.examine = [&](const record& r, const std::function<void(std::string)>& problem) { examiner.examine(r, problem); };
  auto report = verify_store(o);
  if (!report) return report.err();
  return data_check_result{target.label, target.file.empty() ? target.dir : target.file, *std::move(report),
                           examiner.notes()};
}

int print_data_checks(std::ostream& out, const std::vector<data_check_result>& results, bool json) {
  bool sound = true;
  document all = document::array();
  for (const auto& c : results) {
    sound = sound && c.report.problems_total == 0;
    if (json) all.push_back(to_document(c));
    else print_one(out, c);
  }
  if (json) out << document{{"sound", sound}, {"stores", std::move(all)}}.dump(2) << "\n";
  return sound ? 0 : 1;
}

int run_data_checks(const std::string& program, const std::vector<data_check_target>& targets,
                    const std::string& key_option, const std::string& data_dir, bool json) {
  const auto complain = [&](const error& e) {
    std::cerr << program << ": " << e.message << "\n";
    return 1;
  };
  // Verifying makes no key file; without keys sealed bodies are counted, not opened.
  secret_keys keys;
  if (!key_option.empty() || (!data_dir.empty() && file_exists(data_dir + "/encryption.key"))) {
    auto opened = open_secret_keys(key_option, data_dir);
    if (!opened) return complain(opened.err());
    keys = std::move(*opened);
  }
  std::vector<data_check_result> results;
  for (const auto& target : targets) {
    auto done = check_data(target, keys.ring);
    if (!done) return complain(done.err());
    results.push_back(std::move(*done));
  }
  return print_data_checks(std::cout, results, json);
}

}  // namespace wh
