#pragma once
#include <memory>
#include <string>
#include <vector>

#include "sim/fleet.hpp"
#include "tests/sim/crash_watchers.hpp"
#include "tests/sim/patient_user.hpp"

namespace wh::testing {

struct crash_options {
  std::uint64_t seed = 1;
  int clusters = 1;
  bool hasty = false;     ///< the user changes and deletes without waiting for reports
  bool again = false;     ///< after its deletion the work is made and deleted once more
  bool straight = false;  ///< the cluster is deleted with its work still there
  std::vector<crash_points::death> plan;
};

/// The life of a work and its cluster, from the bootstrap token to the detached cluster, with nodes dying as planned:
///   token ► join ► approve, accept ► work made ► changed, one object dropped ► deleted (► made, deleted) ► cluster deleted
/// The watchers look at every commit, the user at every answer, and after each step all sides must agree.
class crash_story {
 public:
  explicit crash_story(const crash_options& options);
  /// "" or the promise that was broken.
  std::string run();
  const crash_points& points() const { return points_; }

 private:
  struct managed {
    wishes wanted;
    std::unique_ptr<agent_watcher> agent;
    std::unique_ptr<objects_watcher> objects;
    std::set<object_key> own;  ///< what the cluster holds without any work
  };

  void join();
  void join_one(int i);
  void make_works();
  void make_works_again();
  void change_works();
  void remove_works();
  void detach();
  void rest();

  void pause_like_the_user(const std::function<void()>& otherwise);
  void wait_for_report(int i);
  void agree(const std::string& what, const std::function<std::string()>& obstacle);
  std::string objects_problem(int i) const;
  std::string remains_problem(int i) const;
  std::string hub_remains_problem() const;
  void check_watchers() const;
  std::string work_path(int i) const;

  const crash_options options_;
  crash_points points_;
  std::string failed_handler_;
  fleet fleet_;
  patient_user user_;
  rng random_;
  hub_watcher hub_;
  std::vector<std::unique_ptr<managed>> clusters_;
  std::set<object_key> hub_own_;
};

}  // namespace wh::testing
