#include <anygram/scan/gram_finder.hpp>

#include <algorithm>
#include <atomic>
#include <bit>
#include <utility>

#include <anygram/base/thread_pool.hpp>

namespace anygram {
namespace {

constexpr std::uint64_t kSizePerRun = std::uint64_t{1} << 17;
constexpr std::size_t kSymbolsAtOnce = std::size_t{1} << 16;
constexpr std::size_t kUnitsAtOnce = std::size_t{1} << 16;  // until it is asked whether to stop

// Texts that a thread takes at a time: each run ends where the next begins.
std::vector<std::size_t> run_begins(std::span<const std::uint64_t> sizes) {
  std::vector<std::size_t> begins{0};
  std::uint64_t size = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    size += sizes[i];
    if (size < kSizePerRun && i + 1 < sizes.size()) continue;
    begins.push_back(i + 1);
    size = 0;
  }
  return begins;
}

// Where characters begin, and where one more would.
void find_starts(std::span<const char> bytes, std::vector<std::uint64_t>& starts) {
  starts.clear();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if ((static_cast<unsigned char>(bytes[i]) & 0xC0) != 0x80) starts.push_back(i);
  }
  starts.push_back(bytes.size());
}

// Some grams by the hash of their bytes, and the lengths that they have, in units.
class KnownGrams {
 public:
  void assign(const GramTable& grams, std::span<const GramHit> hits) {
    const std::size_t size = std::bit_ceil(std::max<std::size_t>(2 * hits.size(), 64));
    slots_.assign(size, {});
    shift_ = 64 - std::countr_zero(size);
    lengths_.clear();
    for (const GramHit& hit : hits) {
      const auto bytes = grams.gram(hit.gram);
      const std::uint64_t hash = bytes_hash(bytes.data(), bytes.size());
      std::size_t slot = hash >> shift_;
      while (slots_[slot].known && slots_[slot].gram != hit.gram) slot = (slot + 1) & (size - 1);
      slots_[slot] = {hash, hit.gram, true};
      lengths_.push_back(grams.length(hit.gram));
    }
    std::sort(lengths_.begin(), lengths_.end());
    lengths_.erase(std::unique(lengths_.begin(), lengths_.end()), lengths_.end());
  }

  std::span<const std::size_t> lengths() const { return lengths_; }

  // Calls found(gram) for the gram that is these bytes, if there is one. May read 7 bytes past them.
  template <class Found>
  void find(const GramTable& grams, std::span<const char> bytes, const Found& found) const {
    const std::uint64_t hash = bytes_hash(bytes.data(), bytes.size());
    for (std::size_t slot = hash >> shift_; slots_[slot].known; slot = (slot + 1) & (slots_.size() - 1)) {
      if (slots_[slot].hash == hash && std::ranges::equal(grams.gram(slots_[slot].gram), bytes)) {
        return found(slots_[slot].gram);
      }
    }
  }

 private:
  struct Slot {
    std::uint64_t hash = 0;
    std::uint32_t gram = 0;
    bool known = false;
  };

  std::vector<Slot> slots_;
  std::vector<std::size_t> lengths_;
  int shift_ = 0;
};

}  // namespace

// A thread's memory.
struct GramFinder::Scratch {
  std::vector<Symbol> symbols;
  std::vector<char> bytes;
  NormalisedText normalised;
  std::vector<GramHit> hits;
  KnownGrams known;
  std::vector<std::uint64_t> starts;  // of characters
};

GramFinder::GramFinder(Normalisation normalisation, GramTable grams)
    : normalisation_(std::move(normalisation)), grams_(std::move(grams)) {}

void GramFinder::add_places(std::uint64_t text, Scratch& scratch, std::vector<GramPlace>& places,
                            StopSignal& stop) const {
  const NormalisedText& normalised = scratch.normalised;
  const bool characters = normalisation_.units() == Units::kCharacters;
  const std::size_t between = characters ? 0 : 1;
  const auto starts = characters ? std::span<const std::uint64_t>(scratch.starts) : normalised.starts();
  scratch.known.assign(grams_, scratch.hits);
  for (std::size_t unit = 0; unit + 1 < starts.size(); ++unit) {
    if (unit % kUnitsAtOnce == kUnitsAtOnce - 1) stop.look();
    const std::size_t before = places.size();
    for (const std::size_t length : scratch.known.lengths()) {
      if (unit + length >= starts.size()) break;
      const std::uint64_t begin = starts[unit];
      const auto bytes = normalised.bytes().subspan(begin, starts[unit + length] - between - begin);
      scratch.known.find(grams_, bytes, [&](std::uint32_t gram) { places.push_back({text, unit, gram}); });
    }
    std::sort(places.begin() + static_cast<std::ptrdiff_t>(before), places.end(),
              [](const GramPlace& a, const GramPlace& b) { return a.gram < b.gram; });
  }
}

GramPlaces GramFinder::find_each(std::span<const std::uint64_t> sizes, const Read& read, unsigned threads,
                                 StopSignal& stop) const {
  GramPlaces all;
  all.num_units.resize(sizes.size());
  all.num_bytes.resize(sizes.size());
  const std::vector<std::size_t> begins = run_begins(sizes);
  std::vector<std::vector<GramPlace>> found(begins.size() - 1);
  std::atomic<std::size_t> next{0};
  // Each thread keeps its memory from one run to the next.
  run_parallel(std::min<std::size_t>(threads, found.size()), threads, stop, [&](std::size_t) {
    Scratch scratch;
    for (std::size_t run = next++; run < found.size(); run = next++) {
      stop.look();
      std::vector<GramPlace>& places = found[run];
      for (std::size_t text = begins[run]; text < begins[run + 1]; ++text) {
        const std::span<const char> bytes = read(text, scratch);
        scratch.normalised.assign(normalisation_, bytes, &stop);
        if (normalisation_.units() == Units::kCharacters) find_starts(scratch.normalised.bytes(), scratch.starts);
        all.num_bytes[text] = bytes.size();
        all.num_units[text] = (normalisation_.units() == Units::kCharacters ? scratch.starts.size()
                                                                            : scratch.normalised.starts().size()) -
                              1;
        scratch.hits.clear();
        grams_.find(scratch.normalised, 0, scratch.hits, &stop);
        if (!scratch.hits.empty()) add_places(text, scratch, places, stop);
      }
    }
  });
  std::size_t number = 0;
  for (const auto& places : found) number += places.size();
  all.places.reserve(number);
  for (auto& places : found) {
    all.places.insert(all.places.end(), places.begin(), places.end());
    places = {};
  }
  return all;
}

GramPlaces GramFinder::find(std::span<const std::string_view> texts, unsigned threads, StopSignal& stop) const {
  std::vector<std::uint64_t> sizes;
  sizes.reserve(texts.size());
  for (const std::string_view text : texts) sizes.push_back(text.size());
  return find_each(sizes, [&](std::size_t text, Scratch&) { return std::span(texts[text]); }, threads, stop);
}

GramPlaces GramFinder::find(Shards shards, std::span<const ShardDocument> documents, const TokenTexts& texts,
                            unsigned threads, StopSignal& stop) const {
  std::vector<std::uint64_t> sizes;
  sizes.reserve(documents.size());
  for (const ShardDocument& one : documents) sizes.push_back(shards[one.shard]->document_span(one.document).size());
  const auto read = [&](std::size_t text, Scratch& scratch) {
    const ShardDocument& one = documents[text];
    const Interval span = shards[one.shard]->document_span(one.document);
    scratch.bytes.clear();
    for (std::uint64_t begin = span.begin; begin < span.end; begin += kSymbolsAtOnce) {
      if (begin != span.begin) {
        stop.look();
        texts.append_between(scratch.bytes);
      }
      scratch.symbols.resize(std::min<std::uint64_t>(kSymbolsAtOnce, span.end - begin));
      shards[one.shard]->symbols(begin, scratch.symbols);
      texts.append(scratch.symbols, scratch.bytes);
    }
    return std::span<const char>(scratch.bytes);
  };
  return find_each(sizes, read, threads, stop);
}

}  // namespace anygram
