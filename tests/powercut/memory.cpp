#include "tests/powercut/memory.hpp"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdlib>
#include <mutex>
#include <new>

namespace powercut::memory {

namespace {

/// Blocks of 2^n bytes, each behind a head that tells n. What is freed is used again for the same n; nothing goes back.
struct alignas(16) head {
  unsigned log2 = 0;
  head* next = nullptr;  ///< while it is free
};

constexpr std::size_t chunk_bytes = std::size_t{1} << 20;

std::mutex lock;
std::array<head*, 64> free_blocks{};
char* chunk = nullptr;
std::size_t chunk_left = 0;

char* map(std::size_t n) {
  // Not by libc's name: a sanitizer stands in front of that too.
  const long at = ::syscall(SYS_mmap, nullptr, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0L);
  if (at == -1) std::abort();
  return reinterpret_cast<char*>(at);
}

head* fresh(unsigned log2) {
  const std::size_t n = std::size_t{1} << log2;
  if (n > chunk_bytes) return new (map(n)) head{log2};
  if (n > chunk_left) {
    chunk = map(chunk_bytes);
    chunk_left = chunk_bytes;
  }
  head* h = new (chunk) head{log2};
  chunk += n;
  chunk_left -= n;
  return h;
}

void* allocate(std::size_t n) {
  const auto log2 = static_cast<unsigned>(std::bit_width(n + sizeof(head) - 1));
  const std::lock_guard guard(lock);
  head*& free = free_blocks[log2];
  head* h = free != nullptr ? free : fresh(log2);
  if (h == free) free = h->next;
  return h + 1;
}

void release(void* p) {
  if (p == nullptr) return;
  head* h = static_cast<head*>(p) - 1;
  const std::lock_guard guard(lock);
  h->next = free_blocks[h->log2];
  free_blocks[h->log2] = h;
}

}  // namespace

void before_fork() { lock.lock(); }
void after_fork() { lock.unlock(); }

}  // namespace powercut::memory

// For the library alone: it is linked with a C++ library of its own, and shows neither to the program.
void* operator new(std::size_t n) { return powercut::memory::allocate(n); }
void* operator new[](std::size_t n) { return powercut::memory::allocate(n); }
void operator delete(void* p) noexcept { powercut::memory::release(p); }
void operator delete[](void* p) noexcept { powercut::memory::release(p); }
void operator delete(void* p, std::size_t) noexcept { powercut::memory::release(p); }
void operator delete[](void* p, std::size_t) noexcept { powercut::memory::release(p); }
