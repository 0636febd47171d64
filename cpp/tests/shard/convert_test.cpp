#include <anygram/shard/convert.hpp>

#include <doctest/doctest.h>

#include "shard/test_corpus.hpp"

namespace anygram {
namespace {

using namespace anygram::testing;

using Files = std::map<std::string, std::vector<std::byte>>;

Files files_of(const Shard& shard) {
  Files files;
  for (const ShardFile& file : shard.files()) files[file.name].assign(file.bytes.begin(), file.bytes.end());
  return files;
}

TEST_CASE("convert: each profile to each, byte for byte as it is built") {
  Random random(80);
  for (int trial = 0; trial < 12; ++trial) {
    const std::uint64_t vocab_size = trial % 4 == 0 ? 20 : trial % 4 == 1 ? 300 : trial % 4 == 2 ? 100'000 : 20'000'000;
    Corpus corpus = trial < 4 ? repetitive_corpus(random, 500, 3) : random_corpus(random, 60, 120, 1 + trial % 5);
    if (trial == 11) corpus = Corpus(3);
    const auto options = [&](Profile profile) {
      return ShardBuilderOptions{.vocab_size = vocab_size, .profile = profile, .sync = false};
    };
    const BuiltShards lean(corpus, 1, options(Profile::kLean));
    const BuiltShards fast(corpus, 1, options(Profile::kFast));
    for (const BuiltShards* from : {&lean, &fast}) {
      for (const BuiltShards* to : {&lean, &fast}) {
        const TemporaryFolder folder;
        StopSignal stop;
        std::uint64_t done = 0;
        const std::uint32_t checksum = convert_shard(from->shard_folder(0), folder.path(),
                                                     {.profile = to == &fast ? Profile::kFast : Profile::kLean,
                                                      .threads = 2,
                                                      .memory = trial % 2 == 0 ? 0U : 1U,
                                                      .sync = false},
                                                     stop, [&](std::uint64_t part, std::uint64_t) { done = part; });
        CHECK(checksum == to->checksums()[0]);
        if (from != to) CHECK(done == (*to)[0].counts().num_tokens);
        REQUIRE(files_of(*open_shard(folder.path(), LoadMode::kMmap)) == files_of((*to)[0]));
      }
    }
  }
}

TEST_CASE("convert: what is damaged is refused") {
  Random random(81);
  for (const Profile profile : {Profile::kLean, Profile::kFast}) {
    const BuiltShards built(repetitive_corpus(random, 500, 3), 1,
                            {.vocab_size = 20, .profile = profile, .sync = false});
    const std::string source = built.shard_folder(0);
    for (const ShardManifest::Entry& entry : ShardManifest::read(source).sections) {
      const SectionKind kind = entry.info.kind;
      // What leads to the pages or into the array is made anew, not read.
      if (kind == SectionKind::kKeySamples || kind == SectionKind::kPageSecondKeys || kind == SectionKind::kPageShared)
        continue;
      flip_bits(source + "/" + section_name(kind), kSectionPageBytes + 1, std::byte{8});
      const TemporaryFolder folder;
      const auto code = refusal([&] {
        StopSignal stop;
        convert_shard(source, folder.path(),
                      {.profile = profile == Profile::kLean ? Profile::kFast : Profile::kLean, .sync = false}, stop);
      });
      CHECK(code == ErrorCode::kChecksum);
      CHECK(refusal([&] { open_shard(folder.path(), LoadMode::kMmap); }) == ErrorCode::kIndexNotFound);
      flip_bits(source + "/" + section_name(kind), kSectionPageBytes + 1, std::byte{8});
    }
  }
}

}  // namespace
}  // namespace anygram
