#include <anygram/storage/section_header.hpp>

#include <algorithm>
#include <cstdio>

#include <anygram/base/crc32c.hpp>
#include <anygram/base/little_endian.hpp>

namespace anygram {
namespace {

constexpr std::string_view kMagic{"ANYGRAM\0", 8};
constexpr std::uint64_t kEndiannessProbe = 0x0102030405060708;

// Where the fields stand in the header.
constexpr std::size_t kVersionOffset = 8;
constexpr std::size_t kKindOffset = 12;
constexpr std::size_t kProbeOffset = 16;
constexpr std::size_t kElementBytesOffset = 24;
constexpr std::size_t kPageBytesOffset = 28;
constexpr std::size_t kNumElementsOffset = 32;
constexpr std::size_t kPayloadBytesOffset = 40;
constexpr std::size_t kParameterOffset = 48;
constexpr std::size_t kTableChecksumOffset = 56;
constexpr std::size_t kReservedOffset = 60;
constexpr std::size_t kHeaderChecksumOffset = kSectionPageBytes - sizeof(std::uint32_t);

struct KindTraits {
  SectionKind kind;
  const char* name;
  std::uint32_t least_element_bytes;
  std::uint32_t most_element_bytes;
  bool has_parameter;
};

constexpr KindTraits kKinds[] = {
    {SectionKind::kTokenStream, "token_stream", 1, 4, false},
    {SectionKind::kSuffixArray, "suffix_array", 4, 4, false},
    {SectionKind::kKeySamples, "key_samples", 8, 8, true},
    {SectionKind::kUnigrams, "unigrams", 8, 8, false},
    {SectionKind::kDocumentBegins, "document_begins", 4, 4, false},
    {SectionKind::kDocumentBlocks, "document_blocks", 4, 4, false},
    {SectionKind::kMetadata, "metadata", 1, 1, false},
    {SectionKind::kPositionPages, "position_pages", 4096, 4096, false},
    {SectionKind::kShard, "shard", 1, 1, false},
    {SectionKind::kPageSecondKeys, "page_second_keys", 8, 8, false},
    {SectionKind::kPageShared, "page_shared", 1, 1, false},
    {SectionKind::kKneserNey, "kneser_ney", 8, 8, true},
};

const KindTraits* find_traits(SectionKind kind) {
  const auto* found = std::ranges::find(kKinds, kind, &KindTraits::kind);
  return found == std::end(kKinds) ? nullptr : found;
}

bool all_zero(std::span<const std::byte> bytes) {
  return std::ranges::all_of(bytes, [](std::byte byte) { return byte == std::byte{0}; });
}

}  // namespace

const char* section_name(SectionKind kind) {
  const KindTraits* traits = find_traits(kind);
  return traits == nullptr ? nullptr : traits->name;
}

std::optional<SectionKind> section_kind(std::string_view name) {
  for (const KindTraits& traits : kKinds) {
    if (name == traits.name) return traits.kind;
  }
  return {};
}

SectionLayout::SectionLayout(std::uint64_t payload_bytes)
    : num_pages((payload_bytes + kStreamPadding + kSectionPageBytes - 1) / kSectionPageBytes),
      num_table_pages((num_pages + kChecksumsPerPage - 1) / kChecksumsPerPage) {}

SectionHeader encode_header(const SectionInfo& info) {
  SectionHeader header{};
  std::ranges::copy(std::as_bytes(std::span(kMagic)), header.begin());
  store(header.data() + kVersionOffset, kFormatVersion);
  store(header.data() + kKindOffset, static_cast<std::uint32_t>(info.kind));
  store(header.data() + kProbeOffset, kEndiannessProbe);
  store(header.data() + kElementBytesOffset, info.element_bytes);
  store(header.data() + kPageBytesOffset, static_cast<std::uint32_t>(kSectionPageBytes));
  store(header.data() + kNumElementsOffset, info.num_elements);
  store(header.data() + kPayloadBytesOffset, info.payload_bytes());
  store(header.data() + kParameterOffset, info.parameter);
  store(header.data() + kTableChecksumOffset, info.table_checksum);
  store(header.data() + kHeaderChecksumOffset, crc32c(std::span(header).first(kHeaderChecksumOffset)));
  return header;
}

SectionInfo decode_header(std::span<const std::byte> file, const std::string& path) {
  const auto refuse = [&path](ErrorCode code, std::uint64_t offset, const std::string& expected,
                              const std::string& found) { throw FormatError(code, {path, offset, expected, found}); };
  if (file.size() < kSectionPageBytes) {
    refuse(ErrorCode::kTruncated, file.size(), "a header of " + std::to_string(kSectionPageBytes) + " bytes",
           "the end of the file");
  }
  const std::span<const std::byte> header = file.first(kSectionPageBytes);
  if (all_zero(header)) {
    refuse(ErrorCode::kIndexFormat, 0, "a section's header", "zeros: writing this file was never completed");
  }
  if (!std::ranges::equal(header.first(kMagic.size()), std::as_bytes(std::span(kMagic)))) {
    refuse(ErrorCode::kIndexFormat, 0, "the magic ANYGRAM", "other bytes: this is no section of an anygram index");
  }
  const auto stored = load<std::uint32_t>(header.data() + kHeaderChecksumOffset);
  const std::uint32_t computed = crc32c(header.first(kHeaderChecksumOffset));
  if (stored != computed) {
    refuse(ErrorCode::kChecksum, 0, "a header with checksum " + describe_checksum(stored), describe_checksum(computed));
  }
  // The magic and the checksum stand there in all versions, so a version that is read here is no accident.
  if (const auto version = load<std::uint32_t>(header.data() + kVersionOffset); version != kFormatVersion) {
    refuse(ErrorCode::kUnsupportedVersion, kVersionOffset, "format version " + std::to_string(kFormatVersion),
           "version " + std::to_string(version));
  }
  if (load<std::uint64_t>(header.data() + kProbeOffset) != kEndiannessProbe) {
    refuse(ErrorCode::kIndexFormat, kProbeOffset, "little-endian numbers", "others");
  }
  if (const auto page_bytes = load<std::uint32_t>(header.data() + kPageBytesOffset); page_bytes != kSectionPageBytes) {
    refuse(ErrorCode::kIndexFormat, kPageBytesOffset, "pages of " + std::to_string(kSectionPageBytes) + " bytes",
           "pages of " + std::to_string(page_bytes));
  }
  SectionInfo info;
  info.kind = static_cast<SectionKind>(load<std::uint32_t>(header.data() + kKindOffset));
  info.element_bytes = load<std::uint32_t>(header.data() + kElementBytesOffset);
  info.num_elements = load<std::uint64_t>(header.data() + kNumElementsOffset);
  info.parameter = load<std::uint64_t>(header.data() + kParameterOffset);
  info.table_checksum = load<std::uint32_t>(header.data() + kTableChecksumOffset);
  if (const auto problem = find_problem(info)) {
    refuse(ErrorCode::kIndexFormat, problem->offset, problem->expected, problem->found);
  }
  const auto payload_bytes = load<std::uint64_t>(header.data() + kPayloadBytesOffset);
  if (payload_bytes != info.payload_bytes()) {
    refuse(ErrorCode::kIndexFormat, kPayloadBytesOffset,
           std::to_string(info.payload_bytes()) + " bytes of payload, as the elements have",
           std::to_string(payload_bytes));
  }
  if (!all_zero(header.subspan(kReservedOffset, kHeaderChecksumOffset - kReservedOffset))) {
    refuse(ErrorCode::kIndexFormat, kReservedOffset, "zeros in the rest of the header", "other bytes");
  }
  if (const std::uint64_t size = SectionLayout(payload_bytes).file_bytes(); size != file.size()) {
    refuse(ErrorCode::kTruncated, std::min<std::uint64_t>(size, file.size()),
           "a file of " + std::to_string(size) + " bytes, as its header says, to end",
           "a file of " + std::to_string(file.size()));
  }
  return info;
}

std::optional<SectionProblem> find_problem(const SectionInfo& info) {
  // Divided instead of multiplied, as the product may not fit.
  if (info.element_bytes == 0 || info.num_elements > kMaxPayloadBytes / info.element_bytes) {
    return SectionProblem{{},
                          kElementBytesOffset,
                          "elements of at least 1 byte, 2^56 bytes in all at most",
                          std::to_string(info.num_elements) + " elements of " + std::to_string(info.element_bytes)};
  }
  const KindTraits* traits = find_traits(info.kind);
  if (traits == nullptr) return {};
  if (info.element_bytes < traits->least_element_bytes || info.element_bytes > traits->most_element_bytes) {
    return SectionProblem{{},
                          kElementBytesOffset,
                          std::string(traits->name) + " with elements of " +
                              std::to_string(traits->least_element_bytes) + " to " +
                              std::to_string(traits->most_element_bytes) + " bytes",
                          std::to_string(info.element_bytes)};
  }
  if ((info.parameter != 0) != traits->has_parameter) {
    return SectionProblem{
        {},
        kParameterOffset,
        std::string(traits->name) + " with a parameter " + (traits->has_parameter ? "above" : "of") + " 0",
        std::to_string(info.parameter)};
  }
  return {};
}

std::string describe(const SectionInfo& info) {
  const char* name = section_name(info.kind);
  return (name != nullptr ? name : "kind " + std::to_string(static_cast<std::uint32_t>(info.kind))) + ", " +
         std::to_string(info.num_elements) + " elements of " + std::to_string(info.element_bytes) +
         " bytes, parameter " + std::to_string(info.parameter) + ", table checksum " +
         describe_checksum(info.table_checksum);
}

std::string describe_checksum(std::uint32_t checksum) {
  char text[11];
  std::snprintf(text, sizeof text, "0x%08x", static_cast<unsigned>(checksum));
  return text;
}

}  // namespace anygram
