#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace wh::bench {

/// Who takes what an answer_reader finds.
class answer_sink {
 public:
  virtual ~answer_sink() = default;
  virtual void on_head() = 0;
  virtual void on_body(std::string_view piece) = 0;
  virtual void on_answer_end() = 0;
};

/// Cuts a byte stream into HTTP/1.1 answers as cheaply as can be: client and server share the processors that are
/// measured. It believes what it reads; for servers that the benchmark started itself.
class answer_reader {
 public:
  /// Hands out what the bytes hold; the pieces of a body as they come.
  result<void> append(std::string_view bytes, answer_sink& to);

  int status() const { return status_; }
  /// Of the newest answer, in lower case.
  const std::string& head() const { return head_; }

 private:
  enum class part { head, sized, chunk_size, chunk, chunk_end, last_end };
  result<void> take_head(std::string_view& bytes, answer_sink& to);
  result<void> take_chunk_size(std::string_view& bytes);
  void take_body(std::string_view& bytes, answer_sink& to);
  /// The line end after a chunk, or after the last one.
  void take_line_end(std::string_view& bytes, answer_sink& to);
  result<void> read_framing(answer_sink& to);
  void end(answer_sink& to);

  part part_ = part::head;
  std::string head_, line_;
  bool head_begun_ = false;
  int status_ = 0;
  std::uint64_t left_ = 0;  ///< bytes of the body, the chunk or the line end that have yet to come
};

}  // namespace wh::bench
