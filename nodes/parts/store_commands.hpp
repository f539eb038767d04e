#pragma once
#include <functional>
#include <string>

#include "nodes/common/options.hpp"

// What the command lines of hub and spoke say alike about their stores.
namespace wh {

/// --encryption-key-file
void add_key_file_option(command& program, std::string& target);

/// verify: `run` is told whether to print JSON. `format` must outlive the parsing.
command& add_verify_command(command& program, const std::string& summary, std::string& format,
                            std::function<int(bool json)> run);

/// new-key: puts a key in front of the key file. The options' targets must outlive the parsing.
void add_new_key_command(command& program, const std::string& key_option, const std::string& data_dir);

}  // namespace wh
