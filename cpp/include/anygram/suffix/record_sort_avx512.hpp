// The RecordSort for processors with AVX-512.
#pragma once

#include <anygram/suffix/record_sort.hpp>

namespace anygram {

// Whether this processor has what sort_records_avx512 needs; false on other architectures.
bool can_sort_records_avx512();

std::uint64_t sort_records_avx512(Records records, std::size_t size, WorkMeter& meter);

}  // namespace anygram
