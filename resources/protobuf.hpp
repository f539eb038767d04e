#pragma once
#include "resources/kinds.hpp"

namespace wh {

/// True for the magic prefix of `application/vnd.kubernetes.protobuf` bodies.
bool is_kubernetes_protobuf(std::string_view body);

/// Decodes the runtime.Unknown envelope and its object by the protobuf tags of the kind's schema. Also DeleteOptions,
/// which has no kind in the registry. Errors name the field path; unknown field numbers are skipped.
result<document> decode_protobuf(std::string_view body, const kind_registry& kinds);

}  // namespace wh
