// From one profile to another, without sorting again.
#pragma once

#include <cstdint>
#include <string>

#include <anygram/base/stop_signal.hpp>
#include <anygram/storage/shard_manifest.hpp>

namespace anygram {

struct ConvertOptions {
  Profile profile = Profile::kFast;
  unsigned threads = 1;
  std::uint64_t memory = 0;  // bytes, 0: no bound; more than the token stream takes keeps a copy of it in huge pages
  bool sync = true;          // whether files are on the disk when it returns
};

// Writes the shard in folder `source` into `folder`, which exists and is empty, with another order section: byte for
// byte what ShardBuilder writes for that profile. The other sections are copied. All that is read is checked:
// kChecksum. To lean it is one sequential pass over the pages; to fast, one over the suffix array, with two random
// accesses to the token stream a token, on all threads. Memory: 20 MB, 17 bytes for each page, and the token stream if
// there is room. Progress in tokens. Returns the shard's checksum.
std::uint32_t convert_shard(const std::string& source, const std::string& folder, const ConvertOptions& options,
                            StopSignal& stop, const Progress& progress = {});

}  // namespace anygram
