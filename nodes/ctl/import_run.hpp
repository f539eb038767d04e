#pragma once
#include <map>
#include <optional>
#include <set>
#include <string>

#include "nodes/ctl/import.hpp"

namespace wh::ctl {

/// One run of an import: asks the source, writes (or only asks) this hub, and fills a report. Every object is judged by one
/// attempt to create it, which a dry run makes as the server's own dry run: so the server's rules decide, not a copy of them.
class importer {
 public:
  importer(console& c, hub_client& source, const import_options& options, import_report& report)
      : c_(c), source_(source), options_(options), report_(report), owners_{.take_owned = options.with_owned} {}

  /// Kind after kind; ends early when source or hub cannot be used any more.
  void run();

 private:
  void import_kind(const imported_kind& kind);
  result<void> read(const imported_kind& kind, const std::string& version);
  result<void> read_chosen(const imported_kind& kind, const std::string& version);
  bool take(const imported_kind& kind, const document& object);
  import_row judge(const imported_kind& kind, const document& wanted);
  import_row judge_existing(const imported_kind& kind, const document& wanted);
  import_row same(const imported_kind& kind, const document& existing, const document& wanted);
  result<import_row> change(const imported_kind& kind, const std::string& path, const document& existing,
                            const document& wanted);
  import_row judge_without_namespace(const imported_kind& kind, const document& wanted, const error& why);
  void note_cluster(const document& wanted, const import_row& row);
  bool provide_namespace(const std::string& ns);
  bool wait_for_namespace(const std::string& ns);
  result<document> create(const std::string& path, const document& object);
  import_row failure(const document& wanted, const error& why);
  void draw(const std::string& kind);

  console& c_;
  hub_client& source_;
  const import_options& options_;
  import_report& report_;
  import_owners owners_;
  std::set<std::string> namespaces_;  ///< that are here
  std::set<std::string> coming_;      ///< that the hub makes for accepted clusters, or that a dry run would make
  bool ended_ = false;                ///< source or hub cannot be used any more
  std::map<std::string, std::size_t> taken_;  ///< by kind, for the progress line
};

}  // namespace wh::ctl
