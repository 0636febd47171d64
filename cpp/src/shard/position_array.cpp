#include <anygram/shard/position_array.hpp>

#include <utility>

#include <anygram/shard/key_tree.hpp>
#include <anygram/storage/files.hpp>

namespace anygram {

ArrayWriter::ArrayWriter(const std::string& folder, const TokenText& text, KeyFormat format, FileSyncer* syncer)
    : folder_(folder),
      text_(text),
      format_(format),
      syncer_(syncer),
      order_(join_path(folder, section_name(SectionKind::kSuffixArray)), SectionKind::kSuffixArray, sizeof(Position), 0,
             syncer) {
  sample_keys_.reserve(text.length / kArraySamplePeriod + 1);
}

void ArrayWriter::append(const SortedRun& run) {
  const std::span<const Position> positions = run.positions;
  order_.append(std::as_bytes(positions));
  with_width(text_.width, [&]<int Width>() {
    constexpr std::size_t kAhead = 16 * kArraySamplePeriod;  // samples whose keys are on their way from memory
    const std::size_t first_sample = (kArraySamplePeriod - run.first % kArraySamplePeriod) % kArraySamplePeriod;
    for (std::size_t i = first_sample; i < positions.size(); i += kArraySamplePeriod) {
      if (i + kAhead < positions.size()) {
        __builtin_prefetch(text_.bytes.data() + std::uint64_t{positions[i + kAhead]} * Width);
      }
      sample_keys_.push_back(load_key<Width>(text_.bytes.data(), positions[i], format_));
    }
  });
}

void ArrayWriter::append(std::span<const Position> positions, std::span<const std::uint64_t> sample_keys) {
  order_.append(std::as_bytes(positions));
  sample_keys_.insert(sample_keys_.end(), sample_keys.begin(), sample_keys.end());
}

std::array<SectionInfo, 2> ArrayWriter::finish() {
  const SectionInfo order = order_.finish(syncer_);
  SectionWriter tree(join_path(folder_, section_name(SectionKind::kKeySamples)), SectionKind::kKeySamples,
                     sizeof(std::uint64_t), kArraySamplePeriod, syncer_);
  const std::vector<std::uint64_t> keys = build_key_tree(std::move(sample_keys_));
  tree.append(std::as_bytes(std::span(keys)));
  return {order, tree.finish(syncer_)};
}

}  // namespace anygram
