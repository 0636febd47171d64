// Many shards as one: what a caller of the core needs for querying.
#pragma once

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include <anygram/base/thread_pool.hpp>
#include <anygram/query/count.hpp>
#include <anygram/query/document_filter.hpp>
#include <anygram/query/document_numbers.hpp>
#include <anygram/query/kneser_ney.hpp>
#include <anygram/query/matches.hpp>
#include <anygram/query/occurrences.hpp>
#include <anygram/query/probability.hpp>
#include <anygram/query/query.hpp>
#include <anygram/query/score.hpp>
#include <anygram/query/search.hpp>
#include <anygram/query/selected_occurrences.hpp>
#include <anygram/query/string_search.hpp>

namespace anygram {

// Immutable. The queries are functions of its shards; it adds the numbering of documents and how many threads to use.
class Index {
 public:
  // threads 0: as many as the process has CPUs.
  Index(std::vector<std::shared_ptr<const Shard>> shards, unsigned threads)
      : shards_(std::move(shards)),
        documents_(shards_),
        counts_(total_counts(shards_)),
        threads_(threads == 0 ? available_cpus() : threads) {}

  Shards shards() const { return shards_; }
  const DocumentNumbers& documents() const { return documents_; }
  const ShardCounts& counts() const { return counts_; }
  Execution execution(StopSignal& stop) const { return {threads_, stop}; }

 private:
  std::vector<std::shared_ptr<const Shard>> shards_;
  DocumentNumbers documents_;
  ShardCounts counts_;
  unsigned threads_;
};

}  // namespace anygram
