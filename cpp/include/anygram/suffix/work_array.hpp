// Large uninitialized arrays for working memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <type_traits>

#include <sys/mman.h>

namespace anygram {

// Like a vector that never grows and does not touch its memory. Large ones ask for huge pages, because sorting is bound
// by address translation as much as by memory. Throws bad_alloc.
template <class Element>
class WorkArray {
  static_assert(std::is_trivially_copyable_v<Element>);

 public:
  WorkArray() = default;
  explicit WorkArray(std::uint64_t size)
      : size_(size), elements_(static_cast<Element*>(allocate(size * sizeof(Element))), Free{size * sizeof(Element)}) {}

  Element* data() { return elements_.get(); }
  const Element* data() const { return elements_.get(); }
  std::uint64_t size() const { return size_; }
  Element& operator[](std::uint64_t index) { return elements_.get()[index]; }
  const Element& operator[](std::uint64_t index) const { return elements_.get()[index]; }
  Element* begin() { return data(); }
  Element* end() { return data() + size_; }
  std::span<const Element> span() const { return {data(), size_}; }

 private:
  static constexpr std::size_t kHugePage = std::size_t{2} << 20;

  // Large arrays are mapped, not taken from the heap, so that freeing one gives its memory back at once.
  static void* allocate(std::size_t bytes) {
    if (bytes < kHugePage) return ::operator new(bytes, std::align_val_t{64});
    void* const mapped = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
    // Advice: without huge pages it is only slower.
    static_cast<void>(madvise(mapped, bytes, MADV_HUGEPAGE));
#endif
    return mapped;
  }

  struct Free {
    std::size_t bytes = 0;

    void operator()(Element* memory) const {
      if (bytes < kHugePage) {
        ::operator delete(memory, std::align_val_t{64});
      } else {
        munmap(memory, bytes);
      }
    }
  };

  std::uint64_t size_ = 0;
  std::unique_ptr<Element, Free> elements_;
};

}  // namespace anygram
