#pragma once
#include <string_view>

namespace wh {

struct api_call;
struct api_error;

/// Tells the audit trail, if the server has one and its policy wants it, of an answer. `failure` null: it went well.
void audit_answer(api_call& call, int code, std::string_view body, const api_error* failure);

/// The same for an answer that begins now and goes on: its end is told of when the reply is let go.
void audit_stream(api_call& call);

}  // namespace wh
