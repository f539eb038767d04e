#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "resources/document.hpp"

namespace wh::ctl {

enum class output_format { table, json, yaml };

/// Text for a terminal: control characters are replaced, for much of what is shown was written on remote machines.
std::string printable(std::string text, bool keep_lines = false);

/// A table as kubectl draws it: columns padded with spaces, three between them, no lines.
class text_table {
 public:
  explicit text_table(std::vector<std::string> headers) : headers_(std::move(headers)) {}
  /// One cell per header, made printable().
  void row(std::vector<std::string> cells);
  bool empty() const { return rows_.empty(); }
  /// `colour` paints the cells True, False, Unknown and Pending.
  std::string render(bool colour) const;

 private:
  std::vector<std::string> headers_;
  std::vector<std::vector<std::string>> rows_;
};

/// A document as `-o json` or `-o yaml` prints it, with a line break at its end. metadata.managedFields is left out, as
/// kubectl does: it is long, and for programs.
std::string print_document(document doc, output_format format);

/// A v1 List of items, as kubectl prints several objects.
document list_document(std::vector<document> items);

/// How long ago `doc` was created, as in kubectl's AGE column; `<unknown>` without a creation time.
std::string age_of(const document& doc, instant now);

/// `a=1,b=2`, or `<none>`.
std::string labels_text(const document& doc);

/// The status of a condition; `Pending` if it answers an older generation than the object's, `-` if it is not there.
std::string condition_cell(const document& doc, std::string_view type);

}  // namespace wh::ctl
