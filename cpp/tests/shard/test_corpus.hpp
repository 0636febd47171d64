// Corpora for the tests of shards and queries, and what is true of them by brute force.
#pragma once

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <anygram/index.hpp>
#include <anygram/shard/shard_builder.hpp>

#include "storage/temporary_folder.hpp"
#include "suffix/test_texts.hpp"

namespace anygram::testing {

using Symbols = std::vector<Symbol>;
using Corpus = std::vector<Symbols>;  // documents, without their ends

// The code with which something is refused; nothing if it is not.
inline std::optional<ErrorCode> refusal(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.code();
  }
  return {};
}

inline void append_documents(TokenSpool& spool, const Corpus& corpus) {
  std::vector<std::uint32_t> tokens;
  std::vector<std::int64_t> lengths;
  for (const Symbols& document : corpus) {
    for (const Symbol symbol : document) tokens.push_back(symbol - 1);
    lengths.push_back(static_cast<std::int64_t>(document.size()));
  }
  spool.append(tokens, lengths);
}

// Shards of a corpus in a folder of their own.
class BuiltShards {
 public:
  explicit BuiltShards(const Corpus& corpus, std::uint64_t num_shards = 1, const ShardBuilderOptions& options = small(),
                       LoadMode load = LoadMode::kMmap) {
    TokenSpool spool(folder_.path(), width_for(options.vocab_size));
    append_documents(spool, corpus);
    spool.close();
    StopSignal stop;
    for (const DocumentRun& run : spool.cut(num_shards)) {
      const std::string path = shard_folder(shards_.size());
      std::filesystem::create_directory(path);
      ShardBuilder builder(path, options);
      builder.write_tokens(spool, run, stop, {});
      builder.sort(stop, {});
      checksums_.push_back(builder.finish());
      shards_.push_back(open_shard(path, load));
    }
  }

  // A vocabulary of one byte, files that need not reach the disk.
  static ShardBuilderOptions small() { return {.vocab_size = 20, .sync = false}; }

  Shards shards() const { return shards_; }
  const Shard& operator[](std::size_t shard) const { return *shards_[shard]; }
  std::string shard_folder(std::size_t shard) const { return folder_.file(std::to_string(shard)); }
  const std::vector<std::uint32_t>& checksums() const { return checksums_; }

 private:
  TemporaryFolder folder_;
  std::vector<std::shared_ptr<const Shard>> shards_;
  std::vector<std::uint32_t> checksums_;
};

// Answers by looking at everything.
class Oracle {
 public:
  explicit Oracle(Corpus corpus) : corpus_(std::move(corpus)) {
    for (const Symbols& document : corpus_) {
      stream_.insert(stream_.end(), document.begin(), document.end());
      stream_.push_back(kDocumentEnd);
    }
  }

  const Corpus& corpus() const { return corpus_; }
  const Symbols& stream() const { return stream_; }
  std::uint64_t num_documents() const { return corpus_.size(); }
  std::uint64_t num_tokens() const { return stream_.size() - corpus_.size(); }

  // Calls receive(document, offset) for each occurrence; the empty n-gram has one at each token.
  template <class Receive>
  void for_each_occurrence(Ngram ngram, const Receive& receive) const {
    for (std::size_t document = 0; document < corpus_.size(); ++document) {
      const Symbols& symbols = corpus_[document];
      for (std::size_t begin = 0; begin < symbols.size() && begin + ngram.size() <= symbols.size(); ++begin) {
        if (std::equal(ngram.begin(), ngram.end(), symbols.begin() + static_cast<std::ptrdiff_t>(begin))) {
          receive(document, begin);
        }
      }
    }
  }

  std::uint64_t count(Ngram ngram) const {
    std::uint64_t count = 0;
    for_each_occurrence(ngram, [&](std::size_t, std::size_t) { ++count; });
    return count;
  }

  std::map<std::uint64_t, std::uint64_t> document_counts(Ngram ngram) const {
    std::map<std::uint64_t, std::uint64_t> counts;
    for_each_occurrence(ngram, [&](std::size_t document, std::size_t) { ++counts[document]; });
    return counts;
  }

  std::uint64_t longest_suffix(Ngram prompt) const {
    std::uint64_t length = 0;
    while (length < prompt.size() && count(prompt.last(length + 1)) > 0) ++length;
    return length;
  }

  // What follows a prompt, ascending by token, the end last.
  std::vector<Continuation> continuations(Ngram prompt) const {
    const auto less = [](Symbol a, Symbol b) { return token_less(a, b); };
    std::map<Symbol, std::uint64_t, decltype(less)> counts(less);
    for_each_occurrence(prompt, [&](std::size_t document, std::size_t begin) {
      const Symbols& symbols = corpus_[document];
      const std::size_t next = begin + prompt.size();
      ++counts[next < symbols.size() ? symbols[next] : kDocumentEnd];
    });
    if (prompt.empty() && num_documents() > 0) counts[kDocumentEnd] = num_documents();
    std::vector<Continuation> result;
    for (const auto& [symbol, count] : counts) result.push_back({symbol, count});
    return result;
  }

  // The longest match at each position of a text, by the common prefixes of all pairs of positions.
  std::vector<std::uint64_t> longest_matches(Ngram text) const {
    std::vector<std::uint64_t> longest(text.size(), 0);
    std::vector<std::uint64_t> shared(stream_.size() + 1, 0);  // of text[i + 1 ..] with each suffix, then of text[i ..]
    for (std::size_t i = text.size(); i-- > 0;) {
      for (std::size_t position = 0; position < stream_.size(); ++position) {
        const bool equal = stream_[position] == text[i] && text[i] != kDocumentEnd;
        shared[position] = equal ? shared[position + 1] + 1 : 0;
        longest[i] = std::max(longest[i], shared[position]);
      }
    }
    return longest;
  }

 private:
  Corpus corpus_;
  Symbols stream_;
};

inline std::uint64_t total_count(std::span<const Continuation> continuations) {
  std::uint64_t total = 0;
  for (const Continuation& continuation : continuations) total += continuation.count;
  return total;
}

// The most frequent first, the smaller token among equals.
inline void sort_by_frequency(std::vector<Continuation>& continuations) {
  std::ranges::sort(continuations, [](const Continuation& a, const Continuation& b) {
    return a.count != b.count ? a.count > b.count : token_less(a.symbol, b.symbol);
  });
}

inline Symbols random_symbols(Random& random, std::size_t size, Symbol largest) {
  Symbols symbols(size);
  for (Symbol& symbol : symbols) symbol = static_cast<Symbol>(below(random, largest) + 1);
  return symbols;
}

// Up to `num_documents` random documents of up to `length` symbols, some of them empty.
inline Corpus random_corpus(Random& random, std::size_t num_documents, std::size_t length, Symbol largest) {
  Corpus corpus(1 + below(random, num_documents));
  for (Symbols& document : corpus) document = random_symbols(random, below(random, length + 1), largest);
  return corpus;
}

// A part of some document, of up to `length` symbols; empty if the document is.
inline Symbols random_excerpt(Random& random, const Corpus& corpus, std::size_t length) {
  const Symbols& document = corpus[below(random, corpus.size())];
  if (document.empty()) return {};
  const std::size_t begin = below(random, document.size());
  const std::size_t size = std::min<std::size_t>(document.size() - begin, below(random, length + 1));
  return {document.begin() + static_cast<std::ptrdiff_t>(begin),
          document.begin() + static_cast<std::ptrdiff_t>(begin + size)};
}

inline Symbols joined(const Symbols& first, const Symbols& second) {
  Symbols result = first;
  result.insert(result.end(), second.begin(), second.end());
  return result;
}

// Documents with long repeats, as crawls have them: a whole copy, copies with single edits, a periodic one, parts of
// one.
inline Corpus repetitive_corpus(Random& random, std::size_t length, Symbol largest) {
  const Symbols original = random_symbols(random, length, largest);
  Corpus corpus{original, random_symbols(random, length / 2, largest), original, {}};
  for (int copy = 0; copy < 2; ++copy) {
    Symbols edited = original;
    edited[below(random, length)] = static_cast<Symbol>(below(random, largest) + 1);
    corpus.push_back(edited);
  }
  corpus.push_back({original.begin() + static_cast<std::ptrdiff_t>(length / 4), original.end()});
  Symbols periodic_part = periodic(length, 3);
  periodic_part.pop_back();
  corpus.push_back(joined(periodic_part, original));
  return corpus;
}

struct NgramArrays {
  Symbols symbols;
  std::vector<std::int64_t> offsets{0};

  explicit NgramArrays(const std::vector<Symbols>& ngrams) {
    for (const Symbols& ngram : ngrams) {
      symbols.insert(symbols.end(), ngram.begin(), ngram.end());
      offsets.push_back(static_cast<std::int64_t>(symbols.size()));
    }
  }
  NgramList list() const { return {{symbols.data(), symbols.size(), TokenType::kSymbol}, offsets}; }
};

}  // namespace anygram::testing
