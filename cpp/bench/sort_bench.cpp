// Times suffix sorting of a raw file of little-endian 2-byte symbols that ends with a 0.
//     sort_bench FILE [threads=2] [memory in bytes=0] [method: automatic|anchors|induced] [portable] [max symbols]
#include <sys/resource.h>
#include <time.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

#include <anygram/suffix/sort.hpp>
#include <anygram/suffix/work_array.hpp>

namespace {

double seconds(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

double peak_megabytes() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::fprintf(stderr, "usage: sort_bench FILE [threads] [memory] [method] [portable] [max]\n"), 2;
  const auto argument = [&](int number, const char* fallback) {
    return std::string(argc > number ? argv[number] : fallback);
  };
  std::ifstream file(argv[1], std::ios::binary | std::ios::ate);
  if (!file) return std::fprintf(stderr, "cannot read %s\n", argv[1]), 2;
  const std::uint64_t limit = std::strtoull(argument(6, "0").c_str(), nullptr, 10);
  std::uint64_t length = static_cast<std::uint64_t>(file.tellg()) / 2;
  if (limit != 0 && limit < length) length = limit;
  // In huge pages, as the builder keeps it: sorting is bound by random access to the text.
  anygram::WorkArray<std::byte> bytes(length * 2 + anygram::kStreamPadding);
  std::memset(bytes.data(), 0, bytes.size());
  file.seekg(0);
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(length * 2));
  bytes[length * 2 - 2] = bytes[length * 2 - 1] = std::byte{0};
  const anygram::TokenText text{bytes.span().first(length * 2), 2, length};

  anygram::SortOptions options;
  options.threads = static_cast<unsigned>(std::strtoul(argument(2, "2").c_str(), nullptr, 10));
  options.memory = std::strtoull(argument(3, "0").c_str(), nullptr, 10);
  const std::string method = argument(4, "automatic");
  if (method == "anchors") options.method = anygram::SortMethod::kAnchors;
  if (method == "induced") options.method = anygram::SortMethod::kInduced;
  options.force_portable = argument(5, "") == "portable";

  const double before = peak_megabytes();
  const double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
  std::uint64_t checksum = 0;
  const anygram::SortStatistics statistics = anygram::sort_suffixes(text, options, [&](const anygram::SortedRun& run) {
    for (const anygram::Position position : run.positions) checksum = checksum * 31 + position;
  });
  const double per_symbol = 1e9 / static_cast<double>(length);
  std::printf("%.1f M symbols, %u threads: wall %.1f ns, CPU %.1f ns a symbol; %.2f bytes a symbol beyond the text\n",
              static_cast<double>(length) * 1e-6, options.threads, (seconds(CLOCK_MONOTONIC) - wall) * per_symbol,
              (seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu) * per_symbol,
              (peak_megabytes() - before) * 1048576 / static_cast<double>(length));
  const auto each = [&](std::uint64_t count) { return static_cast<double>(count) / static_cast<double>(length); };
  std::printf(
      "%s, %llu passes, %llu rounds; for each symbol: samples %.3f, moved %.2f, keys %.2f, ranks %.2f, induced %.2f; "
      "checksum %016llx\n",
      statistics.method == anygram::SortMethod::kInduced ? "induced" : "anchors",
      static_cast<unsigned long long>(statistics.passes), static_cast<unsigned long long>(statistics.doubling_rounds),
      each(statistics.samples), each(statistics.records_moved), each(statistics.keys_loaded),
      each(statistics.ranks_loaded), each(statistics.elements_induced), static_cast<unsigned long long>(checksum));
  return 0;
}
