// SA-IS (Nong, Zhang, Chan: Two Efficient Algorithms for Linear Time Suffix Array Construction), for a text of many
// documents.
//
// Each document end stands for a symbol of its own, smaller than all tokens, in the order of positions. So the order
// of the suffixes that begin at an end is known beforehand, they need no place in the array, and everything else is the
// textbook's: a suffix is S-type if it is smaller than the one that begins a symbol later, else L-type; an S-type one
// after an L-type one is an LMS suffix. LMS suffixes are sorted first (by sorting the pieces of text between them,
// naming these, and recursing on the names), the order of all others is induced from them.
//
// No suffix type is stored: in an array that is being induced, an entry of a bucket is L-type if it lies before the
// bucket's growing front and S-type if it lies behind its growing back.
#include <anygram/suffix/induced_sort.hpp>

#include <algorithm>
#include <cstring>
#include <vector>

#include <anygram/suffix/work_array.hpp>

namespace anygram {
namespace {

constexpr std::uint64_t kBlock = std::uint64_t{1} << 18;  // steps between two looks at the meter

template <int Width>
class InducedSorter {
 public:
  // `array` has text.length + 1 entries. The first of them, as many as there are tokens, become the suffix array.
  InducedSorter(const TokenText& text, Symbol largest_symbol, Position* array, WorkMeter& meter, std::uint64_t& work)
      : text_(text),
        bytes_(text.bytes.data()),
        largest_symbol_(largest_symbol),
        array_(array),
        empty_(static_cast<Position>(text.length - 1)),
        meter_(meter),
        work_(work) {}

  // Returns the number of suffixes.
  std::uint64_t sort() {
    count_symbols();
    clear(0);
    reset_backs();
    for_each_lms([&](Position position, std::uint64_t) { array_[--edge_[symbol(position)]] = position; });
    induce();
    const std::uint64_t num_lms = collect_lms();
    const std::uint64_t num_names = name_pieces(num_lms);
    if (num_names < num_lms) sort_by_names(num_lms, num_names);
    clear(num_lms);
    reset_backs();
    for (std::uint64_t i = num_lms; i-- > 0;) {
      const Position position = array_[i];
      array_[i] = empty_;
      array_[--edge_[symbol(position)]] = position;
      tick(i);
    }
    induce();
    return num_suffixes_;
  }

 private:
  Symbol symbol(std::uint64_t position) const { return symbol_at<Width>(bytes_, position); }

  void tick(std::uint64_t step) {
    if (step % kBlock != 0) return;
    work_ += kBlock;
    meter_.add(kBlock);
  }

  // Frees the entries from `begin` on.
  void clear(std::uint64_t begin) {
    for (std::uint64_t next; begin < num_suffixes_; begin = next) {
      next = std::min(num_suffixes_, begin + kBlock);
      std::fill(array_ + begin, array_ + next, empty_);
      meter_.add(0);
    }
  }

  // The array's entries from begin_[symbol] on belong to the suffixes that begin with the symbol.
  void count_symbols() {
    begin_.assign(std::size_t{largest_symbol_} + 2, 0);
    edge_.resize(std::size_t{largest_symbol_} + 1);
    for (std::uint64_t position = 0; position < text_.length; ++position) {
      ++begin_[std::size_t{symbol(position)} + 1];
      tick(position);
    }
    const std::uint64_t num_ends = begin_[1];
    num_suffixes_ = text_.length - num_ends;
    begin_[1] = 0;
    for (std::size_t i = 1; i < begin_.size(); ++i) begin_[i] += begin_[i - 1];
  }

  void reset_fronts() { std::copy(begin_.begin(), begin_.end() - 1, edge_.begin()); }
  void reset_backs() { std::copy(begin_.begin() + 1, begin_.end(), edge_.begin()); }

  // Calls visit(position, end of its piece) for each LMS suffix, from right to left. A piece reaches to the next LMS
  // suffix of the document; the last one's end is 0.
  template <class Visit>
  void for_each_lms(const Visit& visit) {
    Symbol next = kDocumentEnd;
    bool next_is_smaller_type = false;  // S
    std::uint64_t piece_end = 0;
    for (std::uint64_t position = text_.length; position-- > 0;) {
      tick(position);
      const Symbol here = symbol(position);
      if (here == kDocumentEnd) {
        next_is_smaller_type = false;
        piece_end = 0;
      } else {
        const bool is_smaller_type = here < next || (here == next && next_is_smaller_type);
        if (!is_smaller_type && next_is_smaller_type) {
          visit(static_cast<Position>(position + 1), piece_end);
          piece_end = position + 1;
        }
        next_is_smaller_type = is_smaller_type;
      }
      next = here;
    }
  }

  // From LMS suffixes at the backs of their buckets to the order of all.
  void induce() {
    reset_fronts();
    // The ends are the smallest suffixes, and sorted.
    Symbol before = kDocumentEnd;
    for (std::uint64_t position = 0; position < text_.length; ++position) {
      const Symbol here = symbol(position);
      if (here == kDocumentEnd && before != kDocumentEnd) array_[edge_[before]++] = static_cast<Position>(position - 1);
      before = here;
      tick(position);
    }
    for (std::uint64_t i = 0; i < num_suffixes_; ++i) {
      if (i + kAhead < num_suffixes_) prefetch_before(array_[i + kAhead]);
      induce_larger(i);
      tick(i);
    }
    reset_backs();
    for (std::uint64_t i = num_suffixes_; i-- > 0;) {
      if (i >= kAhead) prefetch_before(array_[i - kAhead]);
      induce_smaller(i);
      tick(i);
    }
  }

  // If the suffix before entry i's is L-type, it is the next of its bucket.
  void induce_larger(std::uint64_t i) {
    const Position position = array_[i];
    if (position == empty_ || position == 0) return;
    const Symbol here = symbol(position), before = symbol(position - 1);
    if (before == kDocumentEnd) return;
    if (before > here || (before == here && i < edge_[here])) array_[edge_[before]++] = position - 1;
  }

  // If the suffix before entry i's is S-type, it is the last of its bucket that has no place yet.
  void induce_smaller(std::uint64_t i) {
    const Position position = array_[i];
    if (position == 0) return;
    const Symbol here = symbol(position), before = symbol(position - 1);
    if (before == kDocumentEnd) return;
    if (before < here || (before == here && i >= edge_[here])) array_[--edge_[before]] = position - 1;
  }

  void prefetch_before(Position position) const {
    if (position != 0) __builtin_prefetch(bytes_ + std::uint64_t{position - 1} * Width);
  }

  // Moves the LMS suffixes, in the order of their pieces, to the front of the array; returns their number. After
  // induction the edges are where each bucket's S-type suffixes begin.
  std::uint64_t collect_lms() {
    std::uint64_t num_lms = 0;
    for (std::size_t bucket = 1; bucket <= largest_symbol_; ++bucket)
      for (std::uint64_t i = edge_[bucket]; i < begin_[bucket + 1]; ++i) {
        const Position position = array_[i];
        tick(i);
        if (position != 0 && symbol(position - 1) > bucket) array_[num_lms++] = position;
      }
    return num_lms;
  }

  // Gives equal pieces equal names, ascending from 1, and returns the largest. A name is stored by its position: LMS
  // suffixes are at least two apart, so half of it is a place of its own.
  std::uint64_t name_pieces(std::uint64_t num_lms) {
    Position* const names = array_ + num_lms;
    for_each_lms([&](Position position, std::uint64_t piece_end) {
      names[position / 2] = piece_end == 0 ? 0 : static_cast<Position>(piece_end - position);
    });
    std::uint64_t num_names = 0, previous_length = 0, previous = 0;
    for (std::uint64_t i = 0; i < num_lms; ++i) {
      const std::uint64_t position = array_[i];
      const std::uint64_t length = names[position / 2];
      // A document's last piece ends with its own end, and so equals no other.
      const bool equal = length != 0 && length == previous_length && equal_symbols(previous, position, length + 1);
      num_names += !equal;
      names[position / 2] = static_cast<Position>(num_names);
      previous = position;
      previous_length = length;
      tick(i);
    }
    return num_names;
  }

  bool equal_symbols(std::uint64_t a, std::uint64_t b, std::uint64_t length) {
    // In blocks, as one piece may be most of the text.
    for (std::uint64_t done = 0; done < length; done += kBlock) {
      if (done != 0) tick(done);
      const std::uint64_t size = std::min(kBlock, length - done);
      if (std::memcmp(bytes_ + (a + done) * Width, bytes_ + (b + done) * Width, size * Width) != 0) return false;
    }
    return true;
  }

  // Sorts the LMS suffixes as the suffixes of the text of their pieces' names, which is one document: the names of the
  // last pieces are unique, so no comparison goes on into the next document. The array has room for all of it, because
  // before and behind each LMS suffix there is an L-type one.
  void sort_by_names(std::uint64_t num_lms, std::uint64_t num_names) {
    const std::uint64_t names_length = num_lms + 1;
    Position* const names = array_ + (text_.length + 1 - names_length);
    names[num_lms] = kDocumentEnd;
    std::uint64_t place = num_lms;
    for_each_lms([&](Position position, std::uint64_t) {
      // From right to left, so that what is written has been read: its place is behind the place it comes from.
      names[--place] = array_[num_lms + position / 2];
    });
    std::vector<Position>().swap(begin_);
    std::vector<Position>().swap(edge_);
    const TokenText names_text{std::as_bytes(std::span<const Position>(names, names_length)), sizeof(Position),
                               names_length};
    InducedSorter<sizeof(Position)>(names_text, static_cast<Symbol>(num_names), array_, meter_, work_).sort();
    place = num_lms;
    for_each_lms([&](Position position, std::uint64_t) { names[--place] = position; });
    for (std::uint64_t i = 0; i < num_lms; ++i) {
      array_[i] = names[array_[i]];
      tick(i);
    }
    count_symbols();
  }

  static constexpr std::uint64_t kAhead = 32;

  const TokenText text_;
  const std::byte* const bytes_;
  const Symbol largest_symbol_;
  Position* const array_;
  const Position empty_;  // marks a free entry: the text's last position is an end, so no suffix of the array
  WorkMeter& meter_;
  std::uint64_t& work_;
  std::uint64_t num_suffixes_ = 0;
  std::vector<Position> begin_;
  std::vector<Position> edge_;
};

template <int Width>
SortStatistics sort_and_deliver(const TokenText& text, Symbol largest_symbol, WorkMeter& meter,
                                const SuffixSink& sink) {
  SortStatistics statistics;
  statistics.method = SortMethod::kInduced;
  WorkArray<Position> array(text.length + 1);
  InducedSorter<Width> sorter(text, largest_symbol, array.data(), meter, statistics.elements_induced);
  const std::uint64_t size = sorter.sort();
  if (size > 0) sink({0, {array.data(), size}});
  return statistics;
}

// Replaces symbols by their ranks among those that occur, so that there need be no bucket for any other.
template <int Width>
WorkArray<Symbol> compress(const TokenText& text, WorkMeter& meter, Symbol& largest_symbol) {
  std::vector<Symbol> occurring;
  occurring.reserve(text.length);
  for (std::uint64_t position = 0; position < text.length; ++position)
    occurring.push_back(symbol_at<Width>(text.bytes.data(), position));  // ends among them
  std::sort(occurring.begin(), occurring.end());
  occurring.erase(std::unique(occurring.begin(), occurring.end()), occurring.end());
  largest_symbol = static_cast<Symbol>(occurring.size() - 1);
  WorkArray<Symbol> compressed(text.length);
  for (std::uint64_t position = 0; position < text.length; ++position) {
    const Symbol symbol = symbol_at<Width>(text.bytes.data(), position);
    const auto place = std::lower_bound(occurring.begin(), occurring.end(), symbol);
    compressed[position] = static_cast<Symbol>(place - occurring.begin());
    if (position % kBlock == 0) meter.add(0);
  }
  return compressed;
}

}  // namespace

SortStatistics induced_sort(const TokenText& text, Symbol largest_symbol, WorkMeter& meter, const SuffixSink& sink) {
  return with_width(text.width, [&]<int Width>() {
    const bool sparse = largest_symbol / 4 > text.length + (std::uint64_t{1} << 14);
    if (!sparse) return sort_and_deliver<Width>(text, largest_symbol, meter, sink);
    Symbol num_occurring = 0;
    const WorkArray<Symbol> compressed = compress<Width>(text, meter, num_occurring);
    const TokenText compressed_text{std::as_bytes(compressed.span()), sizeof(Symbol), text.length};
    return sort_and_deliver<sizeof(Symbol)>(compressed_text, num_occurring, meter, sink);
  });
}

}  // namespace anygram
