#include "nodes/parts/store_commands.hpp"

#include "nodes/parts/secret_keys.hpp"

namespace wh {

void add_key_file_option(command& program, std::string& target) {
  program.add(
      {.name = "encryption-key-file",
       .value = "FILE",
       .help = "Key file that secrets are encrypted at rest with, or off; default: DIR/encryption.key, made at need",
       .group = "Store"},
      target);
}

command& add_verify_command(command& program, const std::string& summary, std::string& format,
                            std::function<int(bool json)> run) {
  auto& verify = program.subcommand("verify", summary);
  verify.add({.name = "output",
              .value = "FORMAT",
              .help = "How to print the findings",
              .letter = 'o',
              .choices = {"text", "json"}},
             format);
  verify.inherits({"data-dir", "encryption-key-file"});
  verify.footer("Exit code 0: sound. 1: damaged, or it could not be checked.");
  verify.action([&format, run = std::move(run)] { return run(format == "json"); });
  return verify;
}

void add_new_key_command(command& program, const std::string& key_option, const std::string& data_dir) {
  auto& key = program.subcommand("new-key", "Put a new key in front of the key file that secrets are encrypted with");
  key.inherits({"data-dir", "encryption-key-file"});
  key.footer("Start the program afterwards; when it says so, remove the older keys from the file.");
  key.action([name = program.name(), &key_option, &data_dir] { return run_new_key(name, key_option, data_dir); });
}

}  // namespace wh
