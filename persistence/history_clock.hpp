#pragma once
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "messages/ids.hpp"

namespace wh::storage {

/// Knows which revisions have reached an age: a short list of marks, each saying that all changes up to a revision were
/// committed at or before a time. Not synchronised.
class history_clock {
 public:
  /// `age` 0: nothing ever becomes too old.
  explicit history_clock(duration age) : age_(age) {}

  /// Before a commit: the one before it gets a mark, unless another one lies close to it. True when the marks changed.
  bool note(instant now);
  /// After a commit that stored changes, `last` the newest of them.
  void committed(instant now, revision last);

  /// All changes up to this one have reached the age; 0: none has.
  revision expired(instant now) const;
  /// Forgets marks that compaction up to `upto` made useless. True when there were any.
  bool forget(revision upto);
  /// How long until more changes expire; nothing: as long as nobody commits, never.
  std::optional<duration> next(instant now) const;

  std::string encode() const;
  /// False, and no marks, when the bytes are malformed.
  bool decode(std::string_view bytes);

 private:
  struct mark {
    instant at;
    revision upto;
  };
  duration age_;
  std::deque<mark> marks_;  ///< both ascending; about 32 at most
  mark last_{};             ///< the newest commit; not part of the encoding
};

}  // namespace wh::storage
