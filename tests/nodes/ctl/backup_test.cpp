#include "nodes/ctl/backup.hpp"

#include <catch2/catch.hpp>

#include "nodes/common/files.hpp"
#include "persistence/backup_file.hpp"
#include "tests/nodes/common/temporary_folder.hpp"
#include "tests/nodes/ctl/fake_hub.hpp"

using namespace wh;
using namespace wh::ctl;
using namespace wh::test;
using Catch::Matchers::Contains;

namespace {

/// A backup's bytes as a hub would send them.
std::string sample(const temporary_folder& folder) {
  const std::string path = folder.file("sample");
  auto writer = backup_writer::create(path);
  REQUIRE(writer.ok());
  REQUIRE(writer->add("description", R"({"kind":"hub","revision":42,"sealedWith":"abcd"})").ok());
  REQUIRE(writer->add("store", std::string(5000, 's')).ok());
  REQUIRE(writer->finish().ok());
  return *read_file(path);
}

}  // namespace

TEST_CASE("a backup gets its name when it has arrived whole", "[ctl][backup]") {
  temporary_folder folder;
  ctl_fixture f;
  f.server.streamed = sample(folder);
  const std::string path = folder.file("hub.backup");
  CHECK(make_backup(f.console, {.file = path}) == exit_ok);
  CHECK(*read_file(path) == f.server.streamed);
  CHECK_THAT(f.out.str(), Contains("revision 42") && Contains("sealed with key abcd") && Contains("key file"));
  CHECK(f.err.str().empty());

  CHECK(make_backup(f.console, {.file = path}) == exit_failure);
  CHECK_THAT(f.err.str(), Contains(path) && Contains("--force"));
  CHECK(make_backup(f.console, {.file = path, .force = true}) == exit_ok);
}

TEST_CASE("what arrives damaged, in part or not at all leaves no file", "[ctl][backup]") {
  temporary_folder folder;
  const std::string whole = sample(folder);
  const std::string path = folder.file("hub.backup");
  const auto failure = [&](const std::function<void(fake_hub&)>& arrange) {
    ctl_fixture f;
    f.server.streamed = whole;
    arrange(f.server);
    CHECK(make_backup(f.console, {.file = path}) == exit_failure);
    CHECK_FALSE(file_exists(path));
    CHECK_FALSE(file_exists(path + ".download"));
    return f.err.str();
  };
  CHECK_THAT(failure([](fake_hub& h) { h.streamed.resize(h.streamed.size() - 1); }), Contains("did not arrive whole"));
  CHECK_THAT(failure([](fake_hub& h) { h.streamed[3000] = 'x'; }), Contains("checksum"));
  CHECK_THAT(failure([](fake_hub& h) { h.streamed.clear(); }), Contains("did not arrive whole"));
  CHECK_THAT(failure([](fake_hub& h) { h.unreachable = "no route"; }), Contains("no route"));
  CHECK_THAT(failure([](fake_hub& h) { h.refusals["GET /operate"] = {403, "not for you"}; }), Contains("not for you"));
}

TEST_CASE("progress shows what is known", "[ctl][backup]") {
  using std::chrono::seconds;
  CHECK(progress_text(std::uint64_t{5} << 20, std::uint64_t{20} << 20, seconds(5)) ==
        "[=======                       ] 5.0 of 20.0 MiB  1.0 MiB/s  15s left");
  CHECK(progress_text(std::uint64_t{5} << 20, std::nullopt, seconds(5)) == "5.0 MiB  1.0 MiB/s");
  CHECK_THAT(progress_text(30, 20, seconds(0)), Contains("0s left"));
}
