#include "sim/process/approver.hpp"

#include <deque>
#include <unordered_map>
#include <utility>

#include "nodes/ctl/hub_client.hpp"
#include "nodes/parts/clock.hpp"
#include "sim/process/resource_watch.hpp"

namespace wh {
namespace {

constexpr std::string_view cluster_label = "open-cluster-management.io/cluster-name";
constexpr const char* client_signer = "kubernetes.io/kube-apiserver-client";
constexpr duration pause_min = std::chrono::milliseconds(100);
constexpr duration pause_max = std::chrono::seconds(2);

bool decided(const document& csr) {
  const auto* conditions = find_path(csr, {"status", "conditions"});
  if (!conditions) return false;
  for (const char* type : {"Approved", "Denied", "Failed"})
    if (find_condition(*conditions, type)) return true;
  return false;
}

std::string approval() {
  const document patch = {{"status",
                           {{"conditions", document::array({{{"type", "Approved"},
                                                             {"status", "True"},
                                                             {"reason", "ScaleHarness"},
                                                             {"message", "Approved as one of the clusters of a run."},
                                                             {"lastUpdateTime", to_rfc3339(wall_clock())}}})}}}};
  return patch.dump();
}

}  // namespace

/// The work to do, each item a PATCH. Used on the client's thread, but for the figures.
class approver::core : public std::enable_shared_from_this<core> {
 public:
  core(admin_client& admin, approver_options options) : admin_(admin), options_(std::move(options)) {}

  void see_request(watch_change change, const document& csr);
  void see_cluster(watch_change change, const document& cluster);
  approver_figures figures() const {
    const std::lock_guard lock(mutex_);
    return figures_;
  }
  void stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }

 private:
  struct item {
    bool is_request = false;  ///< of a certificate; else a cluster
    int attempts = 0;
  };

  void want(const std::string& path, bool is_request);
  void next();
  void attempt(const std::string& path);
  void answered(const std::string& path, const result<shared_bytes>& answer);
  void done(const std::string& path, bool counts);
  void failed(const std::string& path, const error& why);

  admin_client& admin_;
  approver_options options_;
  std::unordered_map<std::string, item> items_;  ///< waiting, under way or pausing, by path
  std::deque<std::string> queue_;
  std::size_t in_flight_ = 0;
  mutable std::mutex mutex_;  ///< guards what follows
  approver_figures figures_;
  bool stopped_ = false;
};

void approver::core::see_request(watch_change change, const document& csr) {
  if (change == watch_change::deleted || decided(csr)) return;
  if (!label_of(csr, cluster_label).starts_with(options_.prefix)) return;
  if (string_at(csr, {"spec", "signerName"}) != client_signer) return;
  if (!string_at(csr, {"spec", "username"}).starts_with(options_.requester_prefix)) return;
  want(ctl::csr_path(name_of(csr), "approval"), true);
}

void approver::core::see_cluster(watch_change change, const document& cluster) {
  if (change == watch_change::deleted || bool_at(cluster, {"spec", "hubAcceptsClient"}, false)) return;
  if (name_of(cluster).starts_with(options_.prefix)) want(ctl::clusters_path(name_of(cluster)), false);
}

void approver::core::want(const std::string& path, bool is_request) {
  // Changes that others make to it meanwhile bring it here again.
  if (!items_.try_emplace(path, item{.is_request = is_request}).second) return;
  {
    const std::lock_guard lock(mutex_);
    ++figures_.waiting;
  }
  queue_.push_back(path);
  next();
}

void approver::core::next() {
  while (in_flight_ < options_.in_flight_max && !queue_.empty()) {
    const auto path = std::move(queue_.front());
    queue_.pop_front();
    attempt(path);
  }
}

void approver::core::attempt(const std::string& path) {
  auto& work = items_.at(path);
  ++work.attempts;
  ++in_flight_;
  static const std::string acceptance = document{{"spec", {{"hubAcceptsClient", true}}}}.dump();
  admin_.send("PATCH", path, "application/merge-patch+json", work.is_request ? approval() : acceptance,
              [self = shared_from_this(), path](const auto& answer) { self->answered(path, answer); });
}

void approver::core::answered(const std::string& path, const result<shared_bytes>& answer) {
  --in_flight_;
  if (answer) done(path, true);
  // Deleted meanwhile: nobody waits for our yes.
  else if (answer.err().code == errc::not_found) done(path, false);
  else failed(path, answer.err());
  next();
}

void approver::core::done(const std::string& path, bool counts) {
  const auto work = items_.extract(path);
  const std::lock_guard lock(mutex_);
  --figures_.waiting;
  if (counts) ++(work.mapped().is_request ? figures_.approved : figures_.accepted);
}

void approver::core::failed(const std::string& path, const error& why) {
  const int attempts = items_.at(path).attempts;
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    figures_.last_problem = path + ": " + why.message;
    if (retry_of(why.code) == retry_class::permanent || attempts >= options_.attempts_max) {
      ++figures_.failures;
      --figures_.waiting;
      items_.erase(path);
      return;
    }
    ++figures_.retries;
  }
  // Saying yes twice does no harm, so an attempt whose fate is unknown is repeated as well.
  admin_.pool().after(std::min(pause_min * attempts, pause_max), [self = shared_from_this(), path] {
    self->queue_.push_back(path);
    self->next();
  });
}

struct approver::parts {
  std::shared_ptr<core> work;
  resource_watch requests;
  resource_watch clusters;

  parts(admin_client& admin, approver_options options)
      : work(std::make_shared<core>(admin, std::move(options))),
        requests(admin, {.path = ctl::csr_path(),
                         .on_event = [me = work](auto change, const auto& csr) { me->see_request(change, csr); }}),
        clusters(admin, {.path = ctl::clusters_path(),
                         .on_event = [me = work](auto change, const auto& c) { me->see_cluster(change, c); }}) {}
};

approver::approver(admin_client& admin, approver_options options)
    : parts_(std::make_unique<parts>(admin, std::move(options))) {}

approver::~approver() { parts_->work->stop(); }

result<void> approver::wait_watching(duration timeout) const {
  if (auto ok = parts_->requests.wait_synced(timeout); !ok) return ok;
  return parts_->clusters.wait_synced(timeout);
}

approver_figures approver::figures() const { return parts_->work->figures(); }

}  // namespace wh
