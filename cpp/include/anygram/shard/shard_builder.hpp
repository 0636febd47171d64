// Writes one shard, and is thrown away.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <anygram/base/stop_signal.hpp>
#include <anygram/shard/token_spool.hpp>
#include <anygram/shard/unigram_counter.hpp>
#include <anygram/storage/file_syncer.hpp>
#include <anygram/storage/shard_manifest.hpp>
#include <anygram/suffix/key.hpp>
#include <anygram/suffix/sort.hpp>

namespace anygram {

struct ShardBuilderOptions {
  std::uint64_t vocab_size = 0;
  Profile profile = Profile::kFast;
  unsigned threads = 1;
  std::uint64_t memory = 0;  // bytes that sort() may take, the text included; 0: no bound
  bool sync = true;          // whether files are on the disk when finish() returns
};

// Call write_tokens, sort, write_section for what else belongs to the shard, finish: in this order. The folder exists
// and is empty. The bytes depend on the documents, the vocabulary and the profile alone.
class ShardBuilder {
 public:
  ShardBuilder(std::string folder, const ShardBuilderOptions& options);

  // The least `memory` with which a stream of so many symbols, in `width` bytes each, can be sorted.
  static std::uint64_t least_memory(std::uint64_t stream_length, int width, Profile profile);

  // The token stream, where documents stand in it, and how often each symbol occurs. If the run is all that was
  // spooled, the stream's file is taken from the spool. Progress in symbols.
  void write_tokens(TokenSpool& spool, const DocumentRun& run, StopSignal& stop, const Progress& progress);

  // The order of the suffixes, and the tree over it. Progress in symbols.
  SortStatistics sort(StopSignal& stop, const Progress& progress);

  // An optional section of bytes that the core does not read. `next_piece` is called until it returns nothing.
  void write_section(SectionKind kind, const std::function<std::optional<std::span<const std::byte>>()>& next_piece);

  // Writes the manifest when all sections are on the disk, if that was asked for, where they go meanwhile; the shard
  // exists from here on. Returns its checksum, which stands for the whole shard.
  std::uint32_t finish();

 private:
  void write_documents(std::span<const TokenSpool::DocumentLength> lengths);
  void write_stream(TokenSpool& spool, const DocumentRun& run, UnigramCounter& unigrams, StopSignal& stop,
                    const Progress& progress);
  void write_unigrams(const UnigramCounter& unigrams);
  template <class Writer>
  SortStatistics write_order(const TokenText& text, KeyFormat format, const SortOptions& options);
  void add(const SectionInfo& info, bool required = true);
  std::string path(SectionKind kind) const;
  // For the sections' writers; none if nothing is to be on the disk.
  FileSyncer* syncer() { return options_.sync ? &syncer_ : nullptr; }

  std::string folder_;
  ShardBuilderOptions options_;
  ShardManifest manifest_;
  FileSyncer syncer_;
};

}  // namespace anygram
