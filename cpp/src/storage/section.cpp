#include <anygram/storage/section.hpp>

#include <algorithm>
#include <mutex>

#include <anygram/base/crc32c.hpp>
#include <anygram/base/thread_pool.hpp>

namespace anygram {
namespace {

// A bit for each of `count` pages, all set to `value`.
std::unique_ptr<std::atomic<std::uint64_t>[]> make_bitmap(std::uint64_t count, bool value) {
  const std::size_t words = count / 64 + 1;
  auto bitmap = std::make_unique<std::atomic<std::uint64_t>[]>(words);
  if (value) std::fill_n(bitmap.get(), words, ~std::uint64_t{0});
  return bitmap;
}

void set_bit(std::atomic<std::uint64_t>* bitmap, std::uint64_t number) {
  bitmap[number / 64].fetch_or(std::uint64_t{1} << (number % 64), std::memory_order_relaxed);
}

// How bytes differ from their checksum, if they do.
std::optional<SectionProblem> compare(std::span<const std::byte> bytes, std::uint32_t stored, const std::string& path,
                                      std::uint64_t offset, const char* what) {
  const std::uint32_t computed = crc32c(bytes);
  if (computed == stored) return {};
  return SectionProblem{path, offset, std::string(what) + " with checksum " + describe_checksum(stored),
                        describe_checksum(computed)};
}

}  // namespace

Section::Section(const std::string& path, const SectionOptions& options, const std::optional<SectionInfo>& expected)
    : file_(path, options.load), info_(decode_header(file_.bytes(), path)) {
  if (expected && info_ != *expected) {
    throw FormatError(ErrorCode::kIndexFormat,
                      {path, 0, describe(*expected) + ", as the shard's manifest says", describe(info_)});
  }
  const SectionLayout layout(info_.payload_bytes());
  payload_ = file_.bytes().data() + kSectionPageBytes;
  table_ = file_.bytes().data() + layout.table_offset();
  root_ = file_.bytes().data() + layout.root_offset();
  num_pages_ = layout.num_pages;
  if (const auto problem = root_problem()) throw FormatError(ErrorCode::kChecksum, *problem);
  checked_pages_ = make_bitmap(layout.num_pages, !options.check_pages);
  checked_table_ = make_bitmap(layout.num_table_pages, false);
  if (options.load == LoadMode::kRam) check_all();
  if (options.random_access) file_.advise_random();
}

void Section::check(std::uint64_t byte_offset, std::uint64_t length) const {
  const std::uint64_t readable = num_pages_ * kSectionPageBytes;
  if (byte_offset > readable || length > readable - byte_offset) {
    throw FormatError(ErrorCode::kIndexFormat,
                      {path(), kSectionPageBytes + std::min(byte_offset, readable),
                       std::to_string(length) + " bytes from offset " + std::to_string(byte_offset) + " of the payload",
                       "its end: another section points outside of this one"});
  }
  const std::uint64_t end = (byte_offset + length + kSectionPageBytes - 1) / kSectionPageBytes;
  for (std::uint64_t page = byte_offset / kSectionPageBytes; page < end; ++page) {
    if (!is_checked(page)) check_page(page);
  }
}

// Two threads may check the same page at once: both come to the same result, and either may note it.
void Section::check_page(std::uint64_t page) const {
  const std::uint64_t table_page = page / kChecksumsPerPage;
  if ((checked_table_[table_page / 64].load(std::memory_order_relaxed) >> (table_page % 64) & 1) == 0) {
    if (const auto problem = table_problem(table_page)) throw FormatError(ErrorCode::kChecksum, *problem);
    set_bit(checked_table_.get(), table_page);
  }
  if (const auto problem = page_problem(page)) throw FormatError(ErrorCode::kChecksum, *problem);
  set_bit(checked_pages_.get(), page);
}

void Section::will_need(std::uint64_t page) const {
  file_.will_need(kSectionPageBytes + page * kSectionPageBytes, kSectionPageBytes);
}

std::uint64_t Section::pages_touched() const {
  std::uint64_t touched = 0;
  for (std::uint64_t page = 0; page < num_pages_; ++page) touched += is_checked(page) ? 1 : 0;
  return touched;
}

std::optional<SectionProblem> Section::page_problem(std::uint64_t page) const {
  const std::uint64_t offset = page * kSectionPageBytes;
  return compare({payload_ + offset, kSectionPageBytes}, load<std::uint32_t>(table_ + page * sizeof(std::uint32_t)),
                 path(), kSectionPageBytes + offset, "a page");
}

std::optional<SectionProblem> Section::table_problem(std::uint64_t table_page) const {
  const std::byte* begin = table_ + table_page * kSectionPageBytes;
  const std::size_t size = std::min<std::size_t>(kSectionPageBytes, static_cast<std::size_t>(root_ - begin));
  return compare({begin, size}, load<std::uint32_t>(root_ + table_page * sizeof(std::uint32_t)), path(),
                 static_cast<std::uint64_t>(begin - file_.bytes().data()), "checksums of pages");
}

std::optional<SectionProblem> Section::root_problem() const {
  const auto offset = static_cast<std::size_t>(root_ - file_.bytes().data());
  return compare(file_.bytes().subspan(offset), info_.table_checksum, path(), offset, "the checksums' checksums");
}

std::vector<SectionProblem> Section::verify(unsigned threads, StopSignal& stop, const Progress& progress) const {
  std::vector<SectionProblem> problems;
  try {
    decode_header(file_.bytes(), path());
  } catch (const FormatError& error) {
    problems.push_back(error.problem());
  }
  if (const auto problem = root_problem()) problems.push_back(*problem);

  // An item is what one page of the table stands for: 4 MiB. Some of them at a time, so that progress shows.
  constexpr std::uint64_t kItemsAtOnce = 32;
  const SectionLayout layout(info_.payload_bytes());
  std::mutex mutex;
  for (std::uint64_t first = 0; first < layout.num_table_pages; first += kItemsAtOnce) {
    const std::uint64_t last = std::min(first + kItemsAtOnce, layout.num_table_pages);
    run_parallel(last - first, threads, stop, [&](std::size_t item) {
      std::vector<SectionProblem> found = verify_table_page(first + item);
      const std::lock_guard lock(mutex);
      problems.insert(problems.end(), found.begin(), found.end());
    });
    if (progress) progress(std::min(last * kChecksumsPerPage, num_pages_) * kSectionPageBytes, layout.padded_bytes());
  }

  // Where all checksums are right, the padding is what the writer wrote.
  const std::span<const std::byte> padding(payload_ + info_.payload_bytes(), table_);
  const auto nonzero = std::ranges::find_if(padding, [](std::byte byte) { return byte != std::byte{0}; });
  if (problems.empty() && nonzero != padding.end()) {
    const auto offset = static_cast<std::uint64_t>(std::to_address(nonzero) - file_.bytes().data());
    problems.push_back({path(), offset, "zeros after the payload", "other bytes"});
  }
  std::ranges::sort(problems, {}, &SectionProblem::offset);
  return problems;
}

// The checksums of pages mean nothing where they are damaged themselves, so those pages are not reported on top.
std::vector<SectionProblem> Section::verify_table_page(std::uint64_t table_page) const {
  if (const auto problem = table_problem(table_page)) return {*problem};
  std::vector<SectionProblem> problems;
  const std::uint64_t end = std::min((table_page + 1) * kChecksumsPerPage, num_pages_);
  for (std::uint64_t page = table_page * kChecksumsPerPage; page < end; ++page) {
    if (auto problem = page_problem(page)) problems.push_back(*std::move(problem));
  }
  return problems;
}

}  // namespace anygram
