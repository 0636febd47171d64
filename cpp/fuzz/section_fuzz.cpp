// Any bytes as a section and as a shard's manifest: reading throws Error, or stays within the file.
//
// The first byte of the input chooses how the rest is used, since checksums would stop nearly all inputs at the door:
// as a file as it is, as a file whose checksums are made right, or as the payload of a manifest.

#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <anygram/base/crc32c.hpp>
#include <anygram/storage/section_writer.hpp>
#include <anygram/storage/shard_manifest.hpp>

namespace {

using namespace anygram;

const std::string& scratch_folder() {
  static const std::string folder = [] {
    std::string name = (std::filesystem::temp_directory_path() / "anygram-fuzz-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) ::abort();
    return name;
  }();
  return folder;
}

std::uint64_t sum_of(const std::byte* bytes, std::size_t length) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < length; ++i) sum += static_cast<std::uint64_t>(bytes[i]);
  return sum;
}

// Reads here and there, so that a sanitizer sees what lies outside.
void read_section(const Section& section) {
  static volatile std::uint64_t sink = 0;
  for (const std::uint64_t offset :
       {std::uint64_t{0}, section.info().payload_bytes() / 2, section.info().payload_bytes(), section.info().parameter,
        ~section.info().parameter}) {
    for (const std::size_t length : {std::size_t{0}, std::size_t{1}, std::size_t{64}, std::size_t{5000}}) {
      try {
        sink = sink + sum_of(section.at(offset, length), length);
      } catch (const FormatError&) {
      }
    }
  }
  StopSignal stop;
  section.verify(1, stop);
}

void read_files(const std::string& folder) {
  for (const LoadMode load : {LoadMode::kMmap, LoadMode::kRam}) {
    try {
      read_section(Section(folder + "/shard", {.load = load}));
    } catch (const Error&) {
    }
  }
  try {
    const ShardManifest shard = ShardManifest::read(folder);
    for (const ShardManifest::Entry& entry : shard.sections) {
      try {
        read_section(shard.open_section(folder, entry.info.kind));
      } catch (const Error&) {
      }
    }
    shard.write(folder, false);  // what could be read can be written
  } catch (const FormatError&) {
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kIndexNotFound) ::abort();
  }
  StopSignal stop;
  verify_shard_files(folder, 1, stop);
}

// Makes the checksum of the header right, and those of the pages of a payload as long as the file allows.
void repair_checksums(std::vector<std::byte>& file) {
  if (file.size() < 2 * kSectionPageBytes + 8) return;
  const std::uint64_t num_pages = (file.size() - kSectionPageBytes - 4) / (kSectionPageBytes + 4);
  const std::size_t table = kSectionPageBytes * (1 + num_pages);
  for (std::size_t page = 0; page < num_pages; ++page) {
    store(file.data() + table + 4 * page, crc32c({file.data() + (1 + page) * kSectionPageBytes, kSectionPageBytes}));
  }
  const std::size_t root = table + 4 * num_pages;
  store(file.data() + root, crc32c({file.data() + table, root - table}));
  store(file.data() + 56, crc32c({file.data() + root, 4}));
  store(file.data() + kSectionPageBytes - 4, crc32c({file.data(), kSectionPageBytes - 4}));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string path = scratch_folder() + "/shard";
  const std::span<const std::byte> rest = std::as_bytes(std::span(data, size)).subspan(1);
  if (data[0] % 3 == 2) {
    SectionWriter writer(path, SectionKind::kShard, 1);
    writer.append(rest);
    writer.finish(false);
  } else {
    std::vector<std::byte> file(rest.begin(), rest.end());
    if (data[0] % 3 == 1) {
      // A whole small file around the fields of a header, which are then all that has to be guessed.
      file.resize(std::max<std::size_t>(file.size(), 2 * kSectionPageBytes + 8));
      repair_checksums(file);
    }
    FileWriter writer(path);
    writer.write(file);
    writer.close();
  }
  read_files(scratch_folder());
  return 0;
}
