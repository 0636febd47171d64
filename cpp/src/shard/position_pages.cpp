#include <anygram/shard/position_pages.hpp>

#include <algorithm>

#include <anygram/shard/key_tree.hpp>
#include <anygram/storage/files.hpp>

namespace anygram {
namespace {

constexpr PageBytes kEmptyPage = make_empty_page();

template <class Element>
SectionInfo write_section(const std::string& folder, SectionKind kind, std::uint64_t parameter,
                          const std::vector<Element>& elements, FileSyncer* syncer) {
  SectionWriter writer(join_path(folder, section_name(kind)), kind, sizeof(Element), parameter, syncer);
  writer.append(std::as_bytes(std::span(elements)));
  return writer.finish(syncer);
}

}  // namespace

PageWriter::PageWriter(const std::string& folder, const TokenText& text, KeyFormat format, FileSyncer* syncer)
    : folder_(folder),
      text_(text),
      format_(format),
      syncer_(syncer),
      pages_(join_path(folder, section_name(SectionKind::kPositionPages)), SectionKind::kPositionPages,
             kSectionPageBytes, 0, syncer),
      page_(kEmptyPage) {}

void PageWriter::append(const SortedRun& run) {
  with_width(text_.width, [&]<int Width>() {
    constexpr std::size_t kAhead = kRanksPerPage;  // ranks whose keys are on their way from memory
    for (std::size_t done = 0; done < run.positions.size();) {
      const std::size_t count = std::min<std::size_t>(kRanksPerPage - filled_, run.positions.size() - done);
      const std::size_t ahead = std::min(done + count + kAhead, run.positions.size());
      for (std::size_t i = done + count; i < ahead; i += kRanksPerSample) {
        __builtin_prefetch(text_.bytes.data() + std::uint64_t{run.positions[i]} * Width);
      }
      const std::span<const std::uint8_t> shared = run.shared.subspan(done, count);
      fill_page<Width>(page_, filled_, text_.bytes.data(), format_, run.positions.subspan(done, count), shared);
      const bool begins_page = filled_ == 0;
      if (begins_page) {
        shared_.push_back(std::min(least_shared_, shared[0]));
        least_shared_ = 255;
      }
      for (const std::uint8_t symbols : shared.subspan(begins_page ? 1 : 0)) {
        least_shared_ = std::min(least_shared_, symbols);
      }
      filled_ += count;
      done += count;
      if (filled_ == kRanksPerPage) write_page();
    }
  });
}

void PageWriter::write_page() {
  first_keys_.push_back(load<std::uint64_t>(page_.data() + kFirstKeysOffset));
  second_keys_.push_back(load<std::uint64_t>(page_.data() + kSecondKeysOffset));
  pages_.append(page_);
  page_ = kEmptyPage;
  filled_ = 0;
}

std::array<SectionInfo, 4> PageWriter::finish() {
  if (filled_ > 0) write_page();
  const SectionInfo pages = pages_.finish(syncer_);
  const SectionInfo tree =
      write_section(folder_, SectionKind::kKeySamples, kRanksPerPage, build_key_tree(std::move(first_keys_)), syncer_);
  const SectionInfo second_keys = write_section(folder_, SectionKind::kPageSecondKeys, 0, second_keys_, syncer_);
  const SectionInfo shared = write_section(folder_, SectionKind::kPageShared, 0, shared_, syncer_);
  return {pages, tree, second_keys, shared};
}

}  // namespace anygram
