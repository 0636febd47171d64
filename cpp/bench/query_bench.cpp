// Times questions put to one shard, and counts the pages that they touch. Builds the shard first if the folder has
// none, from a raw file of little-endian 2-byte symbols that ends with a 0.
//     query_bench SYMBOLS FOLDER [profile: fast|lean] [max symbols=0]
//     [what: all|count|batch|pages|score|continuations] [load: mmap|ram]
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include <anygram/index.hpp>
#include <anygram/shard/shard_builder.hpp>

namespace {

using namespace anygram;
using Symbols = std::vector<Symbol>;

double seconds() {
  timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// Nanoseconds of CPU for each of `count` items: the least of five rounds.
template <class Body>
double time_each(std::size_t count, const Body& body) {
  double best = 1e9;
  for (int round = 0; round < 5; ++round) {
    const double begin = seconds();
    body();
    best = std::min(best, seconds() - begin);
  }
  return best * 1e9 / static_cast<double>(std::max<std::size_t>(1, count));
}

std::vector<std::uint16_t> read_symbols(const char* path, std::uint64_t limit) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) std::exit(std::fprintf(stderr, "cannot read %s\n", path));
  std::uint64_t length = static_cast<std::uint64_t>(file.tellg()) / 2;
  if (limit != 0 && limit < length) length = limit;
  std::vector<std::uint16_t> stream(length);
  file.seekg(0);
  file.read(reinterpret_cast<char*>(stream.data()), static_cast<std::streamsize>(length * 2));
  stream.back() = 0;
  return stream;
}

void build(const std::vector<std::uint16_t>& stream, const std::string& folder, Profile profile) {
  std::filesystem::create_directories(folder);
  TokenSpool spool(folder, 2);
  std::vector<std::uint32_t> tokens;
  for (const std::uint16_t symbol : stream) {
    if (symbol != 0) {
      tokens.push_back(symbol - 1U);
      continue;
    }
    const auto length = static_cast<std::int64_t>(tokens.size());
    spool.append(tokens, {&length, 1});
    tokens.clear();
  }
  spool.close();
  StopSignal stop;
  ShardBuilder builder(folder, {.vocab_size = 65000, .profile = profile, .threads = 2, .sync = false});
  builder.write_tokens(spool, spool.cut(1)[0], stop, {});
  builder.sort(stop, {});
  builder.finish();
}

class Questions {
 public:
  Questions(const std::vector<std::uint16_t>& stream, const std::shared_ptr<const Shard>& shard, std::string folder)
      : stream_(stream), shards_{shard}, folder_(std::move(folder)), random_(7) {}

  std::size_t below(std::size_t limit) { return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_); }

  // A part of some document; with `missing`, its last symbol is another of the corpus.
  Symbols ngram(std::size_t length, bool missing) {
    while (true) {
      const std::size_t begin = below(stream_.size() - length);
      Symbols symbols(stream_.begin() + static_cast<std::ptrdiff_t>(begin),
                      stream_.begin() + static_cast<std::ptrdiff_t>(begin + length));
      if (missing) symbols.back() = stream_[below(stream_.size())];
      if (std::ranges::find(symbols, kDocumentEnd) == symbols.end()) return symbols;
    }
  }

  std::vector<Symbols> ngrams(std::size_t count, std::size_t shortest, std::size_t longest, bool missing) {
    std::vector<Symbols> result;
    for (std::size_t i = 0; i < count; ++i) result.push_back(ngram(shortest + below(longest - shortest + 1), missing));
    return result;
  }

  void time_counts(bool single, bool batch) {
    for (const auto& [shortest, longest] : kLengths) {
      for (const bool missing : {false, true}) {
        const std::vector<Symbols> texts = ngrams(40'000, shortest, longest, missing);
        const std::vector<Ngram> asked(texts.begin(), texts.end());
        std::vector<Interval> intervals(asked.size());
        std::printf("%s n %2zu to %2zu:", missing ? "miss" : "hit ", shortest, longest);
        if (single) {
          std::printf("  single %6.0f ns", time_each(asked.size(), [&] {
                        for (std::size_t i = 0; i < asked.size(); ++i) {
                          shards_[0]->find({&asked[i], 1}, {&intervals[i], 1});
                        }
                      }));
        }
        if (batch) {
          std::printf("  batch %6.0f ns", time_each(asked.size(), [&] { shards_[0]->find(asked, intervals); }));
        }
        std::printf("\n");
      }
    }
  }

  // Pages of the token stream and of the order that one question touches in a shard that was just opened.
  void count_pages() {
    constexpr std::size_t kQuestions = 5000;
    for (const auto& [shortest, longest] : kLengths) {
      for (const bool missing : {false, true}) {
        std::vector<std::uint64_t> pages;
        for (std::size_t i = 0; i < kQuestions; ++i) {
          const Symbols text = ngram(shortest + below(longest - shortest + 1), missing);
          const auto shard = open_shard(folder_, LoadMode::kMmap);
          const Ngram asked(text);
          Interval interval;
          shard->find({&asked, 1}, {&interval, 1});
          pages.push_back(0);
          for (const SectionPages& section : shard->pages_touched()) {
            const bool counts =
                section.name == "token_stream" || section.name == "position_pages" || section.name == "suffix_array";
            if (counts) pages.back() += section.pages;
          }
        }
        std::ranges::sort(pages);
        double sum = 0;
        for (const std::uint64_t one : pages) sum += static_cast<double>(one);
        std::printf("%s n %2zu to %2zu: %.2f pages, p99 %llu, most %llu\n", missing ? "miss" : "hit ", shortest,
                    longest, sum / kQuestions, static_cast<unsigned long long>(pages[kQuestions * 99 / 100]),
                    static_cast<unsigned long long>(pages.back()));
      }
    }
  }

  // The second half of one place's text after the first half of another's, in short pieces or in long ones.
  Symbols spliced(std::size_t size, std::size_t piece) {
    Symbols text;
    while (text.size() < size) {
      const Symbols part = ngram(1 + below(2 * piece), false);
      text.insert(text.end(), part.begin(), part.end());
    }
    text.resize(size);
    return text;
  }

  void time_texts() {
    for (const std::size_t piece : {5U, 40U}) {
      const Symbols text = spliced(200'000, piece);
      std::vector<LongestMatch> matches(text.size());
      std::printf("pieces of %2zu: longest_matches %5.0f ns a token", piece,
                  time_each(text.size(), [&] { shards_[0]->longest_matches(text, 0, matches); }));
      StopSignal stop;
      std::printf("  score %5.0f ns a token\n", time_each(text.size(), [&] { score(shards_, text, {}, {1, stop}); }));
    }
  }

  void time_continuations() {
    for (const std::uint64_t least : {1'000U, 10'000U, 100'000U, 500'000U, 1'000'000U}) {
      // The n-gram of one to three symbols whose count is the least that reaches this.
      Interval best{0, ~Rank{0}};
      std::size_t depth = 0;
      for (int i = 0; i < 20'000; ++i) {
        const Symbols text = ngram(1 + below(3), false);
        const Ngram asked(text);
        Interval interval;
        shards_[0]->find({&asked, 1}, {&interval, 1});
        if (interval.size() >= least && interval.size() < best.size()) best = interval, depth = text.size();
      }
      if (depth == 0) continue;
      std::vector<Continuation> result;
      const double each = time_each(1, [&] {
        result.clear();
        shards_[0]->continuations(best, depth, result);
      });
      std::printf("continuations of %9llu occurrences: %6zu distinct, %8.1f us, %6.0f ns a distinct one\n",
                  static_cast<unsigned long long>(best.size()), result.size(), each / 1000,
                  each / static_cast<double>(result.size()));
    }
  }

 private:
  static constexpr std::array<std::pair<std::size_t, std::size_t>, 8> kLengths{
      {{2, 2}, {3, 3}, {5, 5}, {8, 8}, {10, 10}, {20, 20}, {6, 50}, {1, 50}}};

  const std::vector<std::uint16_t>& stream_;
  std::vector<std::shared_ptr<const Shard>> shards_;
  std::string folder_;
  std::mt19937_64 random_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3)
    return std::fprintf(stderr, "usage: query_bench SYMBOLS FOLDER [profile] [max symbols] [what] [load]\n"), 2;
  const std::vector<std::uint16_t> stream = read_symbols(argv[1], argc > 4 ? std::strtoull(argv[4], nullptr, 10) : 0);
  const std::string folder = argv[2];
  const std::string what = argc > 5 ? argv[5] : "all";
  const Profile profile = argc > 3 && std::string(argv[3]) == "lean" ? Profile::kLean : Profile::kFast;
  if (!std::filesystem::exists(folder + "/shard")) build(stream, folder, profile);
  const bool in_memory = argc > 6 && std::string(argv[6]) == "ram";
  const auto shard = open_shard(folder, in_memory ? LoadMode::kRam : LoadMode::kMmap);
  std::printf("%llu tokens, %.3f bytes a token\n", static_cast<unsigned long long>(shard->counts().num_tokens),
              static_cast<double>(shard->num_bytes()) / static_cast<double>(shard->counts().num_tokens));
  Questions questions(stream, shard, folder);
  const auto asked = [&](const char* name) { return what == "all" || what == name; };
  if (asked("count") || asked("batch")) questions.time_counts(asked("count"), asked("batch"));
  if (asked("pages")) questions.count_pages();
  if (asked("score")) questions.time_texts();
  if (asked("continuations")) questions.time_continuations();
  return 0;
}
