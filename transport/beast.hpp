#pragma once
// The one place that includes Boost.Beast, of which only the parser is used. Sources only.
#include "transport/asio.hpp"
// asio.hpp comes first: it makes Asio 1.74 fit for C++20.
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <boost/beast/http/status.hpp>

namespace wh {
namespace beast_http = boost::beast::http;

/// Bytes that must wait before a parser is given the first chunk of a chunked body. Beast 1.74 asserts that a last chunk
/// it saw before is given again with at least the five bytes of "0 CRLF CRLF", which only an empty body in pieces denies.
inline constexpr std::size_t first_chunk_bytes_min = 5;
}  // namespace wh
