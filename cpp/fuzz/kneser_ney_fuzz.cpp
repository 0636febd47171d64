// Any bytes as counts for Kneser-Ney: reading throws Error, or answers from what is in the file.
//
// The input is what differs from counts that were written: a run of (place, word), each put into the payload, whose
// checksums are then made right.

#include <stdlib.h>

#include <filesystem>
#include <string>
#include <vector>

#include <anygram/query/kneser_ney.hpp>
#include <anygram/shard/shard_builder.hpp>
#include <anygram/storage/section_writer.hpp>

namespace {

using namespace anygram;

constexpr std::uint64_t kOrder = 3;

struct Written {
  std::string folder;
  std::vector<std::shared_ptr<const Shard>> shards;
  std::vector<std::uint64_t> words;
};

std::string path_of(const std::string& folder) { return folder + "/counts"; }

Written write() {
  Written result;
  result.folder = (std::filesystem::temp_directory_path() / "anygram-fuzz-XXXXXX").string();
  if (::mkdtemp(result.folder.data()) == nullptr) ::abort();
  TokenSpool spool(result.folder, 1);
  for (std::uint32_t i = 0; i < 60; ++i) {
    const std::vector<std::uint32_t> tokens{i % 3, 1, i % 2, 0, 1, i % 5 % 3};
    const std::vector<std::int64_t> lengths{static_cast<std::int64_t>(tokens.size())};
    spool.append(tokens, lengths);
  }
  spool.close();
  StopSignal stop;
  const std::string shard = result.folder + "/shard";
  std::filesystem::create_directory(shard);
  ShardBuilder builder(shard, {.vocab_size = 3, .sync = false});
  builder.write_tokens(spool, spool.cut(1)[0], stop, {});
  builder.sort(stop, {});
  builder.finish();
  result.shards.push_back(open_shard(shard, LoadMode::kMmap));
  KneserNeyCounts::scan(result.shards, kOrder, {1, stop}, {}).save(path_of(result.folder), {}, false);
  const Section section(path_of(result.folder));
  for (std::uint64_t i = 0; i < section.info().num_elements; ++i) {
    result.words.push_back(section.element<std::uint64_t>(i));
  }
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Written written = write();
  std::vector<std::uint64_t> words = written.words;
  constexpr std::size_t kChangeBytes = 2 + sizeof(std::uint64_t);
  for (std::size_t i = 0; i + kChangeBytes <= size; i += kChangeBytes) {
    const auto* bytes = reinterpret_cast<const std::byte*>(data + i);
    words[load<std::uint16_t>(bytes) % words.size()] = load<std::uint64_t>(bytes + 2);
  }
  if (size % kChangeBytes == 1) words.resize(data[size - 1] % (words.size() + 1));
  const std::string path = path_of(written.folder);
  SectionWriter writer(path, SectionKind::kKneserNey, sizeof(std::uint64_t), kOrder);
  writer.append(std::as_bytes(std::span(words)));
  writer.finish(false);
  StopSignal stop;
  try {
    const KneserNey model(written.shards, KneserNeyCounts::open(path, written.shards, kOrder, {}, LoadMode::kMmap));
    const std::vector<Symbol> text{1, 2, 2, 1, 3, 3, 2, 1, 1};
    model.probs(text, true, true, {1, stop});
    model.distribution(text, true);
    model.distribution({}, true);
  } catch (const FormatError&) {
  }
  return 0;
}
