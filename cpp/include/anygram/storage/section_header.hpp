// What a section's header says, and where the parts of its file stand. The format is specified in docs/index-format.md.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <anygram/storage/format_error.hpp>

namespace anygram {

inline constexpr std::uint32_t kFormatVersion = 0;
// Bytes of the header, of a page of the payload and of a page of the table.
inline constexpr std::uint64_t kSectionPageBytes = 4096;
inline constexpr std::uint64_t kChecksumsPerPage = kSectionPageBytes / sizeof(std::uint32_t);

// Numbers that stand in files; never reused. A file may hold others, from a later version.
enum class SectionKind : std::uint32_t {
  kTokenStream = 1,
  kSuffixArray = 2,
  kKeySamples = 3,
  kUnigrams = 4,
  kDocumentBegins = 5,
  kDocumentBlocks = 6,
  kMetadata = 7,
  kPositionPages = 8,
  kShard = 9,
  kPageSecondKeys = 10,
  kPageShared = 11,
  kKneserNey = 12,
};

// The name of a kind, which is also its file's name; nullptr for a kind that this version does not know.
const char* section_name(SectionKind kind);
std::optional<SectionKind> section_kind(std::string_view name);

// What a section's header says, and a shard's manifest repeats.
struct SectionInfo {
  SectionKind kind{};
  std::uint32_t element_bytes = 0;
  std::uint64_t num_elements = 0;
  std::uint64_t parameter = 0;       // by kind: the period of kKeySamples, the order of kKneserNey, 0 for the others
  std::uint32_t table_checksum = 0;  // stands for all of the payload: CRC-32C of the root of the page checksums

  std::uint64_t payload_bytes() const { return element_bytes * num_elements; }
  friend bool operator==(const SectionInfo&, const SectionInfo&) = default;
};

// Sizes of the parts of a section's file: the header page, the payload with its padding, the table, the root.
struct SectionLayout {
  std::uint64_t num_pages;        // of the payload
  std::uint64_t num_table_pages;  // the last may be short

  // `payload_bytes` is at most kMaxPayloadBytes, so that nothing here can overflow.
  explicit SectionLayout(std::uint64_t payload_bytes);

  std::uint64_t padded_bytes() const { return num_pages * kSectionPageBytes; }
  std::uint64_t table_offset() const { return kSectionPageBytes + padded_bytes(); }
  std::uint64_t table_bytes() const { return num_pages * sizeof(std::uint32_t); }
  std::uint64_t root_offset() const { return table_offset() + table_bytes(); }
  std::uint64_t root_bytes() const { return num_table_pages * sizeof(std::uint32_t); }
  std::uint64_t file_bytes() const { return root_offset() + root_bytes(); }
};
inline constexpr std::uint64_t kMaxPayloadBytes = std::uint64_t{1} << 56;

using SectionHeader = std::array<std::byte, kSectionPageBytes>;

// The first page of a section's file.
SectionHeader encode_header(const SectionInfo& info);

// What the header of a section's file says. Throws FormatError if a reader must refuse it: not complete, damaged, of a
// newer version, contradicting itself, or the file has not the size that follows from it.
SectionInfo decode_header(std::span<const std::byte> file, const std::string& path);

// Why no section may be like that, with the offset of the field in a header; the path is left empty.
std::optional<SectionProblem> find_problem(const SectionInfo& info);

// As in "suffix_array, 100 elements of 4 bytes, parameter 0, table checksum 0x1234abcd".
std::string describe(const SectionInfo& info);
std::string describe_checksum(std::uint32_t checksum);

}  // namespace anygram
