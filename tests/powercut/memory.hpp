#pragma once

/// Memory of the library's own, apart from the program's. What runs after a cut is the child of one thread among many: a
/// lock that another held at that moment, as a sanitizer's allocator does, is held there for ever. Only this one is let go.
namespace powercut::memory {

void before_fork();
void after_fork();  ///< in both

}  // namespace powercut::memory
