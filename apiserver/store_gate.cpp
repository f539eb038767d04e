#include "apiserver/api.hpp"

namespace wh {

namespace {

class store_gate final : public write_gate {
 public:
  explicit store_gate(store& s) : store_(s) {}

  void submit(write_proposal proposal, completion done) override {
    store_.submit(std::move(proposal.proposed),
                  [body = std::move(proposal.body), done = std::move(done)](const result<commit>& c) {
                    if (c) done(write_outcome{c->last, body});
                    else done(c.err());
                  });
  }

 private:
  store& store_;
};

}  // namespace

std::unique_ptr<write_gate> make_store_gate(store& s) { return std::make_unique<store_gate>(s); }

}  // namespace wh
