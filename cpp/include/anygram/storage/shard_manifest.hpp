// The list of a shard's sections: file `shard` in its folder, itself a section. See docs/index-format.md.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <anygram/storage/section.hpp>

namespace anygram {

enum class Profile : std::uint32_t { kLean = 0, kFast = 1 };

// For each block of this many positions a document_blocks section has the number of the document that holds its first
// one, so that looking a position up touches two cache lines or so.
inline constexpr std::uint64_t kPositionsPerBlock = 256;

// Ranks whose positions, keys and shared lengths stand together in a page of position_pages.
inline constexpr std::uint64_t kRanksPerPage = 672;

struct ShardManifest {
  struct Entry {
    SectionInfo info;
    bool required = true;  // a reader that does not know the kind must refuse the shard
    friend bool operator==(const Entry&, const Entry&) = default;
  };

  std::uint64_t num_tokens = 0;
  std::uint64_t num_documents = 0;
  std::uint64_t vocab_size = 0;
  std::uint32_t token_width = 1;
  Profile profile = Profile::kLean;
  std::vector<Entry> sections;  // by kind, ascending; also those that this version does not know

  std::uint64_t stream_length() const { return num_tokens + num_documents; }
  const Entry* find(SectionKind kind) const;

  // Reads and checks all of the file. It must agree with itself: the counts of the sections follow from num_tokens and
  // num_documents. Throws FormatError and what MappedFile throws; the files of the sections are not looked at.
  // `checksum` receives what write() returned.
  static ShardManifest read(const std::string& folder, std::uint32_t* checksum = nullptr);

  // Writes the file; the sections may be in any order. The shard exists from then on, so this comes last. With `sync`,
  // the file and the folder's names are on the disk when it returns (the sections' own files are synced by their
  // writers). Returns a checksum that stands for the whole shard, to be noted by what refers to it. Throws
  // kInvalidArgument if a reader would refuse what it says.
  std::uint32_t write(const std::string& folder, bool sync) const;

  // Opens a section of this shard and compares its header with the entry. Throws kIndexFormat if there is no entry.
  Section open_section(const std::string& folder, SectionKind kind, const SectionOptions& options = {}) const;
};

// Compares every byte of a shard's files with its checksums; sections of kinds that this version does not know are left
// out. Problems come by file, then by offset. A file that is missing or says something impossible is a problem, one
// that the system refuses to read is an error. `progress` counts bytes.
std::vector<SectionProblem> verify_shard_files(const std::string& folder, unsigned threads, StopSignal& stop,
                                               const Progress& progress = {});

}  // namespace anygram
