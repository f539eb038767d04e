#pragma once
#include <optional>
#include <string>
#include <vector>

#include "nodes/ctl/console.hpp"
#include "nodes/ctl/manifests.hpp"

namespace wh::ctl {

struct work_options {
  std::string name = {};
  std::vector<std::string> files = {};
  std::vector<std::string> clusters = {};
  bool update = false;                ///< change a work that exists already instead of failing
  std::string update_strategy = {};   ///< of all manifests; empty: the default, Update
  std::string delete_policy = {};     ///< deleteOption.propagationPolicy; empty: the default, Foreground
  std::optional<duration> wait = {};  ///< until applied and available
};

/// spec of the ManifestWork that carries these manifests.
document work_spec(const std::vector<manifest>& manifests, const work_options& options);

/// `whctl create work NAME`: one ManifestWork per cluster.
int create_work(console& c, const work_options& options, std::istream& in);

struct delete_work_options {
  std::string name = {};
  std::vector<std::string> clusters = {};
  bool all_clusters = false;
  bool wait = false;  ///< until the clusters are clean and the works gone
  duration timeout = std::chrono::minutes(1);
};

/// `whctl delete work NAME`
int delete_work(console& c, const delete_work_options& options);

}  // namespace wh::ctl
