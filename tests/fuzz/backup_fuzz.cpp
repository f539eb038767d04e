// Backup files: what is written comes out again; what is not whole is refused; nothing crashes.
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "persistence/backup_file.hpp"

namespace {

/// Goes with the process.
struct scratch_folder {
  std::string path = (std::filesystem::temp_directory_path() / ("backup_fuzz_" + std::to_string(::getpid()))).string();
  scratch_folder() { std::filesystem::create_directories(path); }
  ~scratch_folder() { std::filesystem::remove_all(path); }
};

const std::string& folder() {
  static const scratch_folder mine;
  return mine.path;
}

void must(bool holds) {
  if (!holds) std::abort();
}

void write(const std::string& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

void read_everything(const std::string& path) {
  const auto reader = wh::backup_reader::open(path);
  if (!reader) return must(!reader.err().message.empty());
  for (const auto& s : reader->sections()) must(reader->read(s.name)->size() == s.size);
}

/// Sections cut out of the input: what is read must be what was written, until one byte differs.
void round_trip(std::string_view input, std::uint8_t where) {
  const std::string path = folder() + "/round";
  std::filesystem::remove(path);
  const std::string_view first = input.substr(0, input.size() / 2);
  const std::string_view second = input.substr(input.size() / 2);
  {
    auto writer = wh::backup_writer::create(path);
    must(writer.ok() && writer->add("first", first).ok() && writer->add("second", second).ok() &&
         writer->finish().ok());
  }
  {
    const auto reader = wh::backup_reader::open(path);
    must(reader.ok() && *reader->read("first") == first && *reader->read("second") == second);
  }
  const auto size = std::filesystem::file_size(path);
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  const auto at = static_cast<std::streamoff>(where * size / 256);
  file.seekg(at);
  const int old = file.get();
  file.seekp(at);
  file.put(static_cast<char>(old ^ (1 + (where & 7))));
  file.close();
  must(!wh::backup_reader::open(path).ok());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  static_cast<void>(wh::announced_backup_size(input, "store"));
  write(folder() + "/raw", input);
  read_everything(folder() + "/raw");
  if (!input.empty()) round_trip(input.substr(1), data[0]);
  return 0;
}
