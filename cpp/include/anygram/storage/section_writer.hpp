// Writes one section, a typed array in a file of its own. The format is specified in docs/index-format.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <anygram/storage/file_writer.hpp>
#include <anygram/storage/section_header.hpp>

namespace anygram {

// Writes one section from begin to end, in any pieces. Holds 4 bytes in memory for each 4096 of payload. The header is
// written last: a file whose writing was stopped begins with zeros and is refused as incomplete.
class SectionWriter {
 public:
  SectionWriter(const std::string& path, SectionKind kind, std::uint32_t element_bytes, std::uint64_t parameter = 0);

  // Appends bytes of the payload; elements may be split between calls.
  void append(std::span<const std::byte> bytes);
  void set_parameter(std::uint64_t parameter) { info_.parameter = parameter; }
  // Completes and closes the file; with `sync`, returns when it is on the disk. Throws kInvalidArgument if the payload
  // is no whole number of elements or the header would be refused by a reader.
  SectionInfo finish(bool sync);

  const std::string& path() const { return writer_.path(); }
  std::uint64_t payload_bytes() const { return payload_bytes_; }

 private:
  void append_page_checksums(std::span<const std::byte> bytes);

  FileWriter writer_;
  SectionInfo info_;
  std::uint64_t payload_bytes_ = 0;
  std::size_t page_filled_ = 0;      // bytes of the current page so far
  std::uint32_t page_checksum_ = 0;  // and their checksum
  std::vector<std::uint32_t> page_checksums_;
};

}  // namespace anygram
