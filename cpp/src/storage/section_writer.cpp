#include <anygram/storage/section_writer.hpp>

#include <algorithm>

#include <anygram/base/crc32c.hpp>
#include <anygram/base/error.hpp>

namespace anygram {

SectionWriter::SectionWriter(const std::string& path, SectionKind kind, std::uint32_t element_bytes,
                             std::uint64_t parameter, FileSyncer* syncer)
    : writer_(path),
      syncer_(syncer),
      info_{.kind = kind, .element_bytes = element_bytes, .parameter = parameter},
      behind_([this](std::span<const std::byte> bytes) {
        append_page_checksums(bytes);
        writer_.write(bytes);
        if (syncer_ != nullptr && bytes.size() == WriteBehind::kBlockBytes) writer_.start_writeback();
      }) {
  writer_.write(SectionHeader{});
}

void SectionWriter::append(std::span<const std::byte> bytes) {
  payload_bytes_ += bytes.size();
  behind_.append(bytes);
}

void SectionWriter::flush() {
  behind_.drain();
  writer_.flush();
}

void SectionWriter::append_page_checksums(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const std::size_t count = std::min<std::size_t>(bytes.size(), kSectionPageBytes - page_filled_);
    page_checksum_ = crc32c(bytes.first(count), page_checksum_);
    page_filled_ += count;
    bytes = bytes.subspan(count);
    if (page_filled_ == kSectionPageBytes) {
      page_checksums_.push_back(page_checksum_);
      page_filled_ = 0;
      page_checksum_ = 0;
    }
  }
}

SectionInfo SectionWriter::finish(bool sync) {
  complete();
  if (sync && syncer_ != nullptr) {
    syncer_->add(writer_.release(), path());
    return info_;
  }
  if (sync) writer_.sync();
  writer_.close();
  return info_;
}

SectionInfo SectionWriter::finish(FileSyncer* syncer) {
  behind_.drain();  // its thread reads syncer_
  syncer_ = syncer;
  return finish(syncer != nullptr);
}

void SectionWriter::complete() {
  if (info_.element_bytes != 0) info_.num_elements = payload_bytes_ / info_.element_bytes;
  const auto problem = find_problem(info_);
  if (problem || payload_bytes_ != info_.payload_bytes()) {
    throw Error(ErrorCode::kInvalidArgument,
                "cannot write section " + path() + ": expected " +
                    (problem ? problem->expected + ", found " + problem->found
                             : "elements of " + std::to_string(info_.element_bytes) + " bytes, found " +
                                   std::to_string(payload_bytes_) + " bytes in all"),
                path());
  }
  behind_.drain();
  const SectionLayout layout(payload_bytes_);
  const std::vector<std::byte> padding(layout.padded_bytes() - payload_bytes_);
  append_page_checksums(padding);
  writer_.write(padding);

  const std::span<const std::byte> table = std::as_bytes(std::span(page_checksums_));
  std::vector<std::uint32_t> root;
  for (std::size_t begin = 0; begin < table.size(); begin += kSectionPageBytes) {
    root.push_back(crc32c(table.subspan(begin, std::min<std::size_t>(kSectionPageBytes, table.size() - begin))));
  }
  writer_.write(table);
  writer_.write(std::as_bytes(std::span(root)));
  info_.table_checksum = crc32c(std::as_bytes(std::span(root)));

  // Once is enough: after a power cut between these, whatever part of the file reached the disk fails its checksums.
  writer_.write_at(0, encode_header(info_));
}

}  // namespace anygram
