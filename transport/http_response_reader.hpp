#pragma once
#include <functional>
#include <memory>
#include <string_view>

#include "transport/http.hpp"

namespace wh {

/// Reads one HTTP/1.1 response from bytes as they come; knows no socket. Interim responses (1xx) are skipped.
class http_response_reader {
 public:
  /// `head`: the request was HEAD. Without `on_data`, or when the status is not 2xx, the body is kept for take().
  http_response_reader(bool head, std::function<bool(std::string_view)> on_data = nullptr);
  ~http_response_reader();

  /// Consumes bytes; an error if they are no HTTP.
  result<void> append(std::string_view bytes);
  /// The peer has closed the connection; an error if that cuts the response off.
  result<void> end_of_input();
  /// Something has come.
  bool begun() const { return begun_; }
  bool complete() const;
  /// on_data returned false.
  bool stopped() const;
  bool keep_alive() const;
  http_response take();

 private:
  class parser;
  std::unique_ptr<parser> make_parser() const;
  result<void> parse();

  bool head_;
  bool begun_ = false;
  std::function<bool(std::string_view)> on_data_;
  std::string input_;
  std::unique_ptr<parser> parser_;
};

}  // namespace wh
