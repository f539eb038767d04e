#pragma once
#include <map>
#include <string>

#include "transport/http.hpp"

namespace wh {

/// How the body of an answer is delimited.
enum class body_framing {
  sized,        ///< by content-length
  chunked,      ///< by chunks
  until_close,  ///< by the end of the connection: what a client of HTTP/1.0 understands of a stream
};

/// What the request says about the form of its answer.
struct answer_form {
  bool head = false;        ///< the request was HEAD: no body follows
  bool http10 = false;      ///< the client speaks HTTP/1.0
  bool keep_alive = false;  ///< the client would go on
};

/// Status line and header of an answer. Framing headers among `headers` are replaced; line ends within values, which
/// would let a value end the header, become spaces.
std::string answer_head(int status, const std::map<std::string, std::string>& headers, body_framing framing,
                        std::size_t length, const answer_form& form);

/// True for the statuses that never have a body.
bool bodiless(int status);

/// The size line before a chunk.
std::string chunk_head(std::size_t n);

std::string lower_case(std::string_view text);

}  // namespace wh
