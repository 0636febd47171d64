// Many grams of several normalisations, looked for in all documents at once: how often each occurs and where, and how
// much of a group of grams a single document has.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include <anygram/base/stop_signal.hpp>
#include <anygram/scan/gram_counts.hpp>
#include <anygram/scan/gram_table.hpp>
#include <anygram/shard/shard.hpp>

namespace anygram {

// The stretch [begin, end) of a part that a document covers if it holds the gram.
struct GramPiece {
  std::uint32_t gram = 0;
  std::uint32_t part = 0;
  double begin = 0;
  double end = 0;
};

// What is judged document by document. A document's score is the mean, over the parts, of the share of the part's
// length that the pieces of the grams it holds cover.
struct GramGroup {
  std::vector<double> part_lengths{};
  std::vector<GramPiece> pieces{};                           // by part, then by begin
  double minimum = std::numeric_limits<double>::infinity();  // documents from this score up are listed
};

struct GroupDocument {
  std::uint64_t document = 0;
  double score = 0;
};

struct GroupResult {
  double score = 0;                      // the best of any document
  std::uint64_t document = 0;            // the first that has it
  std::vector<std::uint32_t> pieces;     // those it holds
  std::vector<GroupDocument> documents;  // those from the minimum up, ascending
};

class GramScan {
 public:
  // `grams` of several normalisations are numbered through, in their order.
  struct Family {
    Normalisation normalisation;
    GramTable grams;
  };

  GramScan(std::vector<Family> families, std::vector<GramGroup> groups);

  // Reads every document of the shards. After it threw, what is found is not all of anything. Threads share out runs of
  // documents.
  void scan_shards(std::span<const std::shared_ptr<const Shard>> shards, const TokenTexts& texts, unsigned threads,
                   StopSignal& stop, const Progress& progress);
  // Reads documents that are given as UTF-8, numbered from `first` on.
  void scan_texts(std::span<const std::string> texts, std::uint64_t first, unsigned threads, StopSignal& stop);

  // By gram: the first of its family that is equal, which stands for it in grams().
  std::uint32_t first_equal(std::uint32_t gram) const;

  std::size_t num_grams() const { return grams_.size(); }
  // Of distinct grams.
  const GramCounts& grams() const { return grams_; }
  // Of groups of which some document holds something.
  const std::unordered_map<std::uint32_t, GroupResult>& groups() const { return groups_; }
  std::uint64_t num_bytes() const { return num_bytes_; }

 private:
  // A thread's memory, and what it found in a run of documents.
  struct Scratch {
    std::vector<Symbol> symbols;
    std::vector<char> bytes;
    NormalisedText normalised;
    std::vector<GramHit> hits;
    std::vector<std::uint64_t> pieces;

    GramCounts::Part grams;
    std::unordered_map<std::uint32_t, GroupResult> groups;
    std::uint64_t num_bytes = 0;
  };

  class Lease;

  void scan_document(std::uint64_t document, std::span<const char> bytes, Scratch& scratch, StopSignal& stop) const;
  void score_groups(std::uint64_t document, Scratch& scratch) const;
  // Adds what a thread found.
  void merge(Scratch& scratch);

  std::vector<Family> families_;
  std::vector<GramGroup> groups_given_;
  std::vector<std::uint32_t> firsts_;        // gram numbers of each family begin here
  std::vector<std::uint64_t> piece_begins_;  // by gram, into pieces_
  std::vector<std::uint64_t> pieces_;        // a group in the high half, the piece's place in it in the low
  GramCounts grams_;
  std::mutex mutex_;  // of all that follows
  std::vector<std::unique_ptr<Scratch>> free_;
  std::unordered_map<std::uint32_t, GroupResult> groups_;
  std::uint64_t num_bytes_ = 0;
};

}  // namespace anygram
