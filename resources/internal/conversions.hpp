#pragma once
#include "resources/document.hpp"

namespace wh::internal {

// One pair per version that differs in shape from the stored one: kind_conversion says what they promise.

void management_addon_to_v1beta1(document& object);
void management_addon_to_v1alpha1(document& object);
void managed_addon_to_v1beta1(document& object);
void managed_addon_to_v1alpha1(document& object);

}  // namespace wh::internal
