#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <random>
#include <thread>

#include <anygram/base/crc32c.hpp>
#include <anygram/storage/section.hpp>
#include <anygram/storage/section_writer.hpp>

#include "temporary_folder.hpp"

namespace anygram {
namespace {

using testing::flip_bits;
using testing::read_file;
using testing::TemporaryFolder;
using testing::write_file;

std::vector<std::byte> random_bytes(std::size_t size) {
  std::mt19937 random(static_cast<unsigned>(size));
  std::vector<std::byte> bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

SectionInfo write_section(const std::string& path, std::span<const std::byte> payload,
                          SectionKind kind = SectionKind::kMetadata, std::uint32_t element_bytes = 1) {
  SectionWriter writer(path, kind, element_bytes);
  writer.append(payload);
  return writer.finish(false);
}

// The code with which opening, or whatever else, is refused; nothing if it is not.
std::optional<ErrorCode> refusal(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.code();
  }
  return {};
}

std::optional<ErrorCode> refusal_to_open(const std::string& path) {
  return refusal([&] { Section section(path); });
}

// Changes bytes of a header and makes its checksum right again, as a writer of another version would.
template <class Integer>
void patch_header(const std::string& path, std::size_t offset, Integer value) {
  std::vector<std::byte> file = read_file(path);
  store(file.data() + offset, value);
  store(file.data() + 4092, crc32c(std::span(file).first(4092)));
  write_file(path, file);
}

TEST_CASE("section: what is written is read, in any pieces and both modes") {
  const TemporaryFolder folder;
  const std::string path = folder.file("a");
  for (const std::size_t size : {0U, 4U, 64U, 4028U, 4032U, 4036U, 4096U, 8192U, 100'000U, 9'000'000U}) {
    const std::vector<std::byte> payload = random_bytes(size);
    SectionWriter writer(path, SectionKind::kSuffixArray, 4);
    std::mt19937 random(5);
    for (std::size_t begin = 0; begin < size;) {
      const std::size_t count = std::min<std::size_t>(random() % 20000, size - begin);
      writer.append(std::span(payload).subspan(begin, count));
      begin += count;
    }
    const SectionInfo info = writer.finish(true);
    CHECK(info.num_elements == size / 4);
    CHECK(info.payload_bytes() == size);
    for (const LoadMode load : {LoadMode::kMmap, LoadMode::kRam}) {
      for (const bool check_pages : {true, false}) {
        const Section section(path, {.load = load, .check_pages = check_pages, .random_access = true}, info);
        CHECK(section.info() == info);
        REQUIRE(std::ranges::equal(section.payload(), payload));
        for (std::size_t offset = 0; offset < size; offset += 500) {
          const std::size_t length = std::min<std::size_t>(1000, size - offset);
          REQUIRE(std::equal(payload.begin() + static_cast<std::ptrdiff_t>(offset),
                             payload.begin() + static_cast<std::ptrdiff_t>(offset + length),
                             section.at(offset, length)));
        }
        section.check_all();
        const std::byte* padding = section.at(size, kStreamPadding);
        CHECK(std::all_of(padding, padding + kStreamPadding, [](std::byte byte) { return byte == std::byte{0}; }));
        StopSignal stop;
        std::uint64_t done = 0;
        std::uint64_t total = 1;
        CHECK(section.verify(2, stop, [&](std::uint64_t now, std::uint64_t all) { done = now, total = all; }).empty());
        CHECK(done == total);
        CHECK(std::ranges::equal(section.raw_file_bytes(), read_file(path)));
      }
    }
  }
}

TEST_CASE("section: the file depends on the content only") {
  const TemporaryFolder folder;
  const std::vector<std::byte> payload = random_bytes(10'000);
  write_section(folder.file("a"), payload);
  SectionWriter writer(folder.file("b"), SectionKind::kMetadata, 1, 17);
  for (const std::byte& byte : payload) writer.append({&byte, 1});
  writer.set_parameter(0);
  writer.finish(true);
  CHECK(read_file(folder.file("a")) == read_file(folder.file("b")));
  CHECK(read_file(folder.file("a")).size() == 4096 + 3 * 4096 + 3 * 4 + 4);
}

TEST_CASE("section: reads outside are refused, whatever the numbers") {
  const TemporaryFolder folder;
  write_section(folder.file("a"), random_bytes(100));
  for (const bool check_pages : {true, false}) {
    const Section section(folder.file("a"), {.check_pages = check_pages});
    CHECK_FALSE(refusal([&] { section.at(0, 4096); }));
    CHECK_FALSE(refusal([&] { section.at(4096, 0); }));
    for (const auto& [offset, length] : std::vector<std::pair<std::uint64_t, std::size_t>>{
             {0, 4097}, {4096, 1}, {4090, 8}, {~0ULL, 1}, {~0ULL - 7, 8}, {~0ULL, 0}, {~0ULL - 3, 8}, {1, ~0ULL}}) {
      CHECK(refusal([&] { section.at(offset, length); }) == ErrorCode::kIndexFormat);
    }
    CHECK(section.element<std::uint32_t>(1000) == 0);  // in the padding
    CHECK(refusal([&] { section.element<std::uint64_t>(512); }) == ErrorCode::kIndexFormat);
  }
}

TEST_CASE("section: every shorter file and a longer one are refused") {
  const TemporaryFolder folder;
  const std::string path = folder.file("a");
  write_section(path, random_bytes(5000));
  const std::vector<std::byte> whole = read_file(path);
  for (std::size_t size = whole.size(); size-- > 0;) {
    std::filesystem::resize_file(path, size);
    REQUIRE(refusal_to_open(path) == ErrorCode::kTruncated);
  }
  std::vector<std::byte> longer = whole;
  longer.push_back(std::byte{0});
  write_file(path, longer);
  CHECK(refusal_to_open(path) == ErrorCode::kTruncated);
  write_file(path, whole);
  CHECK_FALSE(refusal_to_open(path));
}

TEST_CASE("section: every changed byte is found") {
  const TemporaryFolder folder;
  const std::string path = folder.file("a");
  const std::vector<std::byte> payload = random_bytes(5000);
  write_section(path, payload);
  const std::size_t size = std::filesystem::file_size(path);
  StopSignal stop;
  for (std::size_t offset = 0; offset < size; ++offset) {
    flip_bits(path, offset, std::byte{0x20});
    try {
      const Section section(path);
      const std::vector<SectionProblem> problems = section.verify(1, stop);
      REQUIRE(problems.size() == 1);
      CHECK(problems[0].path == path);
      CHECK(problems[0].offset <= offset);
      CHECK(offset < problems[0].offset + kSectionPageBytes);
      // A change in a page leaves the other page readable; in the table it leaves none.
      const bool first = !refusal([&] { section.at(0, 4); }).has_value();
      const bool second = !refusal([&] { section.at(4096, 4); }).has_value();
      const bool both = !refusal([&] { section.at(4094, 4); }).has_value();
      REQUIRE_FALSE(both);
      REQUIRE(first == (offset >= 8192 && offset < 12288));
      REQUIRE(second == (offset >= 4096 && offset < 8192));
    } catch (const FormatError& error) {
      REQUIRE((offset < 4096 || offset >= 12288));
      REQUIRE(error.path() == path);
      REQUIRE(error.offset().has_value());
    }
    flip_bits(path, offset, std::byte{0x20});
  }
}

TEST_CASE("section: damage is reported where it is, in files with many checksums") {
  const TemporaryFolder folder;
  const std::string path = folder.file("a");
  const SectionInfo info = write_section(path, random_bytes(9'000'000));
  const SectionLayout layout(info.payload_bytes());
  CHECK(layout.num_pages == 2198);
  CHECK(layout.num_table_pages == 3);
  std::vector<std::byte> file = read_file(path);
  file[4096 + 5 * 4096 + 17] ^= std::byte{1};              // page 5
  file[4096 + 2100 * 4096] ^= std::byte{1};                // page 2100
  file[layout.table_offset() + 4096 + 7] ^= std::byte{1};  // the checksums of pages 1024 to 2047
  write_file(path, file);
  const Section section(path);
  CHECK_FALSE(refusal([&] { section.at(4 * 4096, 4096); }));
  CHECK_FALSE(refusal([&] { section.at(2048 * 4096, 52 * 4096); }));
  CHECK(refusal([&] { section.at(5 * 4096, 1); }) == ErrorCode::kChecksum);
  CHECK(refusal([&] { section.at(5 * 4096, 1); }) == ErrorCode::kChecksum);  // and stays so
  CHECK(refusal([&] { section.at(4 * 4096, 3 * 4096); }) == ErrorCode::kChecksum);
  CHECK(refusal([&] { section.at(1500 * 4096, 1); }) == ErrorCode::kChecksum);
  CHECK(refusal([&] { section.check_all(); }) == ErrorCode::kChecksum);
  StopSignal stop;
  for (const unsigned threads : {1U, 4U}) {
    const std::vector<SectionProblem> problems = section.verify(threads, stop);
    REQUIRE(problems.size() == 3);
    CHECK(problems[0].offset == 4096 + 5 * 4096);
    CHECK(problems[1].offset == 4096 + 2100 * 4096);
    CHECK(problems[2].offset == layout.table_offset() + 4096);
  }
  try {
    section.at(5 * 4096, 1);
  } catch (const Error& error) {
    const std::string message = error.what();
    CHECK(error.offset() == 4096 + 5 * 4096);
    for (const char* part : {path.c_str(), "24576", "0x", "backup"}) CHECK(message.find(part) != std::string::npos);
  }
  CHECK(refusal([&] { Section(path, {.load = LoadMode::kRam}); }) == ErrorCode::kChecksum);
  for (const LoadMode load : {LoadMode::kMmap, LoadMode::kRam}) {
    const Section unchecked(path, {.load = load, .check_pages = false});
    CHECK_FALSE(refusal([&] { unchecked.at(5 * 4096, 1); }));
    CHECK(unchecked.verify(1, stop).size() == 3);
  }
}

TEST_CASE("section: padding that is not zero is found") {
  const TemporaryFolder folder;
  const std::string path = folder.file("a");
  write_section(path, std::vector<std::byte>(200, std::byte{1}));
  patch_header(path, 32, std::uint64_t{100});
  patch_header(path, 40, std::uint64_t{100});
  StopSignal stop;
  const std::vector<SectionProblem> problems = Section(path).verify(1, stop);
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].offset == 4096 + 100);
}

TEST_CASE("section: a header that says something else is refused") {
  const TemporaryFolder folder;
  const std::string path = folder.file("a");
  const auto code = [&]<class Integer>(std::size_t offset, Integer value) {
    write_section(path, random_bytes(100), SectionKind::kSuffixArray, 4);
    patch_header(path, offset, value);
    return refusal_to_open(path);
  };
  CHECK_FALSE(code(8, std::uint32_t{0}));
  CHECK(code(0, 'B') == ErrorCode::kIndexFormat);
  CHECK(code(8, std::uint32_t{1}) == ErrorCode::kUnsupportedVersion);
  CHECK(code(16, std::uint64_t{0x0807060504030201}) == ErrorCode::kIndexFormat);
  CHECK(code(28, std::uint32_t{65536}) == ErrorCode::kIndexFormat);
  for (const std::uint32_t element_bytes : {0U, 1U, 8U, ~0U}) CHECK(code(24, element_bytes) == ErrorCode::kIndexFormat);
  for (const std::uint64_t elements : {0ULL, 24ULL, 26ULL, 1ULL << 56, 1ULL << 62, (1ULL << 62) + 25, ~0ULL}) {
    CHECK(code(32, elements) == ErrorCode::kIndexFormat);
  }
  CHECK(code(40, std::uint64_t{101}) == ErrorCode::kIndexFormat);
  CHECK(code(48, std::uint64_t{1}) == ErrorCode::kIndexFormat);  // a parameter, where the kind has none
  CHECK(code(56, std::uint32_t{1}) == ErrorCode::kChecksum);
  CHECK(code(60, '\1') == ErrorCode::kIndexFormat);
  CHECK(code(4091, '\1') == ErrorCode::kIndexFormat);
  CHECK_FALSE(code(12, std::uint32_t{1000}));  // a kind of a later version; who opens it must know
}

TEST_CASE("section: a header that differs from the manifest is refused") {
  const TemporaryFolder folder;
  const std::string path = folder.file("a");
  const SectionInfo info = write_section(path, random_bytes(100));
  SectionInfo other = info;
  ++other.table_checksum;
  CHECK(refusal([&] { Section(path, {}, other); }) == ErrorCode::kIndexFormat);
  CHECK_FALSE(refusal([&] { Section(path, {}, info); }));
}

TEST_CASE("section: a file whose writing was stopped is refused as incomplete") {
  const TemporaryFolder folder;
  const std::string path = folder.file("a");
  {
    SectionWriter writer(path, SectionKind::kMetadata, 1);
    writer.append(random_bytes(3'000'000));
    writer.flush();
  }
  CHECK(refusal_to_open(path) == ErrorCode::kIndexFormat);
  try {
    Section section(path);
  } catch (const Error& error) {
    CHECK(std::string(error.what()).find("never completed") != std::string::npos);
  }
  CHECK(refusal_to_open(folder.file("none")) == ErrorCode::kIndexNotFound);
}

TEST_CASE("section writer: what a reader would refuse is not written") {
  const TemporaryFolder folder;
  const auto code = [&](SectionKind kind, std::uint32_t element_bytes, std::uint64_t parameter, std::size_t size) {
    return refusal([&] {
      SectionWriter writer(folder.file("a"), kind, element_bytes, parameter);
      writer.append(random_bytes(size));
      writer.finish(false);
    });
  };
  CHECK_FALSE(code(SectionKind::kSuffixArray, 4, 0, 400));
  CHECK(code(SectionKind::kSuffixArray, 4, 0, 401) == ErrorCode::kInvalidArgument);
  CHECK(code(SectionKind::kSuffixArray, 8, 0, 400) == ErrorCode::kInvalidArgument);
  CHECK(code(SectionKind::kSuffixArray, 0, 0, 0) == ErrorCode::kInvalidArgument);
  CHECK(code(SectionKind::kSuffixArray, 4, 1, 400) == ErrorCode::kInvalidArgument);
  CHECK(code(SectionKind::kKeySamples, 8, 0, 400) == ErrorCode::kInvalidArgument);
  CHECK_FALSE(code(SectionKind::kKeySamples, 8, 64, 400));
}

TEST_CASE("section writer: a full disk is reported") {
  if (!std::filesystem::exists("/dev/full")) return;
  CHECK(refusal([] {
          SectionWriter writer("/dev/full", SectionKind::kMetadata, 1);
          writer.finish(false);
        }) == ErrorCode::kDiskFull);
}

TEST_CASE("section: more than 4 GiB") {
  const TemporaryFolder folder;
  const std::string path = folder.file("a");
  // All zeros and sparse, so it takes a few megabytes: the table, in which all checksums are equal.
  SectionInfo info{.kind = SectionKind::kSuffixArray, .element_bytes = 4, .num_elements = (1ULL << 30) + 1000};
  const SectionLayout layout(info.payload_bytes());
  const std::vector<std::byte> page(kSectionPageBytes);
  const std::vector<std::uint32_t> table(layout.num_pages, crc32c(page));
  std::vector<std::uint32_t> root;
  const auto table_bytes = std::as_bytes(std::span(table));
  for (std::size_t i = 0; i < table_bytes.size(); i += 4096) {
    root.push_back(crc32c(table_bytes.subspan(i, std::min<std::size_t>(4096, table_bytes.size() - i))));
  }
  info.table_checksum = crc32c(std::as_bytes(std::span(root)));
  FileWriter writer(path);
  writer.write(encode_header(info));
  writer.write_at(layout.table_offset(), table_bytes);
  writer.write_at(layout.root_offset(), std::as_bytes(std::span(root)));
  writer.close();

  const Section section(path, {}, info);
  CHECK(section.payload().size() == (4ULL << 30) + 4000);
  CHECK(section.element<std::uint32_t>((1ULL << 30) + 999) == 0);
  CHECK(refusal([&] { section.at(4ULL << 30, 4097); }) == ErrorCode::kIndexFormat);
}

TEST_CASE("section: many threads touch the same pages") {
  const TemporaryFolder folder;
  const std::string path = folder.file("a");
  const std::vector<std::byte> payload = random_bytes(2'000'000);
  write_section(path, payload);
  const Section section(path);
  std::atomic<int> differences{0};
  std::vector<std::thread> threads;
  for (unsigned seed = 0; seed < 4; ++seed) {
    threads.emplace_back([&, seed] {
      std::mt19937 random(seed);
      for (int i = 0; i < 20'000; ++i) {
        const std::size_t offset = random() % (payload.size() - 16);
        if (load<std::uint64_t>(section.at(offset, 8)) != load<std::uint64_t>(payload.data() + offset)) ++differences;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(differences == 0);
}

TEST_CASE("section kinds have names") {
  for (std::uint32_t number = 1; number <= 9; ++number) {
    const auto kind = static_cast<SectionKind>(number);
    REQUIRE(section_name(kind) != nullptr);
    CHECK(section_kind(section_name(kind)) == kind);
  }
  CHECK(section_name(SectionKind{0}) == nullptr);
  CHECK(section_name(SectionKind{13}) == nullptr);
  CHECK_FALSE(section_kind("suffix-array"));
}

}  // namespace
}  // namespace anygram
