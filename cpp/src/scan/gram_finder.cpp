#include <anygram/scan/gram_finder.hpp>

#include <algorithm>
#include <atomic>
#include <tuple>
#include <utility>

#include <anygram/base/thread_pool.hpp>

namespace anygram {
namespace {

constexpr std::uint64_t kSizePerRun = std::uint64_t{1} << 17;
constexpr std::size_t kSymbolsAtOnce = std::size_t{1} << 16;

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

bool precedes(const GramPlace& a, const GramPlace& b) {
  return std::tie(a.text, a.unit, a.gram) < std::tie(b.text, b.unit, b.gram);
}

}  // namespace

GramFinder::GramFinder(Normalisation normalisation, GramTable grams)
    : normalisation_(std::move(normalisation)), grams_(std::move(grams)) {
  normalisation_.check();
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
        scratch.text.clear();
        append_code_points(bytes, scratch.text, &stop);
        scratch.normalised.assign(normalisation_, scratch.text, &stop);
        all.num_bytes[text] = bytes.size();
        all.num_units[text] = scratch.normalised.size();
        const auto before = static_cast<std::ptrdiff_t>(places.size());
        const auto add = [&](std::uint32_t gram, std::size_t unit) { places.push_back({text, unit, gram}); };
        grams_.find(scratch.normalised, scratch.sums, add, &stop);
        if (!std::is_sorted(places.begin() + before, places.end(), precedes)) {
          std::sort(places.begin() + before, places.end(), precedes);
        }
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
