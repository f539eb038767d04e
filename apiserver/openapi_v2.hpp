#pragma once
#include <map>
#include <string>

#include "resources/document.hpp"

namespace wh {

/// OpenAPI v2, which kubectl below 1.27 reads for explain, for validation and for the merge keys of apply.

/// A v3 schema as v2 has it: no oneOf, anyOf, not, nullable, and local references under #/definitions/. What is text or
/// a number is text, as Kubernetes writes it. What may be null,
/// or anything, gets no type, as Kubernetes does: kubectl of that time would refuse such values.
document swagger_schema(const document& v3);

/// The form in which kubectl asks for v2: gnostic's protobuf message openapi.v2.Document. `swagger` is the document
/// without definitions, which come written by gnostic_schema. Only what openapi_cache writes is carried over.
std::string gnostic_protobuf(const document& swagger, const std::map<std::string, std::string>& definitions);
/// A v2 schema as gnostic's message.
std::string gnostic_schema(const document& schema);

}  // namespace wh
