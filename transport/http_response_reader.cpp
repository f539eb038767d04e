#include "transport/http_response_reader.hpp"

#include <limits>

#include "transport/beast.hpp"
#include "transport/http_answer.hpp"

namespace wh {
namespace {

constexpr std::uint32_t header_bytes_max = 256 * 1024;
constexpr std::size_t body_bytes_max = 512 * 1024 * 1024;

}  // namespace

class http_response_reader::parser final : public beast_http::basic_parser<false> {
 public:
  explicit parser(const std::function<bool(std::string_view)>& on_data) : on_data_(on_data) {
    eager(true);
    header_limit(header_bytes_max);
    // Beast 1.74 takes boost::none, its word for no limit, as a limit below every content-length.
    body_limit(std::numeric_limits<std::uint64_t>::max());
  }
  int status = 0;
  std::map<std::string, std::string> headers;
  std::string body;
  bool stopped = false;

  bool must_wait(std::size_t bytes) const {
    return header_done_ && !chunk_begun_ && chunked() && bytes < first_chunk_bytes_min;
  }

 private:
  using error_code = boost::system::error_code;
  using text = boost::beast::string_view;

  void on_response_impl(int code, text, int, error_code&) override { status = code; }
  void on_field_impl(beast_http::field, text name, text value, error_code&) override {
    if (header_done_) return;
    auto& content = headers[lower_case({name.data(), name.size()})];
    if (!content.empty()) content += ", ";
    content.append(value.data(), value.size());
  }
  void on_header_impl(error_code&) override { header_done_ = true; }
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(text bytes, error_code& ec) override { return take(bytes, ec); }
  std::size_t on_chunk_body_impl(std::uint64_t, text bytes, error_code& ec) override { return take(bytes, ec); }
  void on_chunk_header_impl(std::uint64_t, text, error_code&) override { chunk_begun_ = true; }
  void on_finish_impl(error_code&) override {}
  void on_request_impl(beast_http::verb, text, text, int, error_code&) override {}

  std::size_t take(text bytes, error_code& ec) {
    if (on_data_ && status / 100 == 2) {
      stopped = stopped || !on_data_({bytes.data(), bytes.size()});
      return bytes.size();
    }
    if (body.size() + bytes.size() > body_bytes_max) {
      ec = beast_http::error::body_limit;
      return 0;
    }
    body.append(bytes.data(), bytes.size());
    return bytes.size();
  }

  const std::function<bool(std::string_view)>& on_data_;
  bool header_done_ = false;
  bool chunk_begun_ = false;
};

http_response_reader::http_response_reader(bool head, std::function<bool(std::string_view)> on_data)
    : head_(head), on_data_(std::move(on_data)), parser_(make_parser()) {}

http_response_reader::~http_response_reader() = default;

std::unique_ptr<http_response_reader::parser> http_response_reader::make_parser() const {
  auto made = std::make_unique<parser>(on_data_);
  if (head_) made->skip(true);
  return made;
}

result<void> http_response_reader::append(std::string_view bytes) {
  begun_ = begun_ || !bytes.empty();
  input_ += bytes;
  return parse();
}

result<void> http_response_reader::parse() {
  std::size_t used = 0;
  while (used < input_.size() && !parser_->is_done() && !parser_->stopped &&
         !parser_->must_wait(input_.size() - used)) {
    boost::system::error_code ec;
    used += parser_->put(asio::buffer(input_.data() + used, input_.size() - used), ec);
    if (ec == beast_http::error::need_more) break;
    if (ec) return fail(errc::corrupt, "malformed HTTP response: " + ec.message());
    // 101 is the last word of this protocol on the connection; the other 1xx announce the response.
    if (parser_->is_done() && parser_->status / 100 == 1 && parser_->status != 101) parser_ = make_parser();
  }
  input_.erase(0, used);
  return {};
}

result<void> http_response_reader::end_of_input() {
  if (complete()) return {};
  boost::system::error_code ec;
  if (begun_ && parser_->got_some()) parser_->put_eof(ec);
  if (ec || !complete()) return fail(errc::unavailable, "the connection ended before the HTTP response did");
  return {};
}

bool http_response_reader::complete() const { return parser_->is_done(); }
bool http_response_reader::stopped() const { return parser_->stopped; }
bool http_response_reader::keep_alive() const {
  return complete() && input_.empty() && parser_->keep_alive() && !parser_->need_eof();
}

http_response http_response_reader::take() {
  return {.status = parser_->status, .headers = std::move(parser_->headers), .body = share(std::move(parser_->body))};
}

}  // namespace wh
