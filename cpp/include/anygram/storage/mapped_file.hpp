// A whole file as read-only memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include <anygram/base/types.hpp>

namespace anygram {

enum class LoadMode {
  kMmap,  // pages come from the file when they are touched and are shared between processes
  kRam,   // the file is copied into memory, in huge pages where the system has them
};

// Move-only. The bytes stay valid while the object lives, even if the file is unlinked; they must not be truncated
// by anybody meanwhile (index files are never modified once they are published).
class MappedFile {
 public:
  MappedFile() = default;
  // Throws kIndexNotFound, or kIo when the system refuses.
  explicit MappedFile(const std::string& path, LoadMode mode = LoadMode::kMmap);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  // The file as it was when opened. At least kStreamPadding readable zero bytes follow it.
  std::span<const std::byte> bytes() const { return {data_, size_}; }
  const std::string& path() const { return path_; }

  // Tells the system that reads will jump about, so that it need not read ahead. Without effect on a copy in memory.
  void advise_random() const;

  // Tells the system that these bytes of the file are wanted soon; it begins to read them. Without effect on a copy.
  void will_need(std::uint64_t offset, std::size_t length) const;

 private:
  void map(int descriptor);
  void read(int descriptor);
  void release() noexcept;

  std::string path_;
  LoadMode mode_ = LoadMode::kMmap;
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  void* region_ = nullptr;  // what to unmap: the bytes and what lies around them
  std::size_t region_size_ = 0;
};

}  // namespace anygram
