#pragma once
#include <string>

#include "resources/document.hpp"

namespace wh {

/// OpenAPI v2, which kubectl below 1.27 reads for explain, for validation and for the merge keys of apply.

/// A v3 schema as v2 has it: no oneOf, anyOf, not, nullable, and local references under #/definitions/. What may be null,
/// or anything, gets no type, as Kubernetes does: kubectl of that time would refuse such values.
document swagger_schema(const document& v3);

/// A document in the form in which kubectl asks for it: gnostic's protobuf message openapi.v2.Document. Only what
/// openapi_cache writes is carried over.
std::string gnostic_protobuf(const document& swagger);

}  // namespace wh
