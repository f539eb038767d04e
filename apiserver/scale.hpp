#pragma once
#include "apiserver/body.hpp"

// The scale subresource. A write to it starts from the object's Scale and makes a Scale of it, by PUT or any patch; what
// that says of replicas then goes into the object, which is written as by any other update.
namespace wh {

bool is_scale(const api_call& call);

/// The kind of the bodies that the call's endpoint takes and gives: Scale for scale, else the path's.
const kind_info& body_kind(const api_call& call);

/// The Scale that a write starts from; metadata.managedFields has the owners of the replicas. Where the object says
/// nothing of replicas, it has the smallest number there is, which no write may leave there.
answer<document> scale_to_change(const api_call& call, const document& object);

/// What a write makes of an object.
struct scaled_object {
  document object;
  document owners;  ///< metadata.managedFields as they are to be; null: none
};

/// Brings a Scale into the object `old`. `sent` is its metadata.managedFields, which counts after an apply. The locks of
/// its metadata (name, namespace, resourceVersion, uid) are passed on. 422 for a Scale that is none, 400 for one without
/// replicas.
answer<scaled_object> scale_object(const api_call& call, const write_options& options, const document& old,
                                   const document& scale, const document& sent);

/// Answers with the Scale of a stored object, in the form that was asked for.
void respond_scale(api_call& call, int code, std::string_view body, revision rev);

}  // namespace wh
