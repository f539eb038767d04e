#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "transport/http.hpp"

namespace wh {

/// Reads HTTP/1.x requests from bytes as they come; knows no socket. Beast parses; before and after it stand the checks
/// that keep two readers of one byte stream (us and a proxy before us) from seeing different requests in it.
class http_request_reader {
 public:
  enum class outcome {
    need_more,  ///< append() and advance() again
    complete,   ///< take() the request
    refused,    ///< answer refusal() and close: where the next request begins is unknown
  };
  struct refusal_info {
    int status = 400;
    std::string why;
  };

  http_request_reader(std::size_t header_bytes_max, std::size_t body_bytes_max);
  ~http_request_reader();

  void append(std::string_view bytes);
  outcome advance();
  /// The request; what follows it stays for the next advance().
  http_request take();

  /// Of the request that advance() completed.
  bool keep_alive() const { return keep_alive_; }
  bool is_http10() const { return http10_; }
  const refusal_info& refusal() const { return refusal_; }
  /// Something of the next request has come.
  bool begun() const { return parser_ != nullptr || !input_.empty(); }
  /// Its header is complete, its body is not.
  bool in_body() const { return parser_ != nullptr; }
  /// True once if the client waits for `100 Continue` before it sends the body.
  bool take_continue();
  std::size_t buffered() const { return input_.size(); }

 private:
  class parser;
  outcome refuse(int status, std::string why);
  outcome scan_header();
  outcome check_line_structure(std::size_t at);
  outcome begin_message();
  outcome parse();

  std::size_t header_bytes_max_;
  std::size_t body_bytes_max_;
  std::string input_;
  std::size_t scanned_ = 0;  ///< of input_, while the header is incomplete
  std::unique_ptr<parser> parser_;
  bool continue_wanted_ = false;
  bool keep_alive_ = false;
  bool http10_ = false;
  bool refused_ = false;
  refusal_info refusal_;
};

}  // namespace wh
