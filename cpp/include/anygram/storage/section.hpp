// Reads one section, a typed array in a file of its own that is checked page by page. The format is specified in
// docs/index-format.md.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <anygram/base/little_endian.hpp>
#include <anygram/base/stop_signal.hpp>
#include <anygram/storage/mapped_file.hpp>
#include <anygram/storage/section_header.hpp>

namespace anygram {

struct SectionOptions {
  LoadMode load = LoadMode::kMmap;
  // Check each page of the payload against its checksum: when it is first touched, or of a copy in memory, which reads
  // everything anyway, all when it is opened.
  bool check_pages = true;
  bool random_access = false;  // advise the system not to read ahead
};

// A section opened for reading; move-only. Reading is safe from many threads at once, and with any bytes in the file:
// it throws, or it returns what was written.
class Section {
 public:
  // Checks the header, the file's size and the root of the checksums: it reads the first page and 4 bytes for each
  // 4 MiB of payload. With `expected`, the header must say the same. Throws FormatError with kIndexFormat, kTruncated,
  // kChecksum or kUnsupportedVersion, and what MappedFile throws.
  explicit Section(const std::string& path, const SectionOptions& options = {},
                   const std::optional<SectionInfo>& expected = {});
  Section(Section&&) noexcept = default;
  Section& operator=(Section&&) noexcept = default;

  const SectionInfo& info() const { return info_; }
  const std::string& path() const { return file_.path(); }

  // Bytes [byte_offset, byte_offset + length) of the payload, whose pages are checked on their first touch: kChecksum.
  // They may reach into the zero padding that follows the payload (at least kStreamPadding bytes); what lies beyond is
  // refused with kIndexFormat. Costs about 1 ns when the page was checked before.
  const std::byte* at(std::uint64_t byte_offset, std::size_t length) const {
    const std::uint64_t page = byte_offset / kSectionPageBytes;
    const std::uint64_t last_page = (byte_offset + length - 1) / kSectionPageBytes;
    if (page != last_page || page >= num_pages_ || !is_checked(page)) [[unlikely]]
      check(byte_offset, length);
    return payload_ + byte_offset;
  }

  // The element of that number, which is below 2^56; sizeof(Element) must be element_bytes. Past the end it is 0 or
  // refused, as in at(). The shorter way to it: no such element lies on two pages.
  template <class Element>
  Element element(std::uint64_t number) const {
    static_assert(kSectionPageBytes % sizeof(Element) == 0);
    const std::uint64_t page = number / (kSectionPageBytes / sizeof(Element));
    if (page >= num_pages_ || !is_checked(page)) [[unlikely]]
      check(number * sizeof(Element), sizeof(Element));
    return load<Element>(payload_ + number * sizeof(Element));
  }

  // Asks for the memory there, to be read soon; of a page that was not checked yet, asks the system for the page, so
  // that what many questions need comes from the disk at once. Any offset may be asked for.
  void prefetch(std::uint64_t byte_offset) const {
    const std::uint64_t page = byte_offset / kSectionPageBytes;
    if (page < num_pages_ && !is_checked(page)) [[unlikely]]
      will_need(page);
    __builtin_prefetch(payload_ + byte_offset);
  }

  // Pages of the payload that were read so far: those that were checked. All of them in a copy in memory.
  std::uint64_t pages_touched() const;

  // All of the payload, without any check; at least kStreamPadding readable bytes follow it. Call check_all() before
  // relying on what it says, or at() for the parts that are used.
  std::span<const std::byte> payload() const { return {payload_, static_cast<std::size_t>(info_.payload_bytes())}; }

  // Checks the pages that were not touched yet, the padding too; throws as at() does.
  void check_all() const { check(0, num_pages_ * kSectionPageBytes); }

  // Compares everything in the file with its checksums, also what was checked before, and returns what differs in the
  // order of offsets. `progress` counts bytes.
  std::vector<SectionProblem> verify(unsigned threads, StopSignal& stop, const Progress& progress = {}) const;

  // The checksum of each page: together they stand for every byte of the payload.
  std::span<const std::byte> page_checksums() const { return {table_, static_cast<std::size_t>(num_pages_) * 4}; }

  // The whole file, header and checksums included, to copy it elsewhere as it is.
  std::span<const std::byte> raw_file_bytes() const { return file_.bytes(); }

 private:
  bool is_checked(std::uint64_t page) const {
    return ((checked_pages_[page / 64].load(std::memory_order_relaxed) >> (page % 64)) & 1) != 0;
  }
  void check(std::uint64_t byte_offset, std::uint64_t length) const;
  void check_page(std::uint64_t page) const;
  void will_need(std::uint64_t page) const;
  std::optional<SectionProblem> page_problem(std::uint64_t page) const;
  std::optional<SectionProblem> table_problem(std::uint64_t table_page) const;
  std::optional<SectionProblem> root_problem() const;
  std::vector<SectionProblem> verify_table_page(std::uint64_t table_page) const;

  MappedFile file_;
  SectionInfo info_;
  const std::byte* payload_ = nullptr;
  const std::byte* table_ = nullptr;  // the checksum of each page of the payload
  const std::byte* root_ = nullptr;   // the checksum of each 4096 bytes of the table
  std::uint64_t num_pages_ = 0;
  std::unique_ptr<std::atomic<std::uint64_t>[]> checked_pages_;  // a bit for each page of the payload
  std::unique_ptr<std::atomic<std::uint64_t>[]> checked_table_;  // a bit for each page of the table
};

}  // namespace anygram
