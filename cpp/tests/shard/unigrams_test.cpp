#include <anygram/shard/unigrams.hpp>

#include <doctest/doctest.h>

#include <anygram/storage/section_writer.hpp>

#include "shard/test_corpus.hpp"

namespace anygram {
namespace {

using namespace anygram::testing;

Section write_entries(const TemporaryFolder& folder, const std::vector<UnigramEntry>& entries) {
  SectionWriter writer(folder.file("unigrams"), SectionKind::kUnigrams, sizeof(UnigramEntry));
  writer.append(std::as_bytes(std::span(entries)));
  writer.finish(false);
  return Section(folder.file("unigrams"));
}

TEST_CASE("unigrams: each symbol's ranks, and none for others") {
  const TemporaryFolder folder;
  const Unigrams unigrams(write_entries(folder, {{2, 0}, {3, 10}, {0xFFFFFFFF, 11}}), 20);
  CHECK(unigrams.find(2) == Interval{0, 10});
  CHECK(unigrams.find(3) == Interval{10, 11});
  CHECK(unigrams.find(0xFFFFFFFF) == Interval{11, 20});
  for (const Symbol symbol : {0U, 1U, 4U, 0xFFFFFFFEU}) CHECK(unigrams.find(symbol).empty());
  std::vector<Continuation> counts{{1, 1}};  // what is there stays
  unigrams.counts(counts);
  CHECK(counts == std::vector<Continuation>{{1, 1}, {2, 10}, {3, 1}, {0xFFFFFFFF, 9}});
}

TEST_CASE("unigrams: of no token") {
  const TemporaryFolder folder;
  const Unigrams unigrams(write_entries(folder, {}), 0);
  CHECK(unigrams.find(1).empty());
  std::vector<Continuation> counts;
  unigrams.counts(counts);
  CHECK(counts.empty());
}

TEST_CASE("unigrams: ranks that do not ascend are refused") {
  const TemporaryFolder folder;
  const Unigrams falling(write_entries(folder, {{2, 5}, {3, 5}, {4, 4}}), 20);
  CHECK(refusal([&] { falling.find(2); }) == ErrorCode::kIndexFormat);
  CHECK(refusal([&] { falling.find(3); }) == ErrorCode::kIndexFormat);
  CHECK(falling.find(4) == Interval{4, 20});
  const Unigrams too_far(write_entries(folder, {{2, 0}, {3, 21}}), 20);
  CHECK(refusal([&] { too_far.find(2); }) == ErrorCode::kIndexFormat);
  CHECK(refusal([&] { too_far.find(3); }) == ErrorCode::kIndexFormat);
}

}  // namespace
}  // namespace anygram
