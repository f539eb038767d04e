// Secrets at rest: sealed under a key, opened again, rotated, switched off.
#include "persistence/sealing.hpp"

#include <fstream>
#include <sstream>

#include "base/encoding.hpp"
#include "tests/persistence/store_fixture.hpp"

using namespace wh;
using namespace wh::test;

namespace {

const std::string secret_text = "correct horse battery staple";

std::string key_line(char fill) { return "key: " + to_base64(std::string(32, fill)) + "\n"; }

std::shared_ptr<const key_ring> ring(const std::string& text) {
  auto parsed = key_ring::parse(text, "keys");
  if (!parsed) FAIL(parsed.err().message);
  return *parsed;
}

object_key secret(const std::string& name) { return {"secrets", "default", name}; }

lmdb_options sealed_options(const std::string& dir, const std::string& keys) {
  lmdb_options o = options_for(dir);
  if (!keys.empty()) o.keys = ring(keys);
  o.is_secret = [](const object_key& key, std::string_view) { return key.resource == "secrets"; };
  return o;
}

bool file_contains(const lmdb_options& o, const std::string& text) {
  std::ifstream file(o.dir + "/data.mdb", std::ios::binary);
  std::stringstream all;
  all << file.rdbuf();
  return all.str().find(text) != std::string::npos;
}

/// What the store says may be in its file, once it has finished sealing anew.
std::string sealing_of(const lmdb_options& o) {
  auto env = storage::lmdb_env::open(o);
  if (!env) FAIL(env.err().message);
  auto txn = (*env)->begin_read();
  auto tables = storage::lmdb_tables::open(**env, txn->get());
  return (*tables->meta("sealing")).value_or("-");
}

}  // namespace

TEST_CASE("what is sealed opens with its key and its context alone", "[persistence][sealing]") {
  const auto keys = ring(key_line('a'));
  const std::string sealed = *keys->seal("body", "context");
  REQUIRE(sealed.size() == 4 + key_ring::overhead_bytes);
  REQUIRE(sealed.find("body") == std::string::npos);
  REQUIRE(*keys->seal("body", "context") != sealed);
  REQUIRE(*keys->open(sealed, "context") == "body");
  REQUIRE(*keys->open(*keys->seal("", ""), "") == "");
  REQUIRE(keys->open(sealed, "another").err().code == errc::corrupt);
  REQUIRE(keys->is_current(sealed));
  REQUIRE(sealed_with(sealed) == keys->primary());

  const auto other = ring(key_line('b'));
  REQUIRE_FALSE(other->is_current(sealed));
  REQUIRE(other->open(sealed, "context").err().code == errc::unavailable);
  REQUIRE(other->open(sealed, "context").err().message.find(keys->primary()) != std::string::npos);
}

TEST_CASE("no byte of a sealed body can be changed or cut off", "[persistence][sealing]") {
  const auto keys = ring(key_line('a'));
  const std::string sealed = *keys->seal("body", "context");
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    REQUIRE_FALSE(keys->open(changed, "context").ok());
    REQUIRE_FALSE(keys->open(sealed.substr(0, i), "context").ok());
  }
}

TEST_CASE("key files are read strictly, and their mistakes are named without showing keys", "[persistence][sealing]") {
  const auto both = ring("# new and old\n\n  " + key_line('a') + key_line('b'));
  REQUIRE(both->primary() == ring(key_line('a'))->primary());
  REQUIRE(both->has(ring(key_line('b'))->primary()));
  REQUIRE_FALSE(ring("plain\n" + key_line('a'))->seals());
  REQUIRE(ring("plain")->primary() == "plain");
  REQUIRE(ring(new_key_line())->seals());
  const std::string secret_part = to_base64(std::string(31, 'x'));
  for (const std::string& wrong : {std::string("key: " + secret_part), std::string("key: !!!" + secret_part),
                                   std::string("kez: " + secret_part), secret_part}) {
    const auto refused = key_ring::parse("# first\n" + wrong, "my.keys");
    REQUIRE_FALSE(refused.ok());
    REQUIRE(refused.err().message.starts_with("my.keys:2: "));
    REQUIRE(refused.err().message.find(secret_part) == std::string::npos);
  }
  REQUIRE(key_ring::parse("# nothing\n", "my.keys").err().message.find("my.keys") != std::string::npos);
}

TEST_CASE("secrets are sealed on disk, other objects are not, and readers see neither", "[persistence][sealing]") {
  temp_dir dir;
  const lmdb_options o = sealed_options(dir.sub("store"), key_line('a'));
  for (int life = 0; life < 2; ++life) {
    const auto s = open(o);
    if (life == 0) {
      must(*s, put_of(secret("s"), secret_text));
      must(*s, put_of(secret("s"), secret_text + " 2"));
      must(*s, put_of(config("c"), "for everybody"));
    }
    REQUIRE(body_of(*s, secret("s")) == secret_text + " 2");
    REQUIRE(body_of(*s, secret("s"), revision{1}) == secret_text);
    REQUIRE(*s->list({"secrets", "", ""})->records.at(0).body == secret_text + " 2");
    REQUIRE(changes_after(*s, revision{1}).at(0) == "secrets/default/s@2 " + secret_text + "@1->" + secret_text + " 2");
  }
  REQUIRE_FALSE(file_contains(o, secret_text));
  REQUIRE(file_contains(o, "for everybody"));
}

TEST_CASE("a store with sealed secrets does not open without their key", "[persistence][sealing]") {
  temp_dir dir;
  const lmdb_options o = sealed_options(dir.sub("store"), key_line('a'));
  must(*open(o), put_of(secret("s"), secret_text));
  for (const std::string& keys : {std::string(), key_line('b'), std::string("plain")}) {
    const auto refused = open_lmdb_store(sealed_options(o.dir, keys));
    REQUIRE_FALSE(refused.ok());
    REQUIRE(refused.err().code == errc::unavailable);
    REQUIRE(refused.err().message.find(o.keys->primary()) != std::string::npos);
    REQUIRE(refused.err().message.find(o.dir) != std::string::npos);
  }
  REQUIRE(body_of(*open(o), secret("s")) == secret_text);
}

TEST_CASE("secrets are sealed anew when the first entry of the key file changes", "[persistence][sealing]") {
  temp_dir dir;
  const std::string folder = dir.sub("store");
  // Plain, key a, key b, plain again; each step can read what the one before it wrote.
  const std::vector<std::pair<std::string, std::string>> steps = {
      {"", "plain"},
      {key_line('a'), ring(key_line('a'))->primary()},
      {key_line('b') + key_line('a'), ring(key_line('b'))->primary()},
      {"plain\n" + key_line('b'), "plain"}};
  must(*open(sealed_options(folder, "")), put_of(config("c"), "before"));
  int n = 0;
  for (const auto& [keys, sealing] : steps) {
    const lmdb_options o = sealed_options(folder, keys);
    {
      const auto s = open(o);
      must(*s, put_of(secret("s" + std::to_string(n++)), secret_text));
      REQUIRE(eventually([&] { return !s->figures().resealing; }));
      for (int i = 0; i < n; ++i) REQUIRE(body_of(*s, secret("s" + std::to_string(i))) == secret_text);
      REQUIRE(s->window().current == revision{static_cast<std::uint64_t>(n) + 1});  // no change that a watch would see
    }
    REQUIRE(sealing_of(o) == sealing);
  }
  REQUIRE(open_lmdb_store(sealed_options(folder, "")).ok());
}

TEST_CASE("sealing anew is taken up again after a restart", "[persistence][sealing]") {
  temp_dir dir;
  const std::string folder = dir.sub("store");
  {
    const auto s = open(sealed_options(folder, key_line('a')));
    for (int i = 0; i < 40; ++i) must(*s, put_of(secret(std::to_string(i)), secret_text + std::string(1 << 20, 'x')));
  }
  const lmdb_options o = sealed_options(folder, key_line('b') + key_line('a'));
  open(o).reset();  // may or may not have come far
  REQUIRE_FALSE(open_lmdb_store(sealed_options(folder, key_line('c'))).ok());
  {
    const auto s = open(o);
    REQUIRE(eventually([&] { return !s->figures().resealing; }));
  }
  const auto s = open(sealed_options(folder, key_line('b')));
  for (int i = 0; i < 40; ++i) REQUIRE(body_of(*s, secret(std::to_string(i))).starts_with(secret_text));
}

TEST_CASE("a sealed record that was moved to another object is found out", "[persistence][sealing]") {
  temp_dir dir;
  const lmdb_options o = sealed_options(dir.sub("store"), key_line('a'));
  {
    const auto s = open(o);
    must(*s, put_of(secret("mine"), "mine"));
    must(*s, put_of(secret("yours"), "yours"));
  }
  {
    auto env = storage::lmdb_env::open(o);
    auto txn = (*env)->begin_write();
    const auto key_of_revision = [](std::uint64_t rev) {
      std::string out;
      append_be64(out, rev);
      return out;
    };
    const std::string from = key_of_revision(1);
    const std::string to = key_of_revision(2);
    MDB_val key = storage::to_val(from);
    MDB_val value{};
    REQUIRE(mdb_get(txn->get(), (*env)->tables().log, &key, &value) == 0);
    const auto mine = *storage::parse_record(storage::to_view(value));
    const std::string prefix = storage::object_prefix(secret("yours"));
    std::string forged(storage::record_header_bytes + prefix.size() + mine.body.size(), '\0');
    storage::write_record(forged.data(), mine.flags, prefix, mine.body);
    key = storage::to_val(to);
    value = storage::to_val(forged);
    REQUIRE(mdb_put(txn->get(), (*env)->tables().log, &key, &value, 0) == 0);
    REQUIRE((*env)->commit(*std::move(txn)).ok());
  }
  const auto s = open(o);
  REQUIRE(body_of(*s, secret("mine")) == "mine");
  REQUIRE(s->get(secret("yours")).err().code == errc::corrupt);
}
