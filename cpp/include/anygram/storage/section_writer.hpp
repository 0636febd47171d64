// Writes one section, a typed array in a file of its own. The format is specified in docs/index-format.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <anygram/storage/file_syncer.hpp>
#include <anygram/storage/file_writer.hpp>
#include <anygram/storage/section_header.hpp>
#include <anygram/storage/write_behind.hpp>

namespace anygram {

// Writes one section from begin to end, in any pieces. Checksums and writing are the work of a thread of its own, if
// the payload is large. Holds 4 bytes in memory for each 4096 of payload, and at most 9 MiB. The header is written
// last: a file whose writing was stopped begins with zeros and is refused as incomplete.
class SectionWriter {
 public:
  // With a syncer, the file goes to the disk as it grows.
  SectionWriter(const std::string& path, SectionKind kind, std::uint32_t element_bytes, std::uint64_t parameter = 0,
                FileSyncer* syncer = nullptr);

  // Appends bytes of the payload; elements may be split between calls.
  void append(std::span<const std::byte> bytes);
  void set_parameter(std::uint64_t parameter) { info_.parameter = parameter; }
  void set_element_bytes(std::uint32_t element_bytes) { info_.element_bytes = element_bytes; }
  // Returns when what was appended can be read from the file, behind a page of zeros.
  void flush();
  // Completes the file; with `sync`, it is on the disk when this returns, or when a syncer that was given says so.
  // Throws kInvalidArgument if the payload is no whole number of elements or the header would be refused by a reader.
  SectionInfo finish(bool sync);
  // The same, with another syncer, or none (nullptr).
  SectionInfo finish(FileSyncer* syncer);

  const std::string& path() const { return writer_.path(); }
  std::uint64_t payload_bytes() const { return payload_bytes_; }

 private:
  void append_page_checksums(std::span<const std::byte> bytes);
  void complete();

  FileWriter writer_;
  FileSyncer* syncer_;
  SectionInfo info_;
  std::uint64_t payload_bytes_ = 0;
  std::size_t page_filled_ = 0;      // bytes of the current page so far
  std::uint32_t page_checksum_ = 0;  // and their checksum
  std::vector<std::uint32_t> page_checksums_;
  WriteBehind behind_;  // the last, so that its thread ends before what it uses does
};

}  // namespace anygram
