#include <doctest/doctest.h>

#include <functional>

#include <anygram/storage/section_writer.hpp>
#include <anygram/storage/shard_manifest.hpp>

#include "temporary_folder.hpp"

namespace anygram {
namespace {

using testing::flip_bits;
using testing::TemporaryFolder;

std::optional<ErrorCode> refusal(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.code();
  }
  return {};
}

SectionInfo write_section(const TemporaryFolder& folder, SectionKind kind, std::uint32_t element_bytes,
                          std::uint64_t num_elements, std::byte content = std::byte{1}) {
  SectionWriter writer(folder.file(section_name(kind)), kind, element_bytes);
  writer.append(std::vector<std::byte>(element_bytes * num_elements, content));
  return writer.finish(false);
}

// A shard of 900 tokens in 100 documents, as far as this layer looks.
ShardManifest write_shard(const TemporaryFolder& folder) {
  ShardManifest shard{.num_tokens = 900,
                      .num_documents = 100,
                      .vocab_size = 50257,
                      .token_width = 2,
                      .profile = Profile::kFast,
                      .sections = {}};
  shard.sections = {{write_section(folder, SectionKind::kTokenStream, 2, 1000), true},
                    {write_section(folder, SectionKind::kSuffixArray, 4, 900), true},
                    {write_section(folder, SectionKind::kUnigrams, 8, 20), true},
                    {write_section(folder, SectionKind::kDocumentBegins, 4, 100), true},
                    {write_section(folder, SectionKind::kDocumentBlocks, 4, 4), true},
                    {write_section(folder, SectionKind::kMetadata, 1, 10'000), false}};
  return shard;
}

// Writes a manifest with any payload.
void write_payload(const TemporaryFolder& folder, std::span<const std::byte> payload,
                   SectionKind kind = SectionKind::kShard) {
  SectionWriter writer(folder.file("shard"), kind, 1);
  writer.append(payload);
  writer.finish(false);
}

std::vector<std::byte> payload_of(const TemporaryFolder& folder) {
  const Section section(folder.file("shard"));
  return {section.payload().begin(), section.payload().end()};
}

TEST_CASE("shard manifest: round trip") {
  const TemporaryFolder folder;
  ShardManifest shard = write_shard(folder);
  std::swap(shard.sections[0], shard.sections[3]);  // any order will do
  const std::uint32_t written = shard.write(folder.path(), true);
  std::uint32_t checksum = 0;
  const ShardManifest found = ShardManifest::read(folder.path(), &checksum);
  std::swap(shard.sections[0], shard.sections[3]);
  CHECK(checksum == written);
  CHECK(found.num_tokens == 900);
  CHECK(found.num_documents == 100);
  CHECK(found.stream_length() == 1000);
  CHECK(found.vocab_size == 50257);
  CHECK(found.token_width == 2);
  CHECK(found.profile == Profile::kFast);
  CHECK(found.sections == shard.sections);
  CHECK(found.find(SectionKind::kKeySamples) == nullptr);
  CHECK(found.open_section(folder.path(), SectionKind::kSuffixArray).info().num_elements == 900);
  CHECK(refusal([&] { found.open_section(folder.path(), SectionKind::kKeySamples); }) == ErrorCode::kIndexFormat);
  CHECK(refusal([&] { found.open_section(folder.path(), SectionKind{77}); }) == ErrorCode::kIndexFormat);
  StopSignal stop;
  std::uint64_t done = 0;
  std::uint64_t total = 1;
  const auto problems = verify_shard_files(folder.path(), 2, stop, [&](std::uint64_t now, std::uint64_t all) {
    CHECK(now >= done);
    done = now;
    total = all;
  });
  CHECK(problems.empty());
  CHECK(done == total);
}

TEST_CASE("shard manifest: the empty shard") {
  const TemporaryFolder folder;
  const ShardManifest shard;
  shard.write(folder.path(), false);
  CHECK(ShardManifest::read(folder.path()).sections.empty());
  CHECK(refusal([&] { ShardManifest::read(folder.file("none")); }) == ErrorCode::kIndexNotFound);
}

TEST_CASE("shard manifest: its checksum stands for every byte of every section") {
  const TemporaryFolder folder;
  ShardManifest shard = write_shard(folder);
  const std::uint32_t before = shard.write(folder.path(), false);
  CHECK(shard.write(folder.path(), false) == before);
  shard.sections[5].info = write_section(folder, SectionKind::kMetadata, 1, 10'000, std::byte{2});
  CHECK(shard.write(folder.path(), false) != before);
  shard.sections[5].required = true;
  const std::uint32_t required = shard.write(folder.path(), false);
  CHECK(required != before);
  shard.profile = Profile::kLean;
  CHECK(shard.write(folder.path(), false) != required);
}

TEST_CASE("shard manifest: sections that are missing, swapped or damaged are refused and reported") {
  const TemporaryFolder folder;
  const ShardManifest shard = write_shard(folder);
  shard.write(folder.path(), false);
  StopSignal stop;

  write_section(folder, SectionKind::kSuffixArray, 4, 900, std::byte{2});  // of another shard
  CHECK(refusal([&] { shard.open_section(folder.path(), SectionKind::kSuffixArray); }) == ErrorCode::kIndexFormat);
  std::filesystem::remove(folder.file("unigrams"));
  CHECK(refusal([&] { shard.open_section(folder.path(), SectionKind::kUnigrams); }) == ErrorCode::kIndexFormat);
  flip_bits(folder.file("metadata"), 9000, std::byte{1});

  const std::vector<SectionProblem> problems = verify_shard_files(folder.path(), 1, stop);
  REQUIRE(problems.size() == 3);
  CHECK(problems[0].path == folder.file("suffix_array"));
  CHECK(problems[1].path == folder.file("unigrams"));
  CHECK(problems[1].found == "no such file");
  CHECK(problems[2].path == folder.file("metadata"));
  CHECK(problems[2].offset == 8192);
}

TEST_CASE("shard manifest: every changed byte and every shorter file is refused") {
  const TemporaryFolder folder;
  const std::string path = folder.file("shard");
  write_shard(folder).write(folder.path(), false);
  const std::size_t whole = std::filesystem::file_size(path);
  for (std::size_t offset = 0; offset < whole; ++offset) {
    flip_bits(path, offset, std::byte{0x04});
    REQUIRE(refusal([&] { ShardManifest::read(folder.path()); }).has_value());
    flip_bits(path, offset, std::byte{0x04});
  }
  CHECK_FALSE(refusal([&] { ShardManifest::read(folder.path()); }));
  StopSignal stop;
  for (std::size_t size = whole; size-- > 0;) {
    std::filesystem::resize_file(path, size);
    REQUIRE(refusal([&] { ShardManifest::read(folder.path()); }) == ErrorCode::kTruncated);
  }
  CHECK(verify_shard_files(folder.path(), 1, stop).size() == 1);
}

TEST_CASE("shard manifest: what contradicts itself is refused, with all checksums right") {
  const TemporaryFolder folder;
  write_shard(folder).write(folder.path(), false);
  const std::vector<std::byte> payload = payload_of(folder);
  const auto code = [&]<class Integer>(std::size_t offset, Integer value) {
    std::vector<std::byte> changed = payload;
    store(changed.data() + offset, value);
    write_payload(folder, changed);
    return refusal([&] { ShardManifest::read(folder.path()); });
  };
  constexpr std::size_t kFirst = 40;
  constexpr std::size_t kLast = 40 + 5 * 32;
  CHECK_FALSE(code(0, std::uint64_t{900}));
  for (const std::uint64_t count : {0ULL, 899ULL, 1ULL << 32, ~0ULL, ~0ULL - 50}) {
    CHECK(code(0, count) == ErrorCode::kIndexFormat);
    CHECK(code(8, count) == ErrorCode::kIndexFormat);
  }
  for (const std::uint64_t vocab_size : {0ULL, 10ULL, 255ULL, 65536ULL, 1ULL << 32}) {
    CHECK(code(16, vocab_size) == ErrorCode::kIndexFormat);
  }
  for (const std::uint32_t width : {0U, 1U, 3U, 5U}) CHECK(code(24, width) == ErrorCode::kIndexFormat);
  CHECK(code(28, std::uint32_t{2}) == ErrorCode::kIndexFormat);
  for (const std::uint32_t count : {0U, 5U, 7U, 257U, ~0U}) CHECK(code(32, count) == ErrorCode::kIndexFormat);
  CHECK(code(36, std::uint32_t{1}) == ErrorCode::kIndexFormat);
  CHECK(code(kFirst, std::uint32_t{0}) == ErrorCode::kIndexFormat);
  CHECK(code(kFirst, std::uint32_t{2}) == ErrorCode::kIndexFormat);  // twice
  CHECK(code(kLast, std::uint32_t{9}) == ErrorCode::kIndexFormat);   // a shard in a shard
  CHECK(code(kLast + 4, std::uint32_t{2}) == ErrorCode::kIndexFormat);
  CHECK(code(kFirst + 8, std::uint32_t{3}) == ErrorCode::kIndexFormat);
  CHECK(code(kFirst + 16, std::uint64_t{999}) == ErrorCode::kIndexFormat);
  CHECK(code(kFirst + 24, std::uint64_t{1}) == ErrorCode::kIndexFormat);
  CHECK_FALSE(code(kLast, std::uint32_t{77}));  // unknown and optional
  std::vector<std::byte> unknown = payload;
  store(unknown.data() + kLast, std::uint32_t{77});
  store(unknown.data() + kLast + 4, std::uint32_t{1});
  write_payload(folder, unknown);
  CHECK(refusal([&] { ShardManifest::read(folder.path()); }) == ErrorCode::kUnsupportedVersion);
  write_payload(folder, payload, SectionKind::kMetadata);
  CHECK(refusal([&] { ShardManifest::read(folder.path()); }) == ErrorCode::kIndexFormat);
  for (const std::size_t size : {0U, 39U, 40U, 71U}) {
    write_payload(folder, std::span(payload).first(size));
    CHECK(refusal([&] { ShardManifest::read(folder.path()); }) == ErrorCode::kIndexFormat);
  }
}

TEST_CASE("shard manifest: unknown optional sections are kept and not opened") {
  const TemporaryFolder folder;
  ShardManifest shard = write_shard(folder);
  const SectionInfo later{.kind = SectionKind{77}, .element_bytes = 3, .num_elements = 5, .parameter = 9};
  shard.sections.push_back({later, false});
  shard.write(folder.path(), false);
  StopSignal stop;
  CHECK(ShardManifest::read(folder.path()).sections == shard.sections);
  CHECK(verify_shard_files(folder.path(), 1, stop).empty());
}

TEST_CASE("shard manifest: what a reader would refuse is not written") {
  const TemporaryFolder folder;
  const ShardManifest shard = write_shard(folder);
  const auto code = [&](const std::function<void(ShardManifest&)>& change) {
    ShardManifest changed = shard;
    change(changed);
    return refusal([&] { changed.write(folder.path(), false); });
  };
  CHECK_FALSE(code([](ShardManifest&) {}));
  CHECK(code([](ShardManifest& s) { s.num_tokens = 901; }) == ErrorCode::kInvalidArgument);
  CHECK(code([](ShardManifest& s) { s.token_width = 3; }) == ErrorCode::kInvalidArgument);
  CHECK(code([](ShardManifest& s) { s.sections.push_back(s.sections[0]); }) == ErrorCode::kInvalidArgument);
  CHECK(code([](ShardManifest& s) { s.sections.push_back({{.kind = SectionKind{77}, .element_bytes = 1}, true}); }) ==
        ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace anygram
