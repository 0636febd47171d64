#include <anygram/shard/documents.hpp>

#include <doctest/doctest.h>

#include <numeric>

#include <anygram/storage/section_writer.hpp>
#include <anygram/storage/shard_manifest.hpp>

#include "shard/test_corpus.hpp"

namespace anygram {
namespace {

using namespace anygram::testing;

Section write_numbers(const TemporaryFolder& folder, SectionKind kind, const std::vector<std::uint32_t>& numbers) {
  SectionWriter writer(folder.file(section_name(kind)), kind, sizeof(std::uint32_t));
  writer.append(std::as_bytes(std::span(numbers)));
  writer.finish(false);
  return Section(folder.file(section_name(kind)));
}

// Documents of these lengths; `document_at[position]` by definition.
struct Lengths {
  explicit Lengths(const std::vector<std::uint64_t>& lengths) {
    for (std::size_t document = 0; document < lengths.size(); ++document) {
      begins.push_back(static_cast<std::uint32_t>(document_at.size()));
      document_at.resize(document_at.size() + lengths[document] + 1, static_cast<std::uint32_t>(document));
    }
    for (std::size_t position = 0; position < document_at.size(); position += kPositionsPerBlock) {
      blocks.push_back(document_at[position]);
    }
  }

  Documents documents(const TemporaryFolder& folder) const {
    return {write_numbers(folder, SectionKind::kDocumentBegins, begins),
            write_numbers(folder, SectionKind::kDocumentBlocks, blocks), document_at.size()};
  }

  std::vector<std::uint32_t> begins;
  std::vector<std::uint32_t> blocks;
  std::vector<std::uint32_t> document_at;
};

void check_documents(const Lengths& lengths) {
  const TemporaryFolder folder;
  const Documents documents = lengths.documents(folder);
  REQUIRE(documents.size() == lengths.begins.size());
  std::size_t wrong = 0;
  for (std::size_t position = 0; position < lengths.document_at.size(); ++position) {
    if (documents.at(static_cast<Position>(position)) != lengths.document_at[position]) ++wrong;
  }
  std::vector<Position> positions(lengths.document_at.size());
  std::iota(positions.begin(), positions.end(), Position{0});
  std::vector<std::uint32_t> together(positions.size());
  documents.at(positions, together);
  CHECK(together == lengths.document_at);
  for (std::size_t document = 0; document < lengths.begins.size(); ++document) {
    const bool is_last = document + 1 == lengths.begins.size();
    const std::uint64_t end = is_last ? lengths.document_at.size() : lengths.begins[document + 1];
    if (documents.span(document) != Interval{lengths.begins[document], end - 1}) ++wrong;
  }
  CHECK(wrong == 0);
  CHECK(refusal([&] { documents.span(lengths.begins.size()); }) == ErrorCode::kDocumentNotFound);
}

TEST_CASE("documents: the one that holds a position, and where each stands") {
  for (const std::uint64_t length : {0U, 1U, 254U, 255U, 256U, 257U, 511U, 512U, 513U, 5000U}) {
    check_documents(Lengths({length}));
    check_documents(Lengths({length, 0, 0, length, 1}));
    check_documents(Lengths({0, length, length, 0}));
  }
  Random random(2);
  for (int trial = 0; trial < 50; ++trial) {
    std::vector<std::uint64_t> lengths(1 + below(random, 500));
    for (std::uint64_t& length : lengths) length = below(random, 3) == 0 ? 0 : below(random, 1 + below(random, 1000));
    check_documents(Lengths(lengths));
  }
}

TEST_CASE("documents: a million empty ones") { check_documents(Lengths(std::vector<std::uint64_t>(1'000'000, 0))); }

TEST_CASE("documents: begins that do not ascend are refused, numbers too large are not followed") {
  const TemporaryFolder folder;
  Lengths lengths({300, 5, 300});
  lengths.begins[1] = 400;
  lengths.blocks[1] = 4'000'000'000;
  const Documents documents = lengths.documents(folder);
  CHECK(documents.span(0) == Interval{0, 399});
  CHECK(refusal([&] { documents.span(1); }) == ErrorCode::kIndexFormat);
  for (Position position = 0; position < lengths.document_at.size(); ++position) CHECK(documents.at(position) < 3);
}

}  // namespace
}  // namespace anygram
