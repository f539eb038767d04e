#include "nodes/parts/secret_keys.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <iostream>

#include "actors/names.hpp"
#include "apiserver/tokens/signing_keys.hpp"
#include "nodes/common/files.hpp"
#include "nodes/parts/node_log.hpp"

namespace wh {
namespace {

constexpr std::size_t key_file_bytes_max = 64 * 1024;

result<std::string> read_key_file(const std::string& file) {
  struct stat info {};
  if (::stat(file.c_str(), &info) == 0 && (info.st_mode & 077) != 0)
    return fail(errc::forbidden,
                fmt::format("the key file {} can be read by others than its owner: chmod 600 {}", file, file));
  return read_file(file, key_file_bytes_max);
}

result<std::string> add_new_key(const std::string& file) {
  auto existing = read_key_file(file);
  if (!existing && existing.err().code != errc::not_found) return existing.err();
  const std::string text = new_key_line() + (existing ? *existing : "");
  auto ring = key_ring::parse(text, file);
  if (!ring) return ring.err();
  if (auto ok = write_file_atomically(file, text, 0600); !ok) return ok.err();
  return (*ring)->primary();
}

void wait_for_resealing(const store& s, std::function<void(duration, std::function<void()>)> after) {
  after(std::chrono::milliseconds(200), [&s, after] {
    if (s.figures().resealing) return wait_for_resealing(s, after);
    log_info("store", "all secrets are as the first entry of the key file says; older keys can be removed from it");
  });
}

}  // namespace

result<secret_keys> open_secret_keys(const std::string& option, const std::string& data_dir) {
  secret_keys keys;
  const bool off = option == "off";
  keys.file = option.empty() || off ? data_dir + "/encryption.key" : option;
  auto text = read_key_file(keys.file);
  const bool missing = !text && text.err().code == errc::not_found;
  if (off && missing) return secret_keys{};
  if (missing && option.empty()) {
    auto made = add_new_key(keys.file);
    if (!made) return made.err();
    text = read_key_file(keys.file);
  }
  if (!text) return fail(text.err().code, "--encryption-key-file: " + text.err().message);
  auto ring = key_ring::parse(off ? "plain\n" + *text : *text, keys.file);
  if (!ring) return ring.err();
  keys.ring = std::move(*ring);
  return keys;
}

void use_secret_keys(lmdb_options& options, const secret_keys& keys) {
  options.keys = keys.ring;
  options.is_secret = holds_secret;
}

bool holds_secret(const object_key& key, std::string_view body) {
  if (key.resource == names::secrets || key.resource == names::identities || key.resource == signing_keys_resource)
    return true;
  // Stored bodies are written by us, without white space. SecretList and the like count too.
  return body.find(R"("kind":"Secret)") != std::string_view::npos;
}

void log_sealing(const store& s, const secret_keys& keys,
                 const std::function<void(duration, std::function<void()>)>& after) {
  const bool sealed = keys.ring && keys.ring->seals();
  if (sealed)
    log_info("store", fmt::format("secrets are encrypted at rest with key {} ({})", keys.ring->primary(), keys.file));
  else log_warning("store", "secrets are NOT encrypted at rest: --encryption-key-file is off");
  if (!s.figures().resealing) return;
  log_info("store", "the keys have changed: secrets are being rewritten");
  wait_for_resealing(s, after);
}

int run_new_key(const std::string& program, const std::string& option, const std::string& data_dir) {
  if (option == "off") {
    std::cerr << program << ": --encryption-key-file: name the file that gets the key\n";
    return 2;
  }
  const std::string file = option.empty() ? data_dir + "/encryption.key" : option;
  const bool existed = file_exists(file);
  const auto id = add_new_key(file);
  if (!id) {
    std::cerr << program << ": " << id.err().message << "\n";
    return 1;
  }
  std::cout << fmt::format("key {} is {} {}\n", *id, existed ? "now the first of" : "in the new file", file);
  return 0;
}

}  // namespace wh
