#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"

namespace wh {

/// A program to run to its end.
struct child_command {
  std::vector<std::string> words;        ///< program and arguments; a program without slash is looked for on PATH
  std::vector<std::string> environment;  ///< NAME=value, in place of ours of the same name
  bool own_stdin = false;                ///< it reads our standard input; else there is nothing to read
  duration timeout;
  std::size_t bytes_max = std::size_t{1} << 20;  ///< of what it prints
};

/// What it printed on stdout; its stderr is ours. Blocks. It is killed when the time is up or it prints too much; that, an
/// exit code other than 0 and a program that cannot be started (errc::not_found) are errors.
result<std::string> output_of(const child_command& command);

}  // namespace wh
