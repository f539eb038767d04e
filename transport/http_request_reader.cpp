#include "transport/http_request_reader.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "transport/beast.hpp"

namespace wh {
namespace {

// A chunk's header or trailer that is longer than this is an attack, not a request.
constexpr std::size_t chunk_line_bytes_max = 16 * 1024;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Fields that say one thing: two of them are two opinions.
bool is_singleton(std::string_view name) {
  static constexpr std::string_view names[] = {
      "authorization", "content-length",  "content-type",     "expect",           "host",
      "if-match",      "impersonate-uid", "impersonate-user", "transfer-encoding"};
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

}  // namespace

class http_request_reader::parser final : public beast_http::basic_parser<true> {
 public:
  http_request request;
  int status = 0;  ///< why the header is refused, 0 if it is not
  std::string why;
  std::size_t body_bytes_max = 0;
  bool header_done = false;
  bool chunk_begun = false;
  bool expects_continue = false;
  int version = 11;

  bool must_wait(std::size_t bytes) const {
    return header_done && !chunk_begun && chunked() && bytes < first_chunk_bytes_min;
  }

 private:
  using error_code = boost::system::error_code;
  using text = boost::beast::string_view;

  void refuse(int code, std::string reason) {
    if (status != 0) return;
    status = code;
    why = std::move(reason);
  }

  void on_request_impl(beast_http::verb, text method, text target, int v, error_code&) override {
    request.method.assign(method.data(), method.size());
    request.target.assign(target.data(), target.size());
    version = v;
  }

  void on_field_impl(beast_http::field, text name, text value, error_code&) override {
    // Trailers come here too; nothing in them may change what the header said.
    if (header_done) return;
    const std::string key = lower({name.data(), name.size()});
    const std::string_view content = trim({value.data(), value.size()});
    const auto [at, fresh] = request.headers.try_emplace(key, content);
    if (fresh) return;
    if (is_singleton(key)) return refuse(400, "header " + key + " occurs twice");
    // A group's name may hold a comma; a line break no header can hold.
    at->second += key == "cookie" ? "; " : key.starts_with("impersonate-") ? "\n" : ", ";
    at->second += content;
  }

  void on_header_impl(error_code& ec) override {
    header_done = true;
    check_framing();
    check_expectation();
    if (version == 11 && !request.headers.contains("host")) refuse(400, "header host is missing");
    if (status != 0) ec = beast_http::error::bad_field;
  }

  void check_framing() {
    const auto encoding = request.headers.find("transfer-encoding");
    const auto length = request.headers.find("content-length");
    if (encoding != request.headers.end()) {
      if (length != request.headers.end()) refuse(400, "both content-length and transfer-encoding are given");
      if (version == 10) refuse(400, "transfer-encoding does not exist in HTTP/1.0");
      if (lower(encoding->second) != "chunked") refuse(501, "transfer-encoding other than chunked");
    }
    if (length != request.headers.end() && length->second.find(',') != std::string::npos)
      refuse(400, "content-length is a list");
  }

  void check_expectation() {
    const auto expect = request.headers.find("expect");
    if (expect == request.headers.end()) return;
    if (lower(expect->second) != "100-continue")
      return refuse(417, "expectation '" + expect->second + "' is not known");
    expects_continue = version == 11;
  }

  std::size_t add_body(text bytes, error_code& ec) {
    if (bytes.size() > body_bytes_max - request.body.size()) {
      ec = beast_http::error::body_limit;
      return 0;
    }
    request.body.append(bytes.data(), bytes.size());
    return bytes.size();
  }

  void on_body_init_impl(const boost::optional<std::uint64_t>& size, error_code&) override {
    // Trust a stated length only so far: the bytes have yet to come.
    if (size) request.body.reserve(std::min<std::size_t>(*size, 64 * 1024));
  }
  std::size_t on_body_impl(text bytes, error_code& ec) override { return add_body(bytes, ec); }
  std::size_t on_chunk_body_impl(std::uint64_t, text bytes, error_code& ec) override { return add_body(bytes, ec); }
  void on_chunk_header_impl(std::uint64_t, text, error_code&) override { chunk_begun = true; }
  void on_finish_impl(error_code&) override {}
  void on_response_impl(int, text, int, error_code&) override {}
};

http_request_reader::http_request_reader(std::size_t header_bytes_max, std::size_t body_bytes_max)
    : header_bytes_max_(header_bytes_max), body_bytes_max_(body_bytes_max) {}

http_request_reader::~http_request_reader() = default;

void http_request_reader::append(std::string_view bytes) { input_ += bytes; }

http_request_reader::outcome http_request_reader::refuse(int status, std::string why) {
  refused_ = true;
  refusal_ = {status, std::move(why)};
  return outcome::refused;
}

http_request_reader::outcome http_request_reader::advance() {
  if (refused_) return outcome::refused;
  if (!parser_) {
    const auto header = scan_header();
    if (header != outcome::complete) return header;
    const auto begun = begin_message();
    if (begun != outcome::complete) return begun;
  }
  return parse();
}

http_request_reader::outcome http_request_reader::scan_header() {
  // RFC 9112 section 2.2: old clients send an empty line after a body; one is forgiven.
  if (scanned_ == 0 && input_.starts_with("\r\n")) input_.erase(0, 2);
  for (; scanned_ < input_.size(); ++scanned_) {
    if (scanned_ >= header_bytes_max_)
      return refuse(431, "request header is larger than " + std::to_string(header_bytes_max_) + " bytes");
    if (check_line_structure(scanned_) == outcome::refused) return outcome::refused;
    if (input_[scanned_] == '\n' && scanned_ >= 3 && input_[scanned_ - 2] == '\n') {
      ++scanned_;
      return outcome::complete;
    }
  }
  return outcome::need_more;
}

http_request_reader::outcome http_request_reader::check_line_structure(std::size_t at) {
  const char c = input_[at];
  const char before = at > 0 ? input_[at - 1] : '\0';
  if (c == '\0') return refuse(400, "request header holds a NUL");
  // A line feed alone or a carriage return alone is a line end to some readers only.
  if ((c == '\n') != (before == '\r')) return refuse(400, "request header has a line end that is not CRLF");
  if ((c == ' ' || c == '\t') && (before == '\n' || at == 0)) return refuse(400, "request header has a folded line");
  return outcome::complete;
}

http_request_reader::outcome http_request_reader::begin_message() {
  parser_ = std::make_unique<parser>();
  parser_->eager(true);
  parser_->header_limit(static_cast<std::uint32_t>(header_bytes_max_ + 4));
  parser_->body_limit(body_bytes_max_);
  parser_->body_bytes_max = body_bytes_max_;
  scanned_ = 0;
  return outcome::complete;
}

http_request_reader::outcome http_request_reader::parse() {
  std::size_t used = 0;
  while (!parser_->is_done() && used < input_.size() && !parser_->must_wait(input_.size() - used)) {
    boost::system::error_code ec;
    const std::size_t n = parser_->put(asio::buffer(input_.data() + used, input_.size() - used), ec);
    used += n;
    if (parser_->status != 0) return refuse(parser_->status, parser_->why);
    if (ec == beast_http::error::need_more) break;
    if (ec == beast_http::error::body_limit)
      return refuse(413, "request body is larger than " + std::to_string(body_bytes_max_) + " bytes");
    if (ec == beast_http::error::bad_version) return refuse(505, "HTTP version other than 1.0 and 1.1");
    if (ec == beast_http::error::header_limit) return refuse(431, "request header is too large");
    if (ec) return refuse(400, "malformed request: " + ec.message());
  }
  input_.erase(0, used);
  if (!parser_->is_done()) {
    if (input_.size() > chunk_line_bytes_max) return refuse(400, "chunk header or trailer is too long");
    continue_wanted_ = continue_wanted_ || std::exchange(parser_->expects_continue, false);
    return outcome::need_more;
  }
  keep_alive_ = parser_->keep_alive();
  http10_ = parser_->version == 10;
  return outcome::complete;
}

bool http_request_reader::take_continue() {
  const bool wanted = std::exchange(continue_wanted_, false);
  // A client that has begun to send the body waits for nothing.
  return wanted && input_.empty() && parser_ && parser_->request.body.empty();
}

http_request http_request_reader::take() {
  WH_ASSERT(parser_ && parser_->is_done());
  http_request request = std::move(parser_->request);
  parser_.reset();
  continue_wanted_ = false;
  if (input_.empty()) input_.shrink_to_fit();
  return request;
}

}  // namespace wh
