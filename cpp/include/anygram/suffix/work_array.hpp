// Large uninitialized arrays for working memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
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
  explicit WorkArray(std::uint64_t size) : size_(size) {
    constexpr std::size_t kHugePage = std::size_t{2} << 20;
    const std::size_t bytes = size * sizeof(Element);
    const std::size_t alignment = bytes >= kHugePage ? kHugePage : 64;
    const std::size_t padded = (bytes + alignment - 1) / alignment * alignment + (bytes == 0 ? alignment : 0);
    elements_.reset(static_cast<Element*>(std::aligned_alloc(alignment, padded)));
    if (!elements_) throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
    // Advice: without huge pages it is only slower.
    if (alignment == kHugePage) static_cast<void>(madvise(elements_.get(), padded, MADV_HUGEPAGE));
#endif
  }

  Element* data() { return elements_.get(); }
  const Element* data() const { return elements_.get(); }
  std::uint64_t size() const { return size_; }
  Element& operator[](std::uint64_t index) { return elements_.get()[index]; }
  const Element& operator[](std::uint64_t index) const { return elements_.get()[index]; }
  Element* begin() { return data(); }
  Element* end() { return data() + size_; }
  std::span<const Element> span() const { return {data(), size_}; }

 private:
  struct Free {
    void operator()(Element* memory) const { std::free(memory); }
  };

  std::uint64_t size_ = 0;
  std::unique_ptr<Element, Free> elements_;
};

}  // namespace anygram
