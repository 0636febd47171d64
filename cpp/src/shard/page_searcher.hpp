// How n-grams are found by clustered pages: many at a time in lockstep, so that their cache misses, or their reads from
// the disk, overlap.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include <anygram/base/interval.hpp>
#include <anygram/shard/shard.hpp>
#include <anygram/shard/unigrams.hpp>
#include <anygram/suffix/key.hpp>
#include <anygram/suffix/search.hpp>

#include "bound_search.hpp"
#include "page_order.hpp"
#include "page_walk.hpp"
#include "symbol_changes.hpp"

namespace anygram {

template <int Width>
class PageSearcher {
 public:
  using Order = PageOrder;

  PageSearcher(const StreamView<Width>& stream, const PageOrder& order, const Unigrams& unigrams,
               std::uint64_t vocab_size)
      : stream_(stream),
        order_(order),
        unigrams_(unigrams),
        bounds_(stream, order),
        vocab_size_(vocab_size),
        format_(KeyFormat::for_largest(static_cast<Symbol>(vocab_size))) {}

  // At most kLanes n-grams.
  void find(std::span<const Ngram> ngrams, std::span<Interval> intervals) const;

  // At most kLanes starts. The first `lengths[i]` symbols at starts[i] are matched, at most kMaxShared, none of which
  // is above vocab_size.
  void longest_matches(const PackedText<Width>& text, std::span<const std::uint64_t> starts,
                       std::span<const std::uint64_t> lengths, std::span<LongestMatch> matches) const;

  // At most kLanes contexts of the text, none empty.
  void expand(const PackedText<Width>& text, std::span<const Context> contexts, std::span<Interval> intervals) const;

  // The longest match among the suffixes of `interval`, which share `known` symbols with the text.
  LongestMatch longest_within(const PackedText<Width>& text, std::uint64_t start, std::uint64_t length,
                              Interval interval, std::uint64_t known) const {
    return bounds_.longest_within(text.at(start), length, interval, known);
  }

  // The part of `interval`, whose suffixes share their first `depth` symbols, that has `symbol` next.
  Interval narrow(Interval interval, std::uint64_t depth, Symbol symbol) const;

  // What follows those symbols.
  void continuations(Interval interval, std::uint64_t depth, std::vector<Continuation>& result) const;

  bool occurs(Symbol symbol) const { return symbol != kDocumentEnd && symbol <= vocab_size_; }

 private:
  // A text of 1 to kMaxShared symbols on its way to where it stands.
  struct Lane {
    const std::byte* text = nullptr;
    std::uint64_t length = 0;
    KeyPair smallest;  // keys of suffixes that start with it
    KeyPair largest;
    std::uint64_t less_pages = 0;   // pages whose first suffix is less by its keys
    std::uint64_t up_to_pages = 0;  // and those, and those whose first suffix may start with it
    std::uint64_t less = 0;         // the same of samples
    std::uint64_t up_to = 0;
    PageWalk walk;
    Rank first_rank = 0;       // of the walk's first suffix
    std::uint64_t stride = 1;  // ranks between its suffixes
    bool walks = false;
    bool matched = false;
    Rank rank = 0;  // of a suffix that starts with the text, if matched; else of the first that is not less
  };

  template <std::size_t Most>
  void find_group(std::span<const Ngram> ngrams, std::span<Interval> intervals) const;
  void set_keys(Lane& lane) const;
  // Finds less_pages and up_to_pages, less and up_to.
  void find_pages(std::span<Lane> lanes) const;
  void narrow_pages(Lane& lane) const;
  void find_samples(std::span<Lane> lanes) const;
  void begin_walk(Lane& lane) const;
  void begin_page_walk(Lane& lane, std::uint64_t page, std::uint64_t low_shared, std::uint64_t high_shared) const;
  void end_walk(Lane& lane) const;
  void compare(Lane& lane, Position position) const;
  // All of it.
  void locate(std::span<Lane> lanes) const;

  KeyPair sample_keys(std::uint64_t sample) const;
  std::uint64_t shared_with_keys(const Lane& lane, const KeyPair& keys) const;

  // The ranks around `rank` that share `length` symbols with it, which is from 1 to kMaxShared.
  Interval around(Rank rank, std::uint64_t length) const { return {begin_of(rank, length), end_of(rank, length)}; }
  Rank begin_of(Rank rank, std::uint64_t length) const;
  Rank end_of(Rank rank, std::uint64_t length) const;

  std::uint64_t symbols_per_key() const { return static_cast<std::uint64_t>(format_.symbols_per_key); }

  const StreamView<Width>& stream_;
  const PageOrder& order_;
  const Unigrams& unigrams_;
  BoundSearch<Width, PageOrder> bounds_;
  std::uint64_t vocab_size_;
  KeyFormat format_;
};

extern template class PageSearcher<1>;
extern template class PageSearcher<2>;
extern template class PageSearcher<3>;
extern template class PageSearcher<4>;

}  // namespace anygram
