// Times the core's smallest parts on a raw file of little-endian 2-byte symbols that ends with a 0: one line of JSON.
//     core_bench FILE [max symbols]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include <anygram/base/crc32c.hpp>
#include <anygram/base/thread_pool.hpp>
#include <anygram/suffix/key.hpp>
#include <anygram/suffix/search.hpp>
#include <anygram/suffix/sort.hpp>
#include <anygram/suffix/verify.hpp>

namespace {

constexpr int kRounds = 5;
constexpr std::size_t kRandomReads = 1'000'000;

// What is computed goes here, so that it is computed.
volatile std::uint64_t sink;

// The median of some runs, in nanoseconds for each of `units`.
double nanoseconds(std::uint64_t units, const std::function<std::uint64_t()>& run) {
  std::vector<double> times;
  for (int round = 0; round < kRounds; ++round) {
    const auto started = std::chrono::steady_clock::now();
    sink = run();
    const std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - started;
    times.push_back(taken.count() / static_cast<double>(units));
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

// A token stream as the comparisons want it.
struct Stream {
  const std::byte* bytes;
  std::uint64_t num_symbols;
  std::uint64_t length() const { return num_symbols; }
  const std::byte* at(std::uint64_t position, std::uint64_t) const { return bytes + position * 2; }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::fprintf(stderr, "usage: core_bench FILE [max symbols]\n"), 2;
  std::ifstream file(argv[1], std::ios::binary | std::ios::ate);
  if (!file) return std::fprintf(stderr, "cannot read %s\n", argv[1]), 2;
  std::uint64_t length = static_cast<std::uint64_t>(file.tellg()) / 2;
  if (argc > 2) length = std::min<std::uint64_t>(length, std::strtoull(argv[2], nullptr, 10));
  std::vector<std::byte> bytes(length * 2 + anygram::kStreamPadding);
  file.seekg(0);
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(length * 2));
  bytes[length * 2 - 2] = bytes[length * 2 - 1] = std::byte{0};
  const std::span<const std::byte> all = std::span<const std::byte>(bytes).first(length * 2);
  const anygram::TokenText text{all, 2, length};

  std::mt19937_64 random(0);
  std::vector<std::uint64_t> places(kRandomReads);
  for (std::uint64_t& place : places) place = random() % length;
  const anygram::KeyFormat format = anygram::KeyFormat::for_largest(65535);
  const Stream stream{bytes.data(), length};

  const double crc = nanoseconds(all.size(), [&] { return anygram::crc32c(all); });
  const double crc_portable = nanoseconds(all.size(), [&] { return anygram::crc32c_portable(all); });
  const double keys = nanoseconds(length, [&] {
    std::uint64_t sum = 0;
    for (std::uint64_t place = 0; place < length; ++place) sum += anygram::load_key<2>(bytes.data(), place, format);
    return sum;
  });
  const double random_keys = nanoseconds(kRandomReads, [&] {
    std::uint64_t sum = 0;
    for (const std::uint64_t place : places) sum += anygram::load_key<2>(bytes.data(), place, format);
    return sum;
  });
  // Each place with itself, 64 symbols or up to the end: two cache lines each, as long ties have them.
  const double compared = nanoseconds(kRandomReads, [&] {
    std::uint64_t sum = 0;
    for (const std::uint64_t place : places)
      sum += anygram::common_prefix<2>(stream, place, bytes.data() + place * 2, 0,
                                       std::min<std::uint64_t>(64, length - place));
    return sum;
  });

  std::vector<anygram::Position> order;
  order.reserve(length);
  anygram::SortOptions sorting;
  sorting.threads = anygram::available_cpus();
  anygram::sort_suffixes(text, sorting, [&](const anygram::SortedRun& run) {
    order.insert(order.end(), run.positions.begin(), run.positions.end());
  });
  anygram::VerifyOptions options;
  options.threads = sorting.threads;
  const double verified = nanoseconds(length, [&] { return anygram::check_order(text, order, options).size(); });

  std::printf(
      "{\"crc32c, GB/s\": %.2f, \"crc32c without the instruction, GB/s\": %.2f, \"key, next place, ns\": %.2f, "
      "\"key, random place, ns\": %.2f, \"64 symbols compared, random place, ns\": %.2f, "
      "\"order checked, all threads, ns a symbol\": %.2f}\n",
      1 / crc, 1 / crc_portable, keys, random_keys, compared, verified);
  return 0;
}
