// Sorting of (key, position) records, the inner loop of suffix sorting.
#pragma once

#include <cstddef>
#include <cstdint>

#include <anygram/base/types.hpp>
#include <anygram/suffix/work_meter.hpp>

namespace anygram {

// Records in two arrays: record i is keys[i] and positions[i].
struct Records {
  std::uint64_t* keys;
  Position* positions;
};

// Sorts `size` records by key, in place, in no defined order of equal keys; O(size log size) at worst. Returns how many
// records it moved. The meter is for stopping only.
using RecordSort = std::uint64_t (*)(Records records, std::size_t size, WorkMeter& meter);

std::uint64_t sort_records_portable(Records records, std::size_t size, WorkMeter& meter);

// The fastest one that this processor can run.
RecordSort best_record_sort();

}  // namespace anygram
