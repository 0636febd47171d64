#include "page_searcher.hpp"

#include <limits>

namespace anygram {
namespace {

// Up to so many occurrences, all are looked at to see where the next symbol changes; beyond, halving costs less.
constexpr std::uint64_t kMostScanned = 4'000'000;

}  // namespace

template <int Width>
void PageSearcher<Width>::set_keys(Lane& lane) const {
  const auto range = [&](std::uint64_t begin) -> KeyRange {
    if (lane.length <= begin) return {0, format_.largest_key()};
    const auto known = static_cast<int>(std::min(symbols_per_key(), lane.length - begin));
    std::uint64_t key = 0;
    if (format_.bits >= 8 * Width) {
      // What follows the text in its buffer is in the key too, and masked below.
      key = load_key<Width>(lane.text, begin, format_);
    } else {
      // It may be symbols that no document has, too large for their fields: they would reach into those before.
      for (int i = 0; i < known; ++i) {
        key = (key << format_.bits) | load_symbol<Width>(lane.text + (begin + static_cast<std::uint64_t>(i)) * Width);
      }
      key <<= format_.key_bits() - known * format_.bits;
    }
    const std::uint64_t open = (std::uint64_t{1} << (format_.key_bits() - known * format_.bits)) - 1;
    return {key & ~open, key | open};
  };
  const KeyRange first = range(0);
  const KeyRange second = range(symbols_per_key());
  lane.smallest = {first.smallest, second.smallest};
  lane.largest = {first.largest, second.largest};
}

template <int Width>
void PageSearcher<Width>::find_pages(std::span<Lane> lanes) const {
  const KeyTree& tree = order_.tree();
  std::array<std::uint64_t, kLanes> bounds;
  std::array<std::uint64_t, kLanes> counts;
  for (std::size_t i = 0; i < lanes.size(); ++i) bounds[i] = lanes[i].smallest.first;
  tree.count_less(std::span(bounds).first(lanes.size()), std::span(counts).first(lanes.size()));
  // Mostly the pages that may begin with the text are none or a few, beside each other.
  constexpr std::uint64_t kFewPages = 8;
  std::array<std::size_t, kLanes> wide;
  std::size_t num_wide = 0;
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    Lane& lane = lanes[i];
    lane.less_pages = lane.up_to_pages = counts[i];
    const std::uint64_t end = std::min(order_.num_pages(), counts[i] + kFewPages);
    while (lane.up_to_pages < end && tree.key(lane.up_to_pages) <= lane.largest.first) ++lane.up_to_pages;
    if (lane.up_to_pages < end || end == order_.num_pages()) continue;
    if (lane.largest.first == std::numeric_limits<std::uint64_t>::max()) {
      lane.up_to_pages = order_.num_pages();
    } else {
      bounds[num_wide] = lane.largest.first + 1;
      wide[num_wide++] = i;
    }
  }
  if (num_wide > 0) {
    tree.count_less(std::span(bounds).first(num_wide), std::span(counts).first(num_wide));
    for (std::size_t k = 0; k < num_wide; ++k) {
      lanes[wide[k]].up_to_pages = std::max(counts[k], lanes[wide[k]].less_pages);
    }
  }
  for (Lane& lane : lanes) {
    if (lane.length > symbols_per_key()) narrow_pages(lane);
    if (lane.less_pages > 0) order_.prefetch_first_keys(lane.less_pages - 1);
    if (lane.up_to_pages > lane.less_pages) order_.prefetch_first_keys(lane.up_to_pages - 1);
  }
}

// Among pages of one first key the second one decides.
template <int Width>
void PageSearcher<Width>::narrow_pages(Lane& lane) const {
  const auto first_page = [&](std::uint64_t low, std::uint64_t high, auto is_before) {
    while (low < high) {
      const std::uint64_t middle = (low + high) / 2;
      if (is_before(order_.second_key(middle))) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  };
  const std::uint64_t end = lane.up_to_pages;
  lane.less_pages = first_page(lane.less_pages, end, [&](std::uint64_t key) { return key < lane.smallest.second; });
  lane.up_to_pages = first_page(lane.less_pages, end, [&](std::uint64_t key) { return key <= lane.largest.second; });
}

template <int Width>
void PageSearcher<Width>::find_samples(std::span<Lane> lanes) const {
  for (Lane& lane : lanes) {
    if (lane.less_pages == 0) continue;
    lane.less = order_.page(lane.less_pages - 1).count_less(lane.smallest.first);
    if (lane.length > symbols_per_key()) order_.prefetch_second_key(lane.less_pages - 1, lane.less);
  }
  for (Lane& lane : lanes) {
    if (lane.less_pages > 0) {
      const std::uint64_t number = lane.less_pages - 1;
      const PageView page = order_.page(number);
      while (lane.less < kSamplesPerPage && page.keys(lane.less) < lane.smallest) ++lane.less;
      lane.less = std::min(number * kSamplesPerPage + lane.less, order_.num_samples());
    }
    lane.up_to = lane.less;
    if (lane.up_to_pages > 0) {
      const std::uint64_t number = lane.up_to_pages - 1;
      const PageView page = order_.page(number);
      std::uint64_t sample = lane.up_to_pages > lane.less_pages ? 0 : lane.less - number * kSamplesPerPage;
      while (sample < kSamplesPerPage && page.keys(sample) <= lane.largest) ++sample;
      lane.up_to = std::clamp(number * kSamplesPerPage + sample, lane.less, order_.num_samples());
    }
    const Rank first = lane.less > 0 ? (lane.less - 1) * kRanksPerSample : 0;
    order_.prefetch_shared(first);
    if (lane.up_to == lane.less) {
      order_.prefetch(first);
    } else {
      const Rank last = (lane.up_to - 1) * kRanksPerSample;
      if (lane.length > 2 * symbols_per_key() && last / kRanksPerPage == first / kRanksPerPage) {
        for (Rank rank = first + 64; rank < last; rank += 64) order_.prefetch_shared(rank);
      }
      order_.prefetch_shared(last);
    }
  }
}

template <int Width>
KeyPair PageSearcher<Width>::sample_keys(std::uint64_t sample) const {
  const std::uint64_t page = sample / kSamplesPerPage;
  return sample % kSamplesPerPage == 0 ? order_.page_keys(page) : order_.page(page).keys(sample % kSamplesPerPage);
}

template <int Width>
std::uint64_t PageSearcher<Width>::shared_with_keys(const Lane& lane, const KeyPair& keys) const {
  const auto equal_symbols = [this](std::uint64_t difference) {
    return static_cast<std::uint64_t>((std::countl_zero(difference) - (64 - format_.key_bits())) / format_.bits);
  };
  std::uint64_t shared = 2 * symbols_per_key();
  if (keys.first != lane.smallest.first) {
    shared = equal_symbols(keys.first ^ lane.smallest.first);
  } else if (keys.second != lane.smallest.second) {
    shared = symbols_per_key() + equal_symbols(keys.second ^ lane.smallest.second);
  }
  return std::min(shared, lane.length);
}

// Which suffixes to look among, if the keys leave any open.
template <int Width>
void PageSearcher<Width>::begin_walk(Lane& lane) const {
  lane.walks = lane.matched = false;
  if (lane.up_to > lane.less && lane.length <= 2 * symbols_per_key()) {
    lane.matched = true;
    lane.rank = lane.less * kRanksPerSample;
    return;
  }
  const std::uint64_t high_shared =
      lane.up_to < order_.num_samples() ? shared_with_keys(lane, sample_keys(lane.up_to)) : 0;
  if (lane.up_to == 0) {  // the first suffix of all is greater
    lane.rank = 0;
    lane.walk = {.high_shared = high_shared};
    return;
  }
  const std::uint64_t low_page = lane.less > 0 ? (lane.less - 1) / kSamplesPerPage : 0;
  const std::uint64_t last_page = (lane.up_to - 1) / kSamplesPerPage;
  lane.walks = true;
  if (last_page == low_page) {
    const std::uint64_t low_shared = lane.less > 0 ? shared_with_keys(lane, sample_keys(lane.less - 1)) : 0;
    begin_page_walk(lane, low_page, low_shared, high_shared);
    return;
  }
  // Several pages begin with suffixes of the same keys: first find the page.
  const std::uint64_t end = last_page + 1;
  lane.first_rank = 0;
  lane.stride = kRanksPerPage;
  lane.walk = {.shared = order_.page_shared(),
               .low = lane.less > 0 ? low_page + 1 : 0,
               .high = end,
               .limit = order_.num_pages(),
               .low_shared = lane.less > 0 ? shared_with_keys(lane, order_.page_keys(low_page)) : 0,
               .high_shared = end < order_.num_pages() ? shared_with_keys(lane, order_.page_keys(end)) : 0};
  lane.walk.settle();
  if (lane.walk.done()) end_walk(lane);
}

// Within one page. The suffix before the walk's first shares low_shared symbols, that after its last high_shared.
template <int Width>
void PageSearcher<Width>::begin_page_walk(Lane& lane, std::uint64_t page, std::uint64_t low_shared,
                                          std::uint64_t high_shared) const {
  const Rank first = page * kRanksPerPage;
  const Rank end = first + order_.num_ranks(page);
  lane.first_rank = first;
  lane.stride = 1;
  const Rank low = lane.less > 0 ? (lane.less - 1) * kRanksPerSample + 1 : 0;
  const Rank high = lane.up_to * kRanksPerSample;
  lane.walk = {.shared = order_.page(page).shared(),
               .low = std::max(low, first) - first,
               .high = std::min(high, end) - first,
               .limit = end - first,
               .low_shared = low_shared,
               .high_shared = high_shared};
  lane.walk.settle();
  if (lane.walk.done()) end_walk(lane);
}

// The walk is done, and met no match. Over pages, it told the page; else the rank.
template <int Width>
void PageSearcher<Width>::end_walk(Lane& lane) const {
  if (lane.stride == 1 || lane.walk.low == 0) {
    lane.walks = false;
    lane.rank = lane.first_rank + lane.walk.low;
    return;
  }
  const std::uint64_t page = lane.walk.low - 1;
  const std::uint64_t first_sample = page * kSamplesPerPage;
  std::uint64_t low_shared = lane.walk.low_shared;
  std::uint64_t high_shared = lane.walk.high_shared;
  if (lane.less > first_sample + 1) low_shared = shared_with_keys(lane, sample_keys(lane.less - 1));
  if (lane.up_to < first_sample + kSamplesPerPage) {
    high_shared = lane.up_to < order_.num_samples() ? shared_with_keys(lane, sample_keys(lane.up_to)) : 0;
  }
  lane.less = std::max(lane.less, first_sample + 1);  // the page's first suffix is less
  begin_page_walk(lane, page, low_shared, high_shared);
}

template <int Width>
void PageSearcher<Width>::compare(Lane& lane, Position position) const {
  PageWalk& walk = lane.walk;
  const std::uint64_t shared = common_prefix<Width>(stream_, position, lane.text, walk.known(), lane.length);
  if (shared == lane.length) {
    lane.walks = false;
    lane.matched = true;
    lane.rank = lane.first_rank + walk.middle() * lane.stride;
    return;
  }
  walk.advance(stream_.symbol(position + shared) < load_symbol<Width>(lane.text + shared * Width), shared);
  if (walk.done()) end_walk(lane);
}

template <int Width>
void PageSearcher<Width>::locate(std::span<Lane> lanes) const {
  for (Lane& lane : lanes) set_keys(lane);
  find_pages(lanes);
  find_samples(lanes);
  std::array<Position, kLanes> positions;
  std::array<std::size_t, kLanes> active;
  std::size_t num_active = 0;
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    begin_walk(lanes[i]);
    if (lanes[i].walks) active[num_active++] = i;
  }
  const auto middle = [&](const Lane& lane) { return lane.first_rank + lane.walk.middle() * lane.stride; };
  while (num_active > 0) {
    for (std::size_t k = 0; k < num_active; ++k) order_.prefetch(middle(lanes[active[k]]));
    for (std::size_t k = 0; k < num_active; ++k) {
      const Lane& lane = lanes[active[k]];
      positions[k] = order_.position(middle(lane));
      stream_.prefetch(positions[k] + lane.walk.known());
      if (lane.stride == 1) order_.prefetch_shared(middle(lane));
    }
    std::size_t still_active = 0;
    for (std::size_t k = 0; k < num_active; ++k) {
      Lane& lane = lanes[active[k]];
      compare(lane, positions[k]);
      if (lane.walks) active[still_active++] = active[k];
    }
    num_active = still_active;
  }
}

template <int Width>
Rank PageSearcher<Width>::begin_of(Rank rank, std::uint64_t length) const {
  const auto fewer = static_cast<std::uint8_t>(length - 1);
  std::uint64_t page = rank / kRanksPerPage;
  std::size_t found = last_at_most(order_.page(page).shared(), 0, rank % kRanksPerPage + 1, fewer);
  if (found != kNoByte) return page * kRanksPerPage + found;
  // The page's first suffix starts with the text too, and the one before it.
  page = last_at_most(order_.page_shared(), 0, page + 1, fewer);
  if (page == kNoByte || page == 0) return 0;
  if (order_.page(page).shared()[0] <= fewer) return page * kRanksPerPage;
  found = last_at_most(order_.page(page - 1).shared(), 1, kRanksPerPage, fewer);
  return found == kNoByte ? page * kRanksPerPage : (page - 1) * kRanksPerPage + found;
}

template <int Width>
Rank PageSearcher<Width>::end_of(Rank rank, std::uint64_t length) const {
  const auto fewer = static_cast<std::uint8_t>(length - 1);
  const std::uint64_t page = rank / kRanksPerPage;
  std::uint64_t count = order_.num_ranks(page);
  std::size_t found = first_at_most(order_.page(page).shared(), rank % kRanksPerPage + 1, count, fewer);
  if (found < count || page + 1 == order_.num_pages()) return page * kRanksPerPage + found;
  const std::uint8_t* page_shared = order_.page_shared();
  if (page_shared[page + 1] <= fewer && order_.page(page + 1).shared()[0] <= fewer) return (page + 1) * kRanksPerPage;
  // The next page begins with the text; so do those up to the one that shares less with the page before it.
  const std::uint64_t next = first_at_most(page_shared, page + 2, order_.num_pages(), fewer);
  count = order_.num_ranks(next - 1);
  found = first_at_most(order_.page(next - 1).shared(), 1, count, fewer);
  return (next - 1) * kRanksPerPage + found;
}

template <int Width>
void PageSearcher<Width>::find(std::span<const Ngram> ngrams, std::span<Interval> intervals) const {
  // One question alone does not pay for the room of many.
  ngrams.size() == 1 ? find_group<1>(ngrams, intervals) : find_group<kLanes>(ngrams, intervals);
}

template <int Width>
template <std::size_t Most>
void PageSearcher<Width>::find_group(std::span<const Ngram> ngrams, std::span<Interval> intervals) const {
  std::array<std::size_t, Most> numbers;  // of the n-grams that need a search
  std::size_t num_lanes = 0;
  std::size_t num_symbols = 0;
  for (std::size_t i = 0; i < ngrams.size(); ++i) {
    const Ngram ngram = ngrams[i];
    if (ngram.empty()) {
      intervals[i] = {0, order_.size()};
    } else if (!std::ranges::all_of(ngram, [this](Symbol symbol) { return occurs(symbol); })) {
      intervals[i] = {0, 0};
    } else if (ngram.size() == 1) {
      intervals[i] = unigrams_.find(ngram[0]);
    } else {
      numbers[num_lanes++] = i;
      num_symbols += ngram.size();
    }
  }
  if (num_lanes == 0 || order_.size() == 0) {
    for (std::size_t k = 0; k < num_lanes; ++k) intervals[numbers[k]] = {0, 0};
    return;
  }
  constexpr std::size_t kFewBytes = 4096;
  std::array<std::byte, kFewBytes + kStreamPadding> few;
  std::vector<std::byte> many;
  std::byte* next = few.data();
  if (num_symbols * Width > kFewBytes) {
    many.resize(num_symbols * Width + kStreamPadding);
    next = many.data();
  }
  std::array<Lane, Most> lanes;
  for (std::size_t k = 0; k < num_lanes; ++k) {
    const Ngram ngram = ngrams[numbers[k]];
    lanes[k].text = next;
    lanes[k].length = std::min<std::uint64_t>(ngram.size(), kMaxShared);
    for (const Symbol symbol : ngram) {
      store_symbol<Width>(next, symbol);
      next += Width;
    }
  }
  std::fill_n(next, kStreamPadding, std::byte{0});
  locate(std::span(lanes).first(num_lanes));
  for (std::size_t k = 0; k < num_lanes; ++k) {
    Interval& interval = intervals[numbers[k]];
    const Lane& lane = lanes[k];
    if (!lane.matched) {
      interval = {lane.rank, lane.rank};
      continue;
    }
    // Samples that start with the text are known from the keys, so what is searched for lies around them.
    const Rank last =
        lane.length <= 2 * symbols_per_key() && lane.up_to > lane.less ? (lane.up_to - 1) * kRanksPerSample : lane.rank;
    interval = {begin_of(lane.rank, lane.length), end_of(last, lane.length)};
    const std::uint64_t length = ngrams[numbers[k]].size();
    if (length > kMaxShared) interval = bounds_.find_within(lane.text, length, interval, kMaxShared);
  }
}

template <int Width>
void PageSearcher<Width>::longest_matches(const PackedText<Width>& text, std::span<const std::uint64_t> starts,
                                          std::span<const std::uint64_t> lengths,
                                          std::span<LongestMatch> matches) const {
  std::array<Lane, kLanes> lanes;
  for (std::size_t k = 0; k < starts.size(); ++k) {
    lanes[k].text = text.at(starts[k]);
    lanes[k].length = lengths[k];
  }
  locate(std::span(lanes).first(starts.size()));
  for (std::size_t k = 0; k < starts.size(); ++k) {
    const Lane& lane = lanes[k];
    const PageWalk& walk = lane.walk;
    if (lane.matched) {
      matches[k] = {lane.length, lane.rank};
    } else if (walk.low_shared > walk.high_shared) {  // the longest match is a neighbour of where the text would stand
      matches[k] = {walk.low_shared, lane.rank - 1};
    } else {
      matches[k] = {walk.high_shared, lane.rank};
    }
  }
}

template <int Width>
void PageSearcher<Width>::expand(const PackedText<Width>& text, std::span<const Context> contexts,
                                 std::span<Interval> intervals) const {
  for (const Context& context : contexts) order_.prefetch_shared(context.rank);
  for (std::size_t i = 0; i < contexts.size(); ++i) {
    const Context& context = contexts[i];
    intervals[i] = around(context.rank, std::min<std::uint64_t>(context.length, kMaxShared));
    if (context.length > kMaxShared) {
      intervals[i] = bounds_.expand_within(text.at(context.begin), context.length, context.rank, intervals[i]);
    }
  }
}

template <int Width>
Interval PageSearcher<Width>::narrow(Interval interval, std::uint64_t depth, Symbol symbol) const {
  Rank low = interval.begin;
  Rank high = interval.end;
  while (low < high) {
    const Rank middle = (low + high) / 2;
    const Symbol found = stream_.symbol(order_.position(middle) + depth);
    if (found == symbol && depth < kMaxShared) {
      const Interval same = around(middle, depth + 1);
      return {std::max(same.begin, interval.begin), std::min(same.end, interval.end)};
    }
    if (found < symbol) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (depth < kMaxShared) return {low, low};
  high = interval.end;
  for (Rank end = low; end < high;) {
    const Rank middle = (end + high) / 2;
    if (stream_.symbol(order_.position(middle) + depth) <= symbol) {
      end = middle + 1;
    } else {
      high = middle;
    }
  }
  return {low, high};
}

// A symbol changes exactly where a suffix shares `depth` symbols with the one before it. What is found in a page is
// read two pages later, when it came from memory.
template <int Width>
void PageSearcher<Width>::continuations(Interval interval, std::uint64_t depth,
                                        std::vector<Continuation>& result) const {
  if (depth >= kMaxShared || interval.size() > kMostScanned) {
    list_changes(stream_, order_, interval, depth, result);
    return;
  }
  if (interval.empty()) return;
  const auto limit = static_cast<std::uint8_t>(depth);
  const std::uint8_t* page_shared = order_.page_shared();
  const std::uint64_t first_page = interval.begin / kRanksPerPage;
  const std::uint64_t last_page = (interval.end - 1) / kRanksPerPage;
  // Whether the symbol changes between the first suffixes of this page and the next.
  const auto has_changes = [&](std::uint64_t page) { return page == last_page || page_shared[page + 1] <= limit; };
  std::vector<Rank> ranks{interval.begin};
  std::vector<std::uint64_t> places;  // in the token stream
  std::vector<Symbol> symbols;
  const auto find_places = [&](std::size_t end) {
    for (std::size_t i = places.size(); i < end; ++i) {
      places.push_back(order_.position(ranks[i]) + depth);
      stream_.prefetch(places[i]);
    }
  };
  const auto read = [&](std::size_t end) {
    for (std::size_t i = symbols.size(); i < end; ++i) symbols.push_back(stream_.symbol(places[i]));
  };
  const auto visit = [&](std::uint64_t page, std::size_t offset) {
    ranks.push_back(page * kRanksPerPage + offset);
    order_.prefetch(ranks.back());
  };
  for (std::uint64_t page = first_page; page <= last_page; ++page) {
    constexpr std::uint64_t kAhead = 2;
    if (page + kAhead <= last_page && has_changes(page + kAhead)) {
      const Rank ahead = (page + kAhead) * kRanksPerPage;
      for (std::uint64_t line = 0; line < kRanksPerPage; line += 64) order_.prefetch_shared(ahead + line);
    }
    const std::size_t found = ranks.size();
    const Rank first = page * kRanksPerPage;
    if (page > first_page && page_shared[page] <= limit && order_.page(page).shared()[0] <= limit) visit(page, 0);
    if (has_changes(page)) {
      const std::size_t begin = page == first_page ? interval.begin - first + 1 : 1;
      const std::size_t end = std::min(interval.end - first, order_.num_ranks(page));
      for_each_at_most(order_.page(page).shared(), begin, end, limit, [&](std::size_t offset) { visit(page, offset); });
    }
    read(places.size());
    find_places(found);
  }
  find_places(ranks.size());
  read(places.size());
  result.reserve(result.size() + ranks.size());
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    const Rank end = i + 1 < ranks.size() ? ranks[i + 1] : interval.end;
    result.push_back({symbols[i], end - ranks[i]});
  }
}

template class PageSearcher<1>;
template class PageSearcher<2>;
template class PageSearcher<3>;
template class PageSearcher<4>;

}  // namespace anygram
