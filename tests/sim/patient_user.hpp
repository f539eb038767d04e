#pragma once
#include <functional>
#include <map>
#include <set>
#include <stdexcept>
#include <string>

#include "sim/fleet.hpp"

namespace wh::testing {

/// Something that was promised does not hold; what() says which.
struct broken_promise : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Somebody with kubectl at a hub that comes and goes. An answer that does not come may be a lost request or a lost answer:
/// this user looks before asking again, and remembers everything the hub ever said. What contradicts it is a broken promise.
class patient_user {
 public:
  explicit patient_user(fleet& f) : fleet_(f) {}

  /// The object as the hub shows it; null: there is none.
  document look(const std::string& path);
  /// The items of a collection.
  document list(const std::string& path);
  void create(const std::string& collection, const document& wanted);
  /// Puts what `edit` makes of the newest version, until that was the newest; false from it: nothing is to do.
  void change(const std::string& path, const std::function<bool(document&)>& edit, const std::string& subresource = "");
  void remove(const std::string& path);
  /// Asks again and again until nothing stands in the way of `what`; at most two minutes.
  void wait(const std::string& what, const std::function<std::string()>& obstacle);

 private:
  void note(const std::string& path, const document& object);
  void expect_done(const std::string& what, const result<document>& answer) const;
  void pause();

  struct memory {
    std::string uid;
    revision rev;
    bool removed = false;  ///< the hub has acknowledged the deletion
  };
  fleet& fleet_;
  std::map<std::string, memory> known_;  ///< by path
  std::set<std::string> unwanted_;       ///< paths whose deletion was asked for
  revision newest_;                      ///< of everything that the hub ever said
};

}  // namespace wh::testing
