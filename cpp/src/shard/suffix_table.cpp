#include <anygram/shard/suffix_table.hpp>

#include <algorithm>
#include <cstring>
#include <span>
#include <unordered_map>

#include <anygram/base/little_endian.hpp>
#include <anygram/base/thread_pool.hpp>
#include <anygram/shard/unigram_counter.hpp>
#include <anygram/storage/file_writer.hpp>
#include <anygram/storage/mapped_file.hpp>
#include <anygram/storage/write_behind.hpp>
#include <anygram/suffix/sort.hpp>
#include <anygram/suffix/work_array.hpp>

namespace anygram {
namespace {

constexpr std::uint64_t kSliceTokens = std::uint64_t{1} << 20;
constexpr std::uint64_t kRankedInTable = std::uint64_t{1} << 22;  // larger tokens are looked up in a map
constexpr unsigned kCountingThreads = 4;                          // each has a table of 4 bytes for each of them
constexpr std::uint64_t kTableBytes = kRankedInTable * sizeof(Symbol);

// A token as the number that compares as its bytes do, from the first on.
std::uint32_t by_bytes(std::uint32_t token, int token_bytes) {
  return __builtin_bswap32(token) >> (32 - 8 * token_bytes);
}

std::uint64_t largest_token(int token_bytes) { return (std::uint64_t{1} << (8 * token_bytes)) - 1; }

// The file's tokens, of 1, 2 or 4 bytes.
class TokenFile {
 public:
  TokenFile(const std::string& path, int token_bytes) : file_(path), token_bytes_(token_bytes) {
    if (token_bytes != 1 && token_bytes != 2 && token_bytes != 4)
      throw Error(ErrorCode::kInvalidArgument, "a token of such a file has 1, 2 or 4 bytes");
    if (file_.bytes().size() % static_cast<std::uint64_t>(token_bytes) != 0)
      throw Error(ErrorCode::kInvalidArgument, path + ": " + std::to_string(file_.bytes().size()) +
                                                   " bytes are no whole number of tokens of " +
                                                   std::to_string(token_bytes) + " bytes");
    if (size() >= kMaxStreamLength)
      throw Error(ErrorCode::kLimit, path + ": a table holds at most 2^32 - 1 tokens, and " + std::to_string(size()) +
                                         " are there: cut the corpus into more shards");
  }

  std::uint64_t num_bytes() const { return file_.bytes().size(); }
  std::uint64_t size() const { return num_bytes() / static_cast<std::uint64_t>(token_bytes_); }
  int token_bytes() const { return token_bytes_; }
  std::uint64_t num_slices() const { return (size() + kSliceTokens - 1) / kSliceTokens; }
  std::span<const std::byte> slice(std::uint64_t number) const {
    const std::uint64_t begin = number * kSliceTokens;
    const std::uint64_t count = std::min(kSliceTokens, size() - begin);
    const auto width = static_cast<std::uint64_t>(token_bytes_);
    return file_.bytes().subspan(begin * width, count * width);
  }

 private:
  MappedFile file_;
  int token_bytes_;
};

std::vector<TokenCount> count_tokens(const TokenFile& file, unsigned threads, StopSignal& stop) {
  UnigramCounter counter(largest_token(file.token_bytes()), std::min(threads, kCountingThreads));
  for (std::uint64_t slice = 0; slice < file.num_slices(); ++slice) {
    stop.poll();
    counter.add(file.slice(slice), file.token_bytes(), stop);
  }
  // The counter takes token 0 for a document's end, which it leaves out.
  std::vector<TokenCount> counts{{0, file.size()}};
  counter.for_each([&](Symbol token, std::uint64_t count) {
    counts.push_back({token, count});
    counts.front().count -= count;
  });
  if (counts.front().count == 0) counts.erase(counts.begin());
  return counts;
}

// Each token's symbol: its place in the order, from 1 up.
class Ranks {
 public:
  Ranks(const std::vector<TokenCount>& counts, const SuffixTableOptions& options)
      : table_(std::min(largest_token(options.token_bytes) + 1, kRankedInTable)) {
    std::vector<std::uint32_t> tokens;
    tokens.reserve(counts.size());
    for (const TokenCount& entry : counts) tokens.push_back(entry.token);
    if (options.format == TableFormat::kInfiniGram) {
      std::sort(tokens.begin(), tokens.end(), [&](std::uint32_t left, std::uint32_t right) {
        return by_bytes(left, options.token_bytes) < by_bytes(right, options.token_bytes);
      });
    }
    Symbol rank = kDocumentEnd;
    for (const std::uint32_t token : tokens) {
      ++rank;
      token < table_.size() ? table_[token] = rank : rare_[token] = rank;
    }
  }

  Symbol operator()(std::uint32_t token) const {
    return token < table_.size() ? table_[token] : rare_.find(token)->second;
  }

 private:
  std::vector<Symbol> table_;
  std::unordered_map<std::uint32_t, Symbol> rare_;
};

template <int From, int To>
void rank_slice(std::span<const std::byte> tokens, const Ranks& ranks, std::byte* to) {
  for (std::size_t i = 0; i < tokens.size() / From; ++i)
    store_symbol<To>(to + i * To, ranks(load_symbol<From>(tokens.data() + i * From)));
}

// The file as one document of ranks, whose end is the smallest symbol of all.
class RankedText {
 public:
  RankedText(const TokenFile& file, const std::vector<TokenCount>& counts, const SuffixTableOptions& options,
             StopSignal& stop)
      : width_(width_for(counts.size())),
        length_(file.size() + 1),
        bytes_(length_ * static_cast<std::uint64_t>(width_) + kStreamPadding) {
    const Ranks ranks(counts, options);
    const std::uint64_t slice_bytes = kSliceTokens * static_cast<std::uint64_t>(width_);
    run_parallel(file.num_slices(), options.threads, stop, [&](std::size_t slice) {
      with_width(width_, [&]<int To>() {
        std::byte* const to = bytes_.data() + slice * slice_bytes;
        if (file.token_bytes() == 1) rank_slice<1, To>(file.slice(slice), ranks, to);
        if (file.token_bytes() == 2) rank_slice<2, To>(file.slice(slice), ranks, to);
        if (file.token_bytes() == 4) rank_slice<4, To>(file.slice(slice), ranks, to);
      });
    });
    const std::uint64_t end = file.size() * static_cast<std::uint64_t>(width_);
    std::memset(bytes_.data() + end, 0, bytes_.size() - end);
  }

  TokenText text() const {
    return {.bytes = bytes_.span().first(bytes_.size() - kStreamPadding), .width = width_, .length = length_};
  }

 private:
  int width_;
  std::uint64_t length_;
  WorkArray<std::byte> bytes_;
};

// Writes positions as entries of `pointer_bytes` bytes each, in units of `factor`.
class TableWriter {
 public:
  TableWriter(const std::string& path, int pointer_bytes, std::uint64_t factor)
      : file_(path),
        pointer_bytes_(static_cast<std::size_t>(pointer_bytes)),
        factor_(factor),
        behind_([this](std::span<const std::byte> bytes) { file_.write(bytes); }) {}

  void append(std::span<const Position> positions) {
    constexpr std::size_t kAtOnce = std::size_t{1} << 14;
    while (!positions.empty()) {
      const auto piece = positions.first(std::min(kAtOnce, positions.size()));
      entries_.resize(piece.size() * pointer_bytes_ + sizeof(std::uint64_t));
      // Each store reaches into the entry after it, which is written next.
      std::byte* to = entries_.data();
      for (const Position position : piece) {
        store(to, position * factor_);
        to += pointer_bytes_;
      }
      behind_.append(std::span(entries_).first(piece.size() * pointer_bytes_));
      positions = positions.subspan(piece.size());
    }
  }

  void finish(bool sync) {
    behind_.drain();
    if (sync) file_.sync();
    file_.close();
  }

 private:
  FileWriter file_;
  std::size_t pointer_bytes_;
  std::uint64_t factor_;
  std::vector<std::byte> entries_;
  WriteBehind behind_;
};

}  // namespace

int infini_gram_pointer_bytes(std::uint64_t file_bytes) {
  int bytes = 1;
  while (bytes < 8 && ((file_bytes - 1) >> (8 * bytes)) != 0 && file_bytes != 0) ++bytes;
  return bytes;
}

std::uint64_t least_table_memory(std::uint64_t num_tokens, std::uint64_t num_distinct) {
  const auto width = static_cast<std::uint64_t>(width_for(num_distinct));
  return (num_tokens + 1) * width + kStreamPadding + kTableBytes + least_sort_memory(num_tokens + 1);
}

std::vector<TokenCount> write_suffix_table(const std::string& tokens_path, const std::string& table_path,
                                           const SuffixTableOptions& options, StopSignal& stop,
                                           const Progress& progress) {
  const TokenFile file(tokens_path, options.token_bytes);
  const bool is_infini_gram = options.format == TableFormat::kInfiniGram;
  const int pointer_bytes = is_infini_gram ? infini_gram_pointer_bytes(file.num_bytes()) : 8;
  TableWriter table(table_path, pointer_bytes,
                    is_infini_gram ? static_cast<std::uint64_t>(options.token_bytes) : std::uint64_t{1});
  const std::vector<TokenCount> counts = count_tokens(file, options.threads, stop);
  const std::uint64_t least = least_table_memory(file.size(), counts.size());
  if (options.memory != 0 && options.memory < least)
    throw Error(ErrorCode::kLimit, "sorting " + std::to_string(file.size()) + " tokens takes at least " +
                                       std::to_string(least) + " bytes of memory, and " +
                                       std::to_string(options.memory) +
                                       " are allowed: allow more, or cut the corpus into more shards");
  const RankedText ranked(file, counts, options, stop);
  const TokenText text = ranked.text();
  SortOptions sort_options{.threads = options.threads, .stop = &stop, .progress = progress};
  if (options.memory != 0) sort_options.memory = options.memory - text.bytes.size();
  sort_suffixes(text, sort_options, [&](const SortedRun& run) {
    table.append(run.positions);
    stop.poll();
  });
  table.finish(options.sync);
  return counts;
}

}  // namespace anygram
