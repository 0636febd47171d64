#include <anygram/shard/suffix_table.hpp>

#include <cstring>
#include <fstream>
#include <numeric>
#include <random>

#include <doctest/doctest.h>

#include <anygram/shard/infini_gram_tokens.hpp>

#include "shard/test_corpus.hpp"

namespace anygram {
namespace {

using namespace anygram::testing;

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

std::string packed(const std::vector<std::uint64_t>& numbers, std::size_t bytes) {
  std::string all;
  for (const std::uint64_t number : numbers) all.append(reinterpret_cast<const char*>(&number), bytes);
  return all;
}

// All suffixes of the tokens, sorted one by one.
template <class Less>
std::vector<std::uint64_t> naive_order(std::size_t num_tokens, const Less& less) {
  std::vector<std::uint64_t> order(num_tokens);
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), less);
  return order;
}

std::string naive_infini_gram(const std::string& file, std::size_t width) {
  const std::size_t size = file.size() / width;
  std::vector<std::uint64_t> order = naive_order(size, [&](std::uint64_t left, std::uint64_t right) {
    return file.compare(left * width, std::string::npos, file, right * width, std::string::npos) < 0;
  });
  for (std::uint64_t& position : order) position *= width;
  return packed(order, static_cast<std::size_t>(infini_gram_pointer_bytes(file.size())));
}

std::string naive_tokengrams(const std::string& file, std::size_t width) {
  std::vector<std::uint64_t> tokens(file.size() / width);
  for (std::size_t i = 0; i < tokens.size(); ++i) std::memcpy(&tokens[i], file.data() + i * width, width);
  return packed(naive_order(tokens.size(),
                            [&](std::uint64_t left, std::uint64_t right) {
                              const auto at = [&](std::uint64_t place) {
                                return tokens.begin() + static_cast<std::ptrdiff_t>(place);
                              };
                              return std::lexicographical_compare(at(left), tokens.end(), at(right), tokens.end());
                            }),
                8);
}

TEST_CASE("suffix table: pointers are as wide as the largest offset needs") {
  CHECK(infini_gram_pointer_bytes(0) == 1);
  CHECK(infini_gram_pointer_bytes(1) == 1);
  CHECK(infini_gram_pointer_bytes(256) == 1);
  CHECK(infini_gram_pointer_bytes(257) == 2);
  CHECK(infini_gram_pointer_bytes(65536) == 2);
  CHECK(infini_gram_pointer_bytes(65537) == 3);
  CHECK(infini_gram_pointer_bytes((std::uint64_t{1} << 32) + 1) == 5);
}

TEST_CASE("suffix table: every order, width and format is that of sorting one by one") {
  std::mt19937 random(7);
  const TemporaryFolder folder;
  const std::string tokens_path = folder.path() + "/tokens", table_path = folder.path() + "/table";
  // Letters on both sides of each byte, with tokens whose order by bytes is another than by number.
  const std::vector<std::uint64_t> letters{0, 1, 2, 255, 256, 257, 65534, 65535, 65536, 1U << 22, (1U << 22) + 1, ~0U};
  StopSignal stop;
  for (const std::size_t width : {1U, 2U, 4U}) {
    for (int round = 0; round < 8; ++round) {
      const std::size_t num_letters = 1 + random() % letters.size();
      std::vector<std::uint64_t> tokens(random() % 300);
      for (std::uint64_t& token : tokens) token = letters[random() % num_letters];
      const std::string file = packed(tokens, width);
      write_file(tokens_path, file);
      for (const TableFormat format : {TableFormat::kInfiniGram, TableFormat::kTokengrams}) {
        const auto counts = write_suffix_table(
            tokens_path, table_path,
            {.format = format, .token_bytes = static_cast<int>(width), .threads = 1 + round % 2U, .sync = false}, stop);
        const bool is_infini_gram = format == TableFormat::kInfiniGram;
        CHECK(read_file(table_path) ==
              (is_infini_gram ? naive_infini_gram(file, width) : naive_tokengrams(file, width)));
        std::map<std::uint64_t, std::uint64_t> expected, found;
        for (const std::uint64_t token : tokens) {
          std::uint64_t kept = 0;
          std::memcpy(&kept, &token, width);
          ++expected[kept];
        }
        for (const TokenCount& entry : counts) found[entry.token] = entry.count;
        CHECK(found == expected);
        CHECK(found.size() == counts.size());
      }
    }
  }
}

TEST_CASE("suffix table: what cannot be is refused") {
  const TemporaryFolder folder;
  const std::string tokens_path = folder.path() + "/tokens", table_path = folder.path() + "/table";
  StopSignal stop;
  const auto code = [&](const SuffixTableOptions& options) {
    return refusal([&] { write_suffix_table(tokens_path, table_path, options, stop); });
  };
  CHECK(code({}) == ErrorCode::kIndexNotFound);
  write_file(tokens_path, "abc");
  CHECK(code({.token_bytes = 2}) == ErrorCode::kInvalidArgument);
  CHECK(code({.token_bytes = 3}) == ErrorCode::kInvalidArgument);
  CHECK(code({.token_bytes = 1, .memory = least_table_memory(3, 3) - 1}) == ErrorCode::kLimit);
  CHECK_FALSE(code({.token_bytes = 1, .memory = least_table_memory(3, 3)}));
  CHECK(read_file(table_path) == std::string("\0\1\2", 3));
  stop.stop();
  CHECK(code({.token_bytes = 1}) == ErrorCode::kStopped);
}

TEST_CASE("infini-gram's tokens: separators before documents, offsets of them") {
  const TemporaryFolder folder;
  const std::string tokens = folder.path() + "/tokenized.0", offsets = folder.path() + "/offset.0";
  for (const std::size_t width : {1U, 2U, 4U}) {
    const std::uint64_t end = (std::uint64_t{1} << (8 * width)) - 1;
    for (const bool reversed : {false, true}) {
      InfiniGramTokens writer(tokens, offsets, static_cast<int>(width), reversed);
      const auto append = [&](const std::vector<std::uint32_t>& ids, const std::vector<std::int64_t>& lengths) {
        writer.append(ids, lengths);
      };
      append({1, 2, 3}, {0, 3});
      append({static_cast<std::uint32_t>(end - 1)}, {1, 0});
      CHECK(refusal([&] { append({0, static_cast<std::uint32_t>(end)}, {1, 1}); }) == ErrorCode::kInvalidArgument);
      CHECK(refusal([&] { append({0}, {2}); }) == ErrorCode::kInvalidArgument);
      CHECK(refusal([&] { append({0}, {2, -1}); }) == ErrorCode::kInvalidArgument);
      CHECK(refusal([&] { append({0}, {}); }) == ErrorCode::kInvalidArgument);
      CHECK(writer.num_documents() == 4);
      CHECK(writer.num_tokens() == 8);
      writer.close(false);
      const std::uint64_t first = reversed ? 3 : 1;
      CHECK(read_file(tokens) == packed({end, end, first, 2, 4 - first, end, end - 1, end}, width));
      CHECK(read_file(offsets) == packed({0, width, 5 * width, 7 * width}, 8));
    }
  }
  CHECK(refusal([&] { InfiniGramTokens(tokens, offsets, 3, false); }) == ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace anygram
