// Linear-time suffix sorting by induction: the safety net under the anchors, and their witness in tests.
#pragma once

#include <anygram/suffix/sort.hpp>
#include <anygram/suffix/token_text.hpp>
#include <anygram/suffix/work_meter.hpp>

namespace anygram {

// The order of sort_suffixes, in one run, from one thread and 4 to 8 bytes a symbol. Counts 6 units a symbol on the
// meter, about.
SortStatistics induced_sort(const TokenText& text, Symbol largest_symbol, WorkMeter& meter, const SuffixSink& sink);

}  // namespace anygram
