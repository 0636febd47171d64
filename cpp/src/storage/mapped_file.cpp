#include <anygram/storage/mapped_file.hpp>

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include <anygram/storage/files.hpp>
#include <anygram/storage/format_error.hpp>

namespace anygram {
namespace {

constexpr std::size_t kHugePageBytes = std::size_t{2} << 20;

std::size_t round_up(std::size_t size, std::size_t unit) { return (size + unit - 1) / unit * unit; }

void* map_memory(std::size_t size, int protection, const std::string& path) {
  void* region = ::mmap(nullptr, size, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (region == MAP_FAILED) throw_system_error("get memory for", path, errno);
  return region;
}

}  // namespace

// By way of the other constructor, so that the destructor runs if mapping throws.
MappedFile::MappedFile(const std::string& path, LoadMode mode) : MappedFile() {
  path_ = path;
  mode_ = mode;
  const FileDescriptor file = open_for_reading(path);
  struct stat status{};
  if (::fstat(file.number(), &status) != 0) throw_system_error("open", path, errno);
  if (!S_ISREG(status.st_mode)) {
    throw FormatError(ErrorCode::kIndexFormat, {path, 0, "a regular file", "something else, as a folder or a pipe"});
  }
  size_ = static_cast<std::size_t>(status.st_size);
  mode == LoadMode::kMmap ? map(file.number()) : read(file.number());
}

MappedFile::MappedFile(MappedFile&& other) noexcept { *this = std::move(other); }

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  if (this == &other) return *this;
  release();
  path_ = std::move(other.path_);
  mode_ = other.mode_;
  data_ = std::exchange(other.data_, nullptr);
  size_ = std::exchange(other.size_, 0);
  region_ = std::exchange(other.region_, nullptr);
  region_size_ = std::exchange(other.region_size_, 0);
  return *this;
}

MappedFile::~MappedFile() { release(); }

void MappedFile::release() noexcept {
  if (region_ != nullptr) ::munmap(region_, region_size_);
}

// The file is laid over the begin of a region of zeros, so that there is something to read after its last page too.
void MappedFile::map(int descriptor) {
  const auto page_bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  region_size_ = round_up(size_ + kStreamPadding, page_bytes);
  region_ = map_memory(region_size_, PROT_READ, path_);
  data_ = static_cast<const std::byte*>(region_);
  if (size_ == 0) return;
  if (::mmap(region_, size_, PROT_READ, MAP_SHARED | MAP_FIXED, descriptor, 0) == MAP_FAILED) {
    throw_system_error("map", path_, errno);
  }
}

void MappedFile::read(int descriptor) {
  // Huge pages exist at multiples of their size only, so small files need none and others some room to begin at one.
  const std::size_t alignment = size_ < kHugePageBytes ? 1 : kHugePageBytes;
  region_size_ = round_up(size_ + kStreamPadding, alignment) + alignment - 1;
  region_ = map_memory(region_size_, PROT_READ | PROT_WRITE, path_);
  const auto address = reinterpret_cast<std::uintptr_t>(region_);
  std::byte* const begin = static_cast<std::byte*>(region_) + (round_up(address, alignment) - address);
  data_ = begin;
#ifdef MADV_HUGEPAGE
  ::madvise(region_, region_size_, MADV_HUGEPAGE);  // only advice: where it is refused, small pages do
#endif
  constexpr std::size_t kMostAtOnce = std::size_t{1} << 30;  // systems refuse or cut reads of 2 GiB and more
  for (std::size_t done = 0; done < size_;) {
    const ssize_t count =
        ::pread(descriptor, begin + done, std::min(size_ - done, kMostAtOnce), static_cast<off_t>(done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw_system_error("read", path_, errno);
    if (count == 0) {
      throw FormatError(ErrorCode::kTruncated, {path_, done, std::to_string(size_) + " bytes",
                                                std::to_string(done) + " bytes: the file shrank while it was read"});
    }
    done += static_cast<std::size_t>(count);
  }
  ::mprotect(region_, region_size_, PROT_READ);  // from now on a stray write is caught
}

void MappedFile::will_need(std::uint64_t offset, std::size_t length) const {
  if (mode_ != LoadMode::kMmap || offset >= size_) return;
  static const auto page_bytes = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const std::byte* const first = data_ + offset;
  const std::uintptr_t in_page = reinterpret_cast<std::uintptr_t>(first) % page_bytes;
  ::madvise(const_cast<std::byte*>(first - in_page), length + in_page, MADV_WILLNEED);
}

void MappedFile::advise_random() const {
  if (mode_ == LoadMode::kMmap && size_ > 0) ::madvise(region_, size_, MADV_RANDOM);
}

}  // namespace anygram
