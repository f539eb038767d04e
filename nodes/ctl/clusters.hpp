#pragma once
#include <string>
#include <vector>

#include "nodes/ctl/console.hpp"

namespace wh::ctl {

struct get_options {
  std::string selector = {};  ///< label selector; empty: all
  std::string cluster = {};   ///< works only: one cluster's; empty: all
  bool show_labels = false;
};

text_table clusters_table(const std::vector<document>& clusters, bool show_labels, instant now);
text_table works_table(const std::vector<document>& works, instant now);

/// `whctl get clusters`
int get_clusters(console& c, const get_options& options);
/// `whctl get works`
int get_works(console& c, const get_options& options);

}  // namespace wh::ctl
