// Times suffix sorting of a raw file of little-endian symbols that ends with a document end.
//     sort_bench FILE [--threads N] [--memory BYTES] [--method automatic|anchors|induced] [--width BYTES]
//                [--symbols N] [--pass-size SUFFIXES] [--shared] [--portable]
#include <sys/resource.h>
#include <time.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include <anygram/suffix/sort.hpp>
#include <anygram/suffix/work_array.hpp>

namespace {

struct Arguments {
  std::string file;
  anygram::SortOptions options{.threads = 2};
  int width = 2;
  std::uint64_t symbols = 0;  // at most; 0: all

  bool parse(int argc, char** argv) {
    for (int i = 1; i < argc; ++i) {
      const std::string name = argv[i];
      if (name == "--shared") {
        options.shared = true;
      } else if (name == "--portable") {
        options.force_portable = true;
      } else if (name.starts_with("--") && i + 1 < argc) {
        if (!set(name, argv[++i])) return false;
      } else {
        file = name;
      }
    }
    return !file.empty();
  }

 private:
  bool set(const std::string& name, const std::string& value) {
    const std::uint64_t number = std::strtoull(value.c_str(), nullptr, 10);
    if (name == "--threads") return options.threads = static_cast<unsigned>(number), true;
    if (name == "--memory") return options.memory = number, true;
    if (name == "--width") return width = static_cast<int>(number), true;
    if (name == "--symbols") return symbols = number, true;
    if (name == "--pass-size") return options.pass_size = number, true;
    if (name != "--method") return false;
    if (value == "anchors") options.method = anygram::SortMethod::kAnchors;
    if (value == "induced") options.method = anygram::SortMethod::kInduced;
    return true;
  }
};

double seconds(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

double peak_bytes() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) * 1024;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (!arguments.parse(argc, argv)) return std::fprintf(stderr, "usage: see the first lines of sort_bench.cpp\n"), 2;
  std::ifstream file(arguments.file, std::ios::binary | std::ios::ate);
  if (!file) return std::fprintf(stderr, "cannot read %s\n", arguments.file.c_str()), 2;
  const auto width = static_cast<std::uint64_t>(arguments.width);
  std::uint64_t length = static_cast<std::uint64_t>(file.tellg()) / width;
  if (arguments.symbols != 0 && arguments.symbols < length) length = arguments.symbols;
  // In huge pages, as the builder keeps it: sorting is bound by random access to the text.
  anygram::WorkArray<std::byte> bytes(length * width + anygram::kStreamPadding);
  std::memset(bytes.data(), 0, bytes.size());
  file.seekg(0);
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(length * width));
  std::memset(bytes.data() + (length - 1) * width, 0, width);
  const anygram::TokenText text{bytes.span().first(length * width), arguments.width, length};

  const double before = peak_bytes();
  const double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
  std::uint64_t checksum = 0, shared = 0;
  const anygram::SortStatistics statistics =
      anygram::sort_suffixes(text, arguments.options, [&](const anygram::SortedRun& run) {
        for (const anygram::Position position : run.positions) checksum = checksum * 31 + position;
        for (const std::uint8_t symbols : run.shared) shared += symbols;
      });
  const double per_symbol = 1e9 / static_cast<double>(length);
  std::printf("%.1f M symbols, %u threads: wall %.1f ns, CPU %.1f ns a symbol; %.2f bytes a symbol beyond the text\n",
              static_cast<double>(length) * 1e-6, arguments.options.threads,
              (seconds(CLOCK_MONOTONIC) - wall) * per_symbol, (seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu) * per_symbol,
              (peak_bytes() - before) / static_cast<double>(length));
  const auto each = [&](std::uint64_t count) { return static_cast<double>(count) / static_cast<double>(length); };
  std::printf(
      "%s, %llu passes, %llu rounds; for each symbol: samples %.3f, moved %.2f, keys %.2f, ranks %.2f, induced %.2f; "
      "shared %.1f; checksum %016llx\n",
      statistics.method == anygram::SortMethod::kInduced ? "induced" : "anchors",
      static_cast<unsigned long long>(statistics.passes), static_cast<unsigned long long>(statistics.doubling_rounds),
      each(statistics.samples), each(statistics.records_moved), each(statistics.keys_loaded),
      each(statistics.ranks_loaded), each(statistics.elements_induced), each(shared),
      static_cast<unsigned long long>(checksum));
  return 0;
}
