#include <anygram/storage/shard_manifest.hpp>

#include <algorithm>

#include <anygram/base/little_endian.hpp>
#include <anygram/storage/files.hpp>
#include <anygram/storage/section_writer.hpp>

namespace anygram {
namespace {

// Where the fields stand in the payload, and in each entry after it.
constexpr std::size_t kHeadBytes = 40;
constexpr std::size_t kEntryBytes = 32;
constexpr std::size_t kMaxSections = 256;
constexpr std::uint32_t kRequiredFlag = 1;

constexpr std::uint64_t kMaxVocabSize = 0xFFFFFFFF;  // ids 0 to 2^32 - 2

constexpr std::uint64_t divide_up(std::uint64_t value, std::uint64_t divisor) {
  return value / divisor + (value % divisor != 0 ? 1 : 0);
}

// A problem at `offset` of the payload.
SectionProblem problem_at(std::size_t offset, std::string expected, std::string found) {
  return {{}, kSectionPageBytes + offset, std::move(expected), std::move(found)};
}

std::optional<SectionProblem> find_head_problem(const ShardManifest& shard) {
  if (shard.num_tokens > kMaxStreamLength || shard.num_documents > kMaxStreamLength - shard.num_tokens) {
    return problem_at(0, "at most 2^32 tokens and documents together",
                      std::to_string(shard.num_tokens) + " and " + std::to_string(shard.num_documents));
  }
  if (shard.num_tokens > 0 && shard.num_documents == 0) {
    return problem_at(8, "at least one document", "none, with " + std::to_string(shard.num_tokens) + " tokens");
  }
  if (shard.vocab_size > kMaxVocabSize || (shard.vocab_size == 0 && shard.num_tokens > 0)) {
    return problem_at(16, "a vocabulary of 1 to 2^32 - 1 tokens", std::to_string(shard.vocab_size));
  }
  if (const auto width = static_cast<std::uint32_t>(width_for(shard.vocab_size)); shard.token_width != width) {
    return problem_at(24, "tokens of " + std::to_string(width) + " bytes, as the vocabulary needs",
                      std::to_string(shard.token_width));
  }
  if (shard.profile != Profile::kLean && shard.profile != Profile::kFast) {
    return problem_at(28, "profile 0 or 1", std::to_string(static_cast<std::uint32_t>(shard.profile)));
  }
  return {};
}

// How many elements a section has, from the least to the most.
struct Bounds {
  std::uint64_t least = 0;
  std::uint64_t most = kMaxPayloadBytes;
};

Bounds bounds_of(const SectionInfo& info, const ShardManifest& shard) {
  const auto exactly = [](std::uint64_t count) { return Bounds{count, count}; };
  switch (info.kind) {
    case SectionKind::kTokenStream:
      return exactly(shard.stream_length());
    case SectionKind::kSuffixArray:
      return exactly(shard.num_tokens);
    case SectionKind::kUnigrams:
      return {shard.num_tokens > 0 ? 1U : 0U, std::min(shard.num_tokens, shard.vocab_size)};
    case SectionKind::kDocumentBegins:
      return exactly(shard.num_documents);
    case SectionKind::kDocumentBlocks:
      return exactly(divide_up(shard.stream_length(), kPositionsPerBlock));
    case SectionKind::kPositionPages:
    case SectionKind::kPageSecondKeys:
    case SectionKind::kPageShared:
      return exactly(divide_up(shard.num_tokens, kRanksPerPage));
    default:  // any number here; who reads the section knows better
      return {};
  }
}

// `offset` is the entry's, in the payload.
std::optional<SectionProblem> find_entry_problem(const ShardManifest& shard, const SectionInfo& info,
                                                 std::size_t offset) {
  if (const auto problem = find_problem(info)) return problem_at(offset, problem->expected, problem->found);
  if (info.kind == SectionKind{} || info.kind == SectionKind::kShard || info.kind == SectionKind::kKneserNey) {
    return problem_at(offset, "the kind of a shard's section", std::to_string(static_cast<std::uint32_t>(info.kind)));
  }
  if (info.kind == SectionKind::kTokenStream && info.element_bytes != shard.token_width) {
    return problem_at(offset, "a token_stream with elements of " + std::to_string(shard.token_width) + " bytes",
                      std::to_string(info.element_bytes));
  }
  const Bounds bounds = bounds_of(info, shard);
  if (info.num_elements < bounds.least || info.num_elements > bounds.most) {
    const std::string least = bounds.least == bounds.most ? "" : std::to_string(bounds.least) + " to ";
    return problem_at(offset, least + std::to_string(bounds.most) + " elements, as the shard's counts say",
                      describe(info));
  }
  return {};
}

// Why no shard may be like that, or nothing; the path is left empty. `sections` are those of `shard`, in their order.
std::optional<SectionProblem> find_problem(const ShardManifest& shard,
                                           const std::vector<ShardManifest::Entry>& sections) {
  if (auto problem = find_head_problem(shard)) return problem;
  for (std::size_t i = 0; i < sections.size(); ++i) {
    const SectionInfo& info = sections[i].info;
    const std::size_t offset = kHeadBytes + i * kEntryBytes;
    if (auto problem = find_entry_problem(shard, info, offset)) return problem;
    if (i > 0 && sections[i - 1].info.kind >= info.kind) {
      return problem_at(offset, "each kind once, ascending",
                        describe(info) + " after " + describe(sections[i - 1].info));
    }
  }
  return {};
}

// A section that this version must understand, and does not.
const ShardManifest::Entry* find_unknown_required(const std::vector<ShardManifest::Entry>& sections) {
  const auto found = std::ranges::find_if(sections, [](const ShardManifest::Entry& entry) {
    return entry.required && entry.info.kind != SectionKind{} && section_name(entry.info.kind) == nullptr;
  });
  return found == sections.end() ? nullptr : &*found;
}

std::vector<std::byte> encode(const ShardManifest& shard, const std::vector<ShardManifest::Entry>& sections) {
  std::vector<std::byte> payload(kHeadBytes + sections.size() * kEntryBytes);
  std::byte* next = payload.data();
  store(next, shard.num_tokens);
  store(next + 8, shard.num_documents);
  store(next + 16, shard.vocab_size);
  store(next + 24, shard.token_width);
  store(next + 28, static_cast<std::uint32_t>(shard.profile));
  store(next + 32, static_cast<std::uint32_t>(sections.size()));
  next += kHeadBytes;
  for (const auto& [info, required] : sections) {
    store(next, static_cast<std::uint32_t>(info.kind));
    store(next + 4, required ? kRequiredFlag : 0);
    store(next + 8, info.element_bytes);
    store(next + 12, info.table_checksum);
    store(next + 16, info.num_elements);
    store(next + 24, info.parameter);
    next += kEntryBytes;
  }
  return payload;
}

// Throws FormatError unless the payload has the shape of a manifest; what it says is not looked at yet.
ShardManifest decode(std::span<const std::byte> payload, const std::string& path) {
  const auto refuse = [&path](SectionProblem problem) {
    problem.path = path;
    throw FormatError(ErrorCode::kIndexFormat, std::move(problem));
  };
  const std::uint32_t num_sections = payload.size() < kHeadBytes ? 0 : load<std::uint32_t>(payload.data() + 32);
  if (num_sections > kMaxSections || payload.size() != kHeadBytes + num_sections * kEntryBytes) {
    refuse(problem_at(32, "40 bytes and 32 for each of at most 256 sections",
                      std::to_string(payload.size()) + " bytes for " + std::to_string(num_sections)));
  }
  if (const auto reserved = load<std::uint32_t>(payload.data() + 36); reserved != 0) {
    refuse(problem_at(36, "0 in the reserved field", std::to_string(reserved)));
  }
  ShardManifest shard;
  shard.num_tokens = load<std::uint64_t>(payload.data());
  shard.num_documents = load<std::uint64_t>(payload.data() + 8);
  shard.vocab_size = load<std::uint64_t>(payload.data() + 16);
  shard.token_width = load<std::uint32_t>(payload.data() + 24);
  shard.profile = static_cast<Profile>(load<std::uint32_t>(payload.data() + 28));
  for (std::size_t i = 0; i < num_sections; ++i) {
    const std::size_t offset = kHeadBytes + i * kEntryBytes;
    const std::byte* entry = payload.data() + offset;
    const auto flags = load<std::uint32_t>(entry + 4);
    if ((flags & ~kRequiredFlag) != 0) refuse(problem_at(offset + 4, "flags 0 or 1", std::to_string(flags)));
    SectionInfo info;
    info.kind = static_cast<SectionKind>(load<std::uint32_t>(entry));
    info.element_bytes = load<std::uint32_t>(entry + 8);
    info.table_checksum = load<std::uint32_t>(entry + 12);
    info.num_elements = load<std::uint64_t>(entry + 16);
    info.parameter = load<std::uint64_t>(entry + 24);
    shard.sections.push_back({info, flags == kRequiredFlag});
  }
  return shard;
}

std::string manifest_path(const std::string& folder) { return join_path(folder, section_name(SectionKind::kShard)); }

}  // namespace

const ShardManifest::Entry* ShardManifest::find(SectionKind kind) const {
  const auto found = std::ranges::find(sections, kind, [](const Entry& entry) { return entry.info.kind; });
  return found == sections.end() ? nullptr : &*found;
}

ShardManifest ShardManifest::read(const std::string& folder, std::uint32_t* checksum) {
  const std::string path = manifest_path(folder);
  const Section section(path, {.load = LoadMode::kRam});  // which checks all of it
  if (section.info().kind != SectionKind::kShard) {
    throw FormatError(ErrorCode::kIndexFormat, {path, 0, "the manifest of a shard", describe(section.info())});
  }
  ShardManifest shard = decode(section.payload(), path);
  if (const Entry* entry = find_unknown_required(shard.sections)) {
    throw FormatError(ErrorCode::kUnsupportedVersion, {path, kSectionPageBytes + kHeadBytes,
                                                       "sections that this version knows", describe(entry->info)});
  }
  if (auto problem = find_problem(shard, shard.sections)) {
    problem->path = path;
    throw FormatError(ErrorCode::kIndexFormat, *std::move(problem));
  }
  if (checksum != nullptr) *checksum = section.info().table_checksum;
  return shard;
}

std::uint32_t ShardManifest::write(const std::string& folder, bool sync) const {
  const std::string path = manifest_path(folder);
  std::vector<Entry> sorted = sections;
  std::ranges::sort(sorted, {}, [](const Entry& entry) { return entry.info.kind; });
  const auto problem = find_problem(*this, sorted);
  if (problem || find_unknown_required(sorted) != nullptr || sorted.size() > kMaxSections) {
    throw Error(ErrorCode::kInvalidArgument,
                "cannot write " + path + ": expected " +
                    (problem ? problem->expected + ", found " + problem->found : "256 known sections at most"),
                path);
  }
  SectionWriter writer(path, SectionKind::kShard, 1);
  writer.append(encode(*this, sorted));
  const std::uint32_t checksum = writer.finish(sync).table_checksum;
  if (sync) fsync_folder(folder);
  return checksum;
}

Section ShardManifest::open_section(const std::string& folder, SectionKind kind, const SectionOptions& options) const {
  const char* name = section_name(kind);
  const Entry* entry = find(kind);
  if (entry == nullptr || name == nullptr) {
    throw FormatError(ErrorCode::kIndexFormat,
                      {manifest_path(folder), kSectionPageBytes + kHeadBytes,
                       "an entry for section " + std::string(name == nullptr ? "of an unknown kind" : name), "none"});
  }
  const std::string path = join_path(folder, name);
  try {
    return Section(path, options, entry->info);
  } catch (const FormatError&) {
    throw;
  } catch (const Error& error) {
    // The shard is there and a part of it is not: that is damage, other than a wrong path.
    if (error.code() != ErrorCode::kIndexNotFound) throw;
    throw FormatError(ErrorCode::kIndexFormat, {path, 0, describe(entry->info), "no such file"});
  }
}

std::vector<SectionProblem> verify_shard_files(const std::string& folder, unsigned threads, StopSignal& stop,
                                               const Progress& progress) {
  ShardManifest shard;
  try {
    shard = ShardManifest::read(folder);
  } catch (const FormatError& error) {
    return {error.problem()};
  }
  std::uint64_t total = 0;
  for (const ShardManifest::Entry& entry : shard.sections)
    total += SectionLayout(entry.info.payload_bytes()).padded_bytes();

  std::vector<SectionProblem> problems = Section(manifest_path(folder)).verify(1, stop);
  std::uint64_t done = 0;
  for (const ShardManifest::Entry& entry : shard.sections) {
    if (section_name(entry.info.kind) != nullptr) {
      try {
        const auto found = shard.open_section(folder, entry.info.kind)
                               .verify(threads, stop, [&](std::uint64_t section_done, std::uint64_t) {
                                 if (progress) progress(done + section_done, total);
                               });
        problems.insert(problems.end(), found.begin(), found.end());
      } catch (const FormatError& error) {
        problems.push_back(error.problem());
      }
    }
    done += SectionLayout(entry.info.payload_bytes()).padded_bytes();
  }
  return problems;
}

}  // namespace anygram
