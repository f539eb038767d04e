#include "nodes/hub/hub_offline.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iostream>

#include "base/random.hpp"
#include "nodes/common/files.hpp"
#include "nodes/common/version.hpp"
#include "nodes/parts/clock.hpp"
#include "nodes/parts/data_check.hpp"
#include "resources/document.hpp"

namespace wh {
namespace {

namespace fs = std::filesystem;

constexpr const char* program = "wheelhouse-hub";
constexpr const char* ca_cert = "pki/ca.crt";
constexpr const char* ca_key = "pki/ca.key";
constexpr const char* ca_key_sealed = "pki/ca.key.sealed";

int complain(const error& e) {
  std::cerr << program << ": " << e.message << "\n";
  return 1;
}

/// One line that is drawn over and over on a terminal, and not at all elsewhere.
class percent_line {
 public:
  explicit percent_line(std::string what) : what_(std::move(what)) {}
  ~percent_line() {
    if (shown_ >= 0) std::cerr << "\r" << what_ << " 100 %\n";
  }
  void operator()(double part) {
    const int percent = static_cast<int>(part * 100);
    if (!terminal_ || percent == shown_) return;
    shown_ = percent;
    std::cerr << "\r" << what_ << " " << percent << " %" << std::flush;
  }

 private:
  std::string what_;
  bool terminal_ = ::isatty(STDERR_FILENO) == 1;
  int shown_ = -1;
};

result<backup_reader> open_backup(const std::string& file) {
  percent_line line("checking " + file);
  return backup_reader::open(file, std::ref(line));
}

result<document> describe(const backup_reader& backup, const std::string& file) {
  auto text = backup.read("description");
  if (!text) return text.err();
  auto doc = parse_json(*text);
  if (!doc || !doc->is_object() || string_at(*doc, {"kind"}) != "hub")
    return fail(errc::invalid, file + " is not the backup of a hub");
  return doc;
}

result<key_and_cert> read_authority(const backup_reader& backup, const secret_keys& keys) {
  auto cert = backup.read(ca_cert);
  if (!cert) return cert.err();
  if (!backup.has(ca_key_sealed)) {
    auto key = backup.read(ca_key);
    if (!key) return key.err();
    return key_and_cert{*key, *cert};
  }
  auto sealed = backup.read(ca_key_sealed);
  if (!sealed) return sealed.err();
  if (!keys.ring)
    return fail(errc::unavailable, fmt::format("the backup is sealed with key {}: give its key file with "
                                               "--encryption-key-file",
                                               sealed_with(*sealed)));
  auto key = keys.ring->open(*sealed, ca_key);
  if (!key) return fail(key.err().code, "the authority's key: " + key.err().message);
  return key_and_cert{*key, *cert};
}

result<void> check_authority(const key_and_cert& ca, const std::string& where) {
  auto fits = key_matches(ca.key_pem, ca.cert_pem);
  if (!fits) return fail(fits.err().code, where + ": " + fits.err().message);
  if (!*fits) return fail(errc::corrupt, where + ": the key is not the certificate's");
  return {};
}

result<void> check_empty(const std::string& dir) {
  std::error_code ec;
  if (!fs::exists(dir, ec) || (fs::is_directory(dir, ec) && fs::is_empty(dir, ec))) return {};
  return fail(errc::already_exists, dir + " is not empty: restore into a new folder");
}

/// Everything of the new folder but its name.
result<void> fill_folder(const backup_reader& backup, const std::string& dir, const secret_keys& keys) {
  auto ca = read_authority(backup, keys);
  if (!ca) return ca.err();
  if (auto ok = check_authority(*ca, "the backup's authority"); !ok) return ok;
  if (auto ok = make_folder(dir + "/pki", 0700); !ok) return ok;
  if (auto ok = write_file_atomically(dir + "/pki/ca.key", ca->key_pem, 0600); !ok) return ok;
  if (auto ok = write_file_atomically(dir + "/pki/ca.crt", ca->cert_pem, 0644); !ok) return ok;
  if (!keys.file.empty()) {
    auto text = read_file(keys.file);
    if (!text) return text.err();
    if (auto ok = write_file_atomically(dir + "/encryption.key", *text, 0600); !ok) return ok;
  }
  rng random(random_seed());
  lmdb_options lmdb;
  lmdb.dir = dir + "/store";
  lmdb.incarnation_seed = random_uuid(random);
  use_secret_keys(lmdb, keys);
  return restore_store(backup, lmdb);
}

result<void> give_name(const std::string& staged, const std::string& dir) {
  ::rmdir(dir.c_str());  // an empty one
  if (::rename(staged.c_str(), dir.c_str()) != 0)
    return fail(errc::io, fmt::format("cannot name the restored folder {}: {}", dir, std::strerror(errno)));
  return sync_folder_of(dir);
}

}  // namespace

result<std::vector<backup_part>> backup_parts(const store& data, const key_and_cert& ca, const secret_keys& keys) {
  const bool sealed = keys.ring && keys.ring->seals();
  const document description = {{"kind", "hub"},
                                {"software", std::string(software_version())},
                                {"created", to_rfc3339(wall_clock())},
                                {"incarnation", data.incarnation_id()},
                                {"revision", data.window().current.get()},
                                {"sealedWith", sealed ? keys.ring->primary() : ""}};
  std::vector<backup_part> parts = {{"description", description.dump()}, {ca_cert, ca.cert_pem}};
  if (!sealed) {
    parts.push_back({ca_key, ca.key_pem});
    return parts;
  }
  auto key = keys.ring->seal(ca.key_pem, ca_key);
  if (!key) return key.err();
  parts.push_back({ca_key_sealed, *std::move(key)});
  return parts;
}

int verify_hub(const std::string& data_dir, const std::string& key_option, bool json) {
  const int code = run_data_checks(program, {{"store", data_dir + "/store", ""}}, key_option, data_dir, json);
  if (code != 0) return code;
  auto key = read_file(data_dir + "/pki/ca.key");
  auto cert = read_file(data_dir + "/pki/ca.crt");
  for (const auto* part : {&key, &cert})
    if (!*part) return complain(part->err());
  const auto fits = check_authority({*key, *cert}, data_dir + "/pki");
  return fits ? 0 : complain(fits.err());
}

int verify_backup(const std::string& file, const std::string& key_option, const std::string& data_dir, bool json) {
  auto backup = open_backup(file);
  if (!backup) return complain(backup.err());
  if (auto description = describe(*backup, file); !description) return complain(description.err());
  std::string folder = fs::temp_directory_path().string() + "/wheelhouse-verify-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr)
    return complain(fail(errc::io, fmt::format("cannot create {}: {}", folder, std::strerror(errno))));
  int code = 1;
  if (auto copied = backup->copy(backup_store_section, folder + "/store"); !copied) complain(copied.err());
  else code = run_data_checks(program, {{"backup " + file, "", folder + "/store"}}, key_option, data_dir, json);
  std::error_code ec;
  fs::remove_all(folder, ec);
  return code;
}

int restore_hub(const std::string& file, const std::string& data_dir, const std::string& key_option) {
  if (auto ok = check_empty(data_dir); !ok) return complain(ok.err());
  auto backup = open_backup(file);
  if (!backup) return complain(backup.err());
  auto description = describe(*backup, file);
  if (!description) return complain(description.err());
  secret_keys keys;
  if (!key_option.empty()) {
    auto opened = open_secret_keys(key_option, data_dir);
    if (!opened) return complain(opened.err());
    keys = std::move(*opened);
  }
  const std::string staged = data_dir + ".restoring";
  std::error_code ec;
  fs::remove_all(staged, ec);  // of an attempt that was interrupted
  auto done = fill_folder(*backup, staged, keys);
  if (done) {
    const auto checked = check_data({"store", staged + "/store", ""}, keys.ring);
    if (!checked) done = checked.err();
    else if (checked->report.problems_total > 0)
      done = fail(errc::corrupt,
                  fmt::format("{}: the store in it is damaged: {}", file, checked->report.problems.front()));
    else
      std::cout << fmt::format("restored {} of {}\n", file, string_at(*description, {"created"}))
                << fmt::format("  objects      {}\n", checked->report.objects)
                << fmt::format("  incarnation  {} (was {})\n", checked->report.incarnation,
                               string_at(*description, {"incarnation"}))
                << fmt::format("  revision     {}\n", checked->report.current.get());
  }
  if (done) done = give_name(staged, data_dir);
  if (!done) {
    fs::remove_all(staged, ec);
    return complain(done.err());
  }
  std::cout << fmt::format("start it with: {} --data-dir {}\n", program, data_dir);
  return 0;
}

}  // namespace wh
