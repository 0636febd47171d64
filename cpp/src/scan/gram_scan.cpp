#include <anygram/scan/gram_scan.hpp>

#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>

#include <anygram/base/error.hpp>
#include <anygram/base/thread_pool.hpp>

namespace anygram {
namespace {

constexpr std::uint64_t kSymbolsPerItem = std::uint64_t{1} << 16;

// Documents of one shard that a thread takes at a time.
struct Run {
  std::size_t shard = 0;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint64_t first = 0;  // the number of the shard's first document
  std::uint64_t tokens = 0;
};

std::vector<Run> runs_of(std::span<const std::shared_ptr<const Shard>> shards) {
  std::vector<Run> runs;
  std::uint64_t first = 0;
  for (std::size_t s = 0; s < shards.size(); ++s) {
    const std::uint64_t number = shards[s]->counts().num_documents;
    Run run{.shard = s, .first = first};
    for (std::uint64_t document = 0; document < number; ++document) {
      run.tokens += shards[s]->document_span(document).size();
      run.end = document + 1;
      if (run.tokens < kSymbolsPerItem && run.end < number) continue;
      runs.push_back(run);
      run = {.shard = s, .begin = run.end, .end = run.end, .first = first};
    }
    first += number;
  }
  return runs;
}

std::uint32_t group_of(std::uint64_t piece) { return static_cast<std::uint32_t>(piece >> 32); }
std::uint32_t place_of(std::uint64_t piece) { return static_cast<std::uint32_t>(piece); }

double score_of(const GramGroup& group, std::span<const std::uint64_t> pieces) {
  double score = 0;
  std::size_t i = 0;
  for (std::size_t part = 0; part < group.part_lengths.size(); ++part) {
    double covered = 0;
    double end = 0;
    for (; i < pieces.size() && group.pieces[place_of(pieces[i])].part == part; ++i) {
      const GramPiece& piece = group.pieces[place_of(pieces[i])];
      if (piece.end <= end) continue;
      covered += piece.end - std::max(piece.begin, end);
      end = piece.end;
    }
    score += covered / group.part_lengths[part];
  }
  return score / static_cast<double>(group.part_lengths.size());
}

std::size_t total_grams(std::span<const GramScan::Family> families) {
  std::size_t number = 0;
  for (const GramScan::Family& family : families) number += family.grams.size();
  if (number >= 0xFFFFFFFF) throw Error(ErrorCode::kLimit, "a scan looks for fewer than 2^32 - 1 grams");
  return number;
}

}  // namespace

GramScan::GramScan(std::vector<Family> families, std::vector<GramGroup> groups)
    : families_(std::move(families)), groups_given_(std::move(groups)), grams_(total_grams(families_)) {
  std::size_t first = 0;
  for (const Family& family : families_) {
    firsts_.push_back(static_cast<std::uint32_t>(first));
    first += family.grams.size();
  }
  piece_begins_.assign(num_grams() + 1, 0);
  for (const GramGroup& group : groups_given_) {
    for (const GramPiece& piece : group.pieces) {
      if (piece.gram >= num_grams() || piece.part >= group.part_lengths.size()) {
        throw Error(ErrorCode::kInvalidArgument, "a piece of no gram or part");
      }
      ++piece_begins_[first_equal(piece.gram) + 1];
    }
  }
  for (std::size_t i = 1; i < piece_begins_.size(); ++i) piece_begins_[i] += piece_begins_[i - 1];
  pieces_.resize(piece_begins_.back());
  std::vector<std::uint64_t> ends(piece_begins_.begin(), piece_begins_.end() - 1);
  for (std::size_t g = 0; g < groups_given_.size(); ++g) {
    for (std::size_t p = 0; p < groups_given_[g].pieces.size(); ++p) {
      const std::uint32_t gram = first_equal(groups_given_[g].pieces[p].gram);
      pieces_[ends[gram]++] = (std::uint64_t{g} << 32) | p;
    }
  }
}

std::uint32_t GramScan::first_equal(std::uint32_t gram) const {
  const auto family = std::upper_bound(firsts_.begin(), firsts_.end(), gram) - firsts_.begin() - 1;
  const auto number = static_cast<std::size_t>(family);
  return firsts_[number] + families_[number].grams.firsts()[gram - firsts_[number]];
}

// Memory that is taken up by one thread after the other.
class GramScan::Lease {
 public:
  explicit Lease(GramScan& scan) : scan_(scan) {
    const std::lock_guard lock(scan_.mutex_);
    if (scan_.free_.empty()) {
      scratch_ = std::make_unique<Scratch>();
    } else {
      scratch_ = std::move(scan_.free_.back());
      scan_.free_.pop_back();
    }
  }
  ~Lease() {
    const std::lock_guard lock(scan_.mutex_);
    scan_.free_.push_back(std::move(scratch_));
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  Scratch& scratch() const { return *scratch_; }

 private:
  GramScan& scan_;
  std::unique_ptr<Scratch> scratch_;
};

void GramScan::score_groups(std::uint64_t document, Scratch& scratch) const {
  auto& pieces = scratch.pieces;
  pieces.clear();
  for (const GramHit& hit : scratch.hits) {
    pieces.insert(pieces.end(), pieces_.begin() + static_cast<std::ptrdiff_t>(piece_begins_[hit.gram]),
                  pieces_.begin() + static_cast<std::ptrdiff_t>(piece_begins_[hit.gram + 1]));
  }
  std::sort(pieces.begin(), pieces.end());
  for (std::size_t begin = 0, end = 0; begin < pieces.size(); begin = end) {
    const std::uint32_t number = group_of(pieces[begin]);
    while (end < pieces.size() && group_of(pieces[end]) == number) ++end;
    const GramGroup& group = groups_given_[number];
    const auto held = std::span(pieces).subspan(begin, end - begin);
    const double score = score_of(group, held);
    GroupResult& result = scratch.groups[number];
    if (score >= group.minimum) result.documents.push_back({document, score});
    if (score < result.score || (score == result.score && !result.pieces.empty())) continue;
    result.score = score;
    result.document = document;
    result.pieces.clear();
    for (const std::uint64_t piece : held) result.pieces.push_back(place_of(piece));
  }
}

void GramScan::scan_document(std::uint64_t document, std::span<const char> bytes, Scratch& scratch,
                             StopSignal& stop) const {
  scratch.num_bytes += bytes.size();
  auto& hits = scratch.hits;
  hits.clear();
  for (std::size_t f = 0; f < families_.size(); ++f) {
    scratch.normalised.assign(families_[f].normalisation, bytes, &stop);
    families_[f].grams.find(scratch.normalised, firsts_[f], hits, &stop);
  }
  if (hits.empty()) return;
  std::sort(hits.begin(), hits.end(), [](const GramHit& a, const GramHit& b) { return a.gram < b.gram; });
  std::size_t distinct = 0;
  for (std::size_t begin = 0, end = 0; begin < hits.size(); begin = end) {
    const std::uint32_t gram = hits[begin].gram;
    std::uint64_t times = 0;
    for (; end < hits.size() && hits[end].gram == gram; ++end) times += hits[end].times;
    scratch.grams.add(gram, times, document);
    hits[distinct++].gram = gram;
  }
  hits.resize(distinct);
  if (!pieces_.empty()) score_groups(document, scratch);
}

void GramScan::merge(Scratch& scratch) {
  grams_.add(scratch.grams);
  const std::lock_guard lock(mutex_);
  num_bytes_ += std::exchange(scratch.num_bytes, 0);
  for (auto& [group, result] : scratch.groups) {
    GroupResult& all = groups_[group];
    const auto middle = static_cast<std::ptrdiff_t>(all.documents.size());
    all.documents.insert(all.documents.end(), result.documents.begin(), result.documents.end());
    const auto before = [](const GroupDocument& a, const GroupDocument& b) { return a.document < b.document; };
    std::inplace_merge(all.documents.begin(), all.documents.begin() + middle, all.documents.end(), before);
    const bool better =
        all.pieces.empty() || result.score > all.score || (result.score == all.score && result.document < all.document);
    if (!better) continue;
    all.score = result.score;
    all.document = result.document;
    all.pieces = std::move(result.pieces);
  }
  scratch.groups.clear();
}

void GramScan::scan_shards(std::span<const std::shared_ptr<const Shard>> shards, const TokenTexts& texts,
                           unsigned threads, StopSignal& stop, const Progress& progress) {
  const std::vector<Run> runs = runs_of(shards);
  std::uint64_t total = 0;
  for (const Run& run : runs) total += run.tokens;
  std::atomic<std::uint64_t> done{0};
  const auto caller = std::this_thread::get_id();
  run_parallel(runs.size(), threads, stop, [&](std::size_t item) {
    const Run& run = runs[item];
    const Lease lease(*this);
    Scratch& scratch = lease.scratch();
    for (std::uint64_t document = run.begin; document < run.end; ++document) {
      stop.check();
      const Interval span = shards[run.shard]->document_span(document);
      scratch.symbols.resize(span.size());
      shards[run.shard]->symbols(span.begin, scratch.symbols);
      scratch.bytes.clear();
      texts.append(scratch.symbols, scratch.bytes);
      scan_document(run.first + document, scratch.bytes, scratch, stop);
    }
    merge(scratch);
    done += run.tokens;
    if (progress && std::this_thread::get_id() == caller) progress(done, total);
  });
  if (progress) progress(total, total);
}

void GramScan::scan_texts(std::span<const std::string> texts, std::uint64_t first, unsigned threads, StopSignal& stop) {
  run_parallel(texts.size(), threads, stop, [&](std::size_t item) {
    const Lease lease(*this);
    Scratch& scratch = lease.scratch();
    scan_document(first + item, texts[item], scratch, stop);
    merge(scratch);
  });
}

}  // namespace anygram
