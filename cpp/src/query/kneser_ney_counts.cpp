#include <anygram/query/kneser_ney_counts.hpp>

#include <algorithm>
#include <cstring>

#include <anygram/storage/section_writer.hpp>

#include "kneser_ney_scan.hpp"

namespace anygram {
namespace {

constexpr std::uint64_t kWord = sizeof(std::uint64_t);

// Words of the payload before the sizes by order, and where some of them stand.
constexpr std::uint64_t kIdWords = 2;
constexpr std::uint64_t kFixedWords = 18;
constexpr std::uint64_t kSizesPerOrder = 4;
constexpr std::uint64_t kWordsPerList = 2;

// A record lies within a cache line.
constexpr std::uint64_t kRecordAlignment = sizeof(NgramRecord);

// An n-gram that has no record is read occurrence by occurrence: no file may ask for more.
constexpr std::uint64_t kMostFew = 4096;
constexpr std::uint64_t kMostShift = 32;

// What a file says is at most this, so that sums of it do not overflow.
constexpr std::uint64_t kMostRecords = std::uint64_t{1} << 32;

std::uint64_t round_up(std::uint64_t offset, std::uint64_t unit) { return (offset + unit - 1) / unit * unit; }

std::uint64_t buckets_of(std::uint64_t ranks, std::uint64_t shift) { return (ranks >> shift) + 1; }

void put(std::span<std::uint64_t>& words, std::uint64_t value) {
  words.front() = value;
  words = words.subspan(1);
}

}  // namespace

KneserNeyCounts::KneserNeyCounts(std::uint64_t order, Shards shards) : order_(order), total_(total_counts(shards)) {
  for (const auto& shard : shards) shard_sizes_.push_back(shard->counts().num_tokens);
  totals_.sizes.resize(order + 1);
  tables_.resize((order - 1) * 2 * shards.size());
}

std::uint64_t KneserNeyCounts::head_words() const {
  return kFixedWords + kSizesPerOrder * order_ + kWordsPerList * tables_.size();
}

std::uint64_t KneserNeyCounts::lay_out() {
  unigrams_ = head_words() * kWord;
  std::uint64_t offset = unigrams_ + (total_.vocab_size + 1) * kWord;
  for (std::size_t i = 0; i < tables_.size(); ++i) {
    Table& table = tables_[i];
    table.num_buckets = buckets_of(shard_sizes_[i % shard_sizes_.size()], table.shift);
    table.buckets = offset;
    offset = round_up(offset + (table.num_buckets + 1) * sizeof(std::uint32_t), kRecordAlignment);
    table.records = offset;
    offset += table.num_records * sizeof(NgramRecord);
  }
  return offset;
}

void KneserNeyCounts::write_payload(std::span<const Part> parts) {
  for (std::size_t i = 0; i < tables_.size(); ++i) {
    Table& table = tables_[i];
    for (const Part& part : parts) table.num_records += part.records[i].size();
    const std::uint64_t most = std::max<std::uint64_t>(1, table.num_records);
    while (buckets_of(shard_sizes_[i % shard_sizes_.size()], table.shift) > most) ++table.shift;
  }
  memory_.resize(lay_out() / kWord);
  std::span<std::uint64_t> words = std::span(memory_).subspan(kIdWords);
  for (const std::uint64_t value : {order_, std::uint64_t{shard_sizes_.size()}, total_.num_tokens, total_.num_documents,
                                    total_.vocab_size, totals_.few, totals_.empty_documents, totals_.num_types}) {
    put(words, value);
  }
  for (const ContextCounts& counts : {totals_.root, totals_.root_start}) {
    put(words, counts.sum);
    for (const std::uint64_t size : counts.sizes) put(words, size);
  }
  for (std::size_t k = 1; k <= order_; ++k) {
    for (std::size_t n = 1; n <= kSizesPerOrder; ++n) put(words, totals_.sizes[k][n]);
  }
  for (const Table& table : tables_) {
    put(words, table.num_records);
    put(words, table.shift);
  }
  for (const Part& part : parts) {
    for (const Continuation& unigram : part.unigrams) words[unigram.symbol] = unigram.count;
  }
  auto* payload = reinterpret_cast<std::byte*>(memory_.data());
  for (std::size_t i = 0; i < tables_.size(); ++i) {
    const Table& table = tables_[i];
    std::byte* next = payload + table.records;
    std::uint32_t done = 0;
    std::uint64_t bucket = 0;
    const auto end_buckets = [&](std::uint64_t up_to) {
      for (; bucket < up_to; ++bucket) store(payload + table.buckets + bucket * sizeof(done), done);
    };
    for (const Part& part : parts) {
      for (const NgramRecord& record : part.records[i]) {
        end_buckets((record.begin >> table.shift) + 1);
        store(next, record);
        next += sizeof(NgramRecord);
        ++done;
      }
    }
    end_buckets(table.num_buckets + 1);
  }
}

void KneserNeyCounts::save(const std::string& path, const IndexId& id, bool sync) const {
  SectionWriter writer(path, SectionKind::kKneserNey, kWord, order_);
  std::vector<std::byte> head(section_ ? section_->info().payload_bytes() : memory_.size() * kWord);
  head.resize(std::min<std::size_t>(head.size(), head_words() * kWord));
  if (section_) section_->check_all();
  const std::span<const std::byte> payload =
      section_ ? section_->payload() : std::span<const std::byte>(std::as_bytes(std::span(memory_)));
  std::ranges::copy(payload.first(head.size()), head.begin());
  std::ranges::copy(id, head.begin());
  writer.append(head);
  writer.append(payload.subspan(head.size()));
  writer.finish(sync);
}

KneserNeyCounts KneserNeyCounts::open(const std::string& path, Shards shards, std::uint64_t order, const IndexId& id,
                                      LoadMode load) {
  KneserNeyCounts result(order, shards);
  const SectionInfo info = result.section_.emplace(path, SectionOptions{.load = load, .random_access = true}).info();
  result.read_payload(info, id);
  return result;
}

void KneserNeyCounts::refuse(std::uint64_t offset, const std::string& expected, const std::string& found) const {
  throw FormatError(ErrorCode::kIndexFormat,
                    {section_ ? section_->path() : "", kSectionPageBytes + offset, expected, found});
}

void KneserNeyCounts::refuse_missing(std::uint64_t length, std::uint64_t count) const {
  refuse(
      0,
      "a record of an n-gram of " + std::to_string(length) + " symbols that occurs " + std::to_string(count) + " times",
      "none");
}

void KneserNeyCounts::read_payload(const SectionInfo& info, const IndexId& id) {
  if (info.kind != SectionKind::kKneserNey) refuse(0, "counts for Kneser-Ney", describe(info));
  if (info.parameter != order_) {
    refuse(0, "counts of order " + std::to_string(order_), "of order " + std::to_string(info.parameter));
  }
  if (info.num_elements < head_words()) {
    refuse(0, "a payload of " + std::to_string(head_words()) + " numbers at least", std::to_string(info.num_elements));
  }
  if (std::memcmp(at(0, id.size()), id.data(), id.size()) != 0) refuse(0, "the id of this index", "that of another");
  std::uint64_t offset = kIdWords * kWord;
  const auto next = [&] {
    offset += kWord;
    return word(offset - kWord);
  };
  const auto expect = [&](std::uint64_t expected, const char* what) {
    const std::uint64_t found = next();
    if (found != expected) {
      refuse(offset - kWord, std::string(what) + " " + std::to_string(expected), std::to_string(found));
    }
  };
  expect(order_, "order");
  expect(shard_sizes_.size(), "num_shards");
  expect(total_.num_tokens, "num_tokens");
  expect(total_.num_documents, "num_documents");
  expect(total_.vocab_size, "vocab_size");
  totals_.few = next();
  if (totals_.few > kMostFew) {
    refuse(offset - kWord, "few of " + std::to_string(kMostFew) + " at most", std::to_string(totals_.few));
  }
  totals_.empty_documents = next();
  totals_.num_types = next();
  for (ContextCounts* counts : {&totals_.root, &totals_.root_start}) {
    counts->sum = next();
    for (std::uint64_t& size : counts->sizes) size = next();
  }
  for (std::size_t k = 1; k <= order_; ++k) {
    for (std::size_t n = 1; n <= kSizesPerOrder; ++n) totals_.sizes[k][n] = next();
  }
  for (Table& table : tables_) {
    table.num_records = next();
    table.shift = next();
    if (table.num_records >= kMostRecords || table.shift > kMostShift) {
      refuse(offset - kWord, "a list of fewer than 2^32 records, and a shift of 32 at most",
             std::to_string(table.num_records) + " and " + std::to_string(table.shift));
    }
  }
  const std::uint64_t size = lay_out();
  if (size != info.payload_bytes()) {
    refuse(0, "a payload of " + std::to_string(size) + " bytes, as its lists have",
           std::to_string(info.payload_bytes()));
  }
}

std::optional<NgramRecord> KneserNeyCounts::find(List list, std::uint64_t length, std::size_t shard, Rank rank) const {
  return find(list, length, shard, rank, probe(list, length, shard, rank));
}

void KneserNeyCounts::prefetch(List list, std::uint64_t length, std::size_t shard, Rank rank) const {
  const Table& of = table(list, length, shard);
  const std::uint64_t offset = of.buckets + (rank >> of.shift) * sizeof(std::uint32_t);
  if (section_) {
    section_->prefetch(offset);
  } else {
    __builtin_prefetch(reinterpret_cast<const std::byte*>(memory_.data()) + offset);
  }
}

// The records that may be the last one that begins up to `rank`: [first, last), and the one before them.
KneserNeyCounts::Probe KneserNeyCounts::probe(List list, std::uint64_t length, std::size_t shard, Rank rank) const {
  const Table& of = table(list, length, shard);
  const std::uint64_t bucket = rank >> of.shift;
  if (bucket >= of.num_buckets) return {};  // only a damaged index has such ranks
  const std::uint64_t offset = of.buckets + bucket * sizeof(std::uint32_t);
  const std::byte* ends = at(offset, 2 * sizeof(std::uint32_t));
  const Probe probe{load<std::uint32_t>(ends), load<std::uint32_t>(ends + sizeof(std::uint32_t))};
  if (probe.first > probe.last || probe.last > of.num_records) {
    refuse(offset, "ends that ascend, up to " + std::to_string(of.num_records),
           std::to_string(probe.first) + ", " + std::to_string(probe.last));
  }
  const std::uint64_t middle = of.records + (probe.first + probe.last) / 2 * sizeof(NgramRecord);
  if (section_) {
    section_->prefetch(middle);
    section_->prefetch(middle - sizeof(NgramRecord));
  } else {
    const std::byte* memory = reinterpret_cast<const std::byte*>(memory_.data());
    __builtin_prefetch(memory + middle);
    __builtin_prefetch(memory + middle - sizeof(NgramRecord));
  }
  return probe;
}

std::optional<NgramRecord> KneserNeyCounts::find(List list, std::uint64_t length, std::size_t shard, Rank rank,
                                                 Probe probe) const {
  const Table& of = table(list, length, shard);
  std::uint64_t low = probe.first;  // records before it begin up to `rank`
  for (std::uint64_t high = probe.last; low < high;) {
    const std::uint64_t middle = (low + high) / 2;
    if (begin_of(of, middle) <= rank) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == 0) return {};
  const NgramRecord found = record(of, low - 1);
  if (rank < found.begin || rank - found.begin >= found.size) return {};
  return found;
}

}  // namespace anygram
