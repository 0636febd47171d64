// One persistent pool of threads for the whole process.
#pragma once

#include <cstddef>
#include <functional>

#include <anygram/base/stop_signal.hpp>

namespace anygram {

// CPUs that this process may use (its affinity), at least 1.
unsigned available_cpus();

// Calls body(0) .. body(count - 1), each once, on at most `threads` threads, the calling one among them; returns when
// all are done. The pool's threads start at the first call that needs them and are kept; a forked child starts its own.
// The calling thread polls `stop` between its own items and while it waits, every 20 ms at most, so an item should be
// short. The first exception ends the rest and is thrown again here. A body may not call run_parallel itself with
// threads > 1; such a call runs serially.
void run_parallel(std::size_t count, unsigned threads, StopSignal& stop, const std::function<void(std::size_t)>& body);

}  // namespace anygram
