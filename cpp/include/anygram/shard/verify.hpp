// Whether a shard is what was written, and whether that is right.
#pragma once

#include <string>
#include <vector>

#include <anygram/base/stop_signal.hpp>
#include <anygram/storage/format_error.hpp>

namespace anygram {

// Compares every byte of the shard's files with its checksums. With `deep`, and if those agree, also checks what the
// files say: that documents stand where the token stream has them, that symbols are counted right, that the suffix
// array is a permutation in the right order, and that the tree over it holds its keys. Linear; deep checks take 4 bytes
// of memory a token. Problems come in the order found, at most ten of the suffix array. Progress in bytes, then in
// symbols.
std::vector<SectionProblem> verify_shard(const std::string& folder, bool deep, unsigned threads, StopSignal& stop,
                                         const Progress& progress = {});

}  // namespace anygram
