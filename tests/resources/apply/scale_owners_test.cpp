#include "resources/apply/scale_owners.hpp"

#include <catch2/catch.hpp>

using namespace wh;
using namespace wh::apply;

namespace {

document entry(const std::string& manager, const std::string& operation, const std::string& version, const char* fields,
               const std::string& subresource = {}) {
  document out = {{"apiVersion", version},  {"fieldsType", "FieldsV1"}, {"fieldsV1", document::parse(fields)},
                  {"operation", operation}, {"manager", manager},       {"time", "2026-01-01T00:00:00Z"}};
  if (!subresource.empty()) out["subresource"] = subresource;
  return out;
}

/// In v1 the replicas are in spec.replicas, in v2 in spec.count; v3 has no scale.
std::optional<path> replicas(const std::string& version) {
  if (version == "x.io/v3") return std::nullopt;
  return path{path_element::field("spec"), path_element::field(version == "x.io/v1" ? "replicas" : "count")};
}

constexpr const char* both = R"({"f:spec":{"f:other":{},"f:replicas":{}}})";
constexpr const char* other = R"({"f:spec":{"f:other":{}}})";
constexpr const char* number = R"({"f:spec":{"f:replicas":{}}})";

}  // namespace

TEST_CASE("a Scale has the owners of the replicas, whatever they are called in a version", "[apply][scale]") {
  const auto object = *parse_managers(document::array({
      entry("applier", "Apply", "x.io/v1", both),
      entry("old", "Update", "x.io/v2", R"({"f:spec":{"f:count":{}}})"),
      entry("odd", "Update", "x.io/v3", number),
      entry("else", "Update", "x.io/v1", other),
      entry("scaler", "Update", "x.io/v1", number, "scale"),
  }));
  const auto scale = owners_of_scale(object, replicas);
  CHECK(managed_fields_of(scale) == document::array({
                                        entry("applier", "Apply", "autoscaling/v1", number),
                                        entry("old", "Update", "autoscaling/v1", number),
                                        entry("scaler", "Update", "autoscaling/v1", number, "scale"),
                                    }));
  CHECK(owners_after_scale(object, scale, "x.io/v1", replicas).size() == object.size());
  CHECK(managed_fields_of(owners_after_scale(object, scale, "x.io/v1", replicas)) == managed_fields_of(object));
}

TEST_CASE("who scales takes the replicas from the others, who keep the rest", "[apply][scale]") {
  const auto object = *parse_managers(document::array({
      entry("applier", "Apply", "x.io/v1", both),
      entry("old", "Update", "x.io/v2", R"({"f:spec":{"f:count":{}}})"),
  }));
  const auto scale = *parse_managers(document::array({entry("scaler", "Update", "autoscaling/v1", number, "scale")}));
  CHECK(managed_fields_of(owners_after_scale(object, scale, "x.io/v1", replicas)) ==
        document::array(
            {entry("applier", "Apply", "x.io/v1", other), entry("scaler", "Update", "x.io/v1", number, "scale")}));
  CHECK(managed_fields_of(owners_after_scale({}, scale, "x.io/v2", replicas)) ==
        document::array({entry("scaler", "Update", "x.io/v2", R"({"f:spec":{"f:count":{}}})", "scale")}));
}
