// Where documents begin, and which of them holds a position.
#pragma once

#include <cstdint>
#include <span>

#include <anygram/base/interval.hpp>
#include <anygram/storage/section.hpp>

namespace anygram {

class Documents {
 public:
  Documents(Section begins, Section blocks, std::uint64_t stream_length)
      : begins_(std::move(begins)),
        blocks_(std::move(blocks)),
        num_documents_(begins_.info().num_elements),
        stream_length_(stream_length) {}

  std::uint64_t size() const { return num_documents_; }
  // The document that holds a position; its end belongs to it.
  std::uint32_t at(Position position) const;
  // documents[i] = at(positions[i]), so that the cache misses overlap.
  void at(std::span<const Position> positions, std::span<std::uint32_t> documents) const;
  // Where its symbols stand, the end excluded. Throws kDocumentNotFound.
  Interval span(std::uint64_t document) const;

  const Section& begins() const { return begins_; }
  const Section& blocks() const { return blocks_; }

 private:
  std::uint64_t begin(std::uint64_t document) const { return begins_.element<Position>(document); }
  // The first and the last document that may hold a position.
  Interval candidates(Position position) const;
  // Which of them does.
  std::uint32_t choose(Interval candidates, Position position) const;

  Section begins_;
  Section blocks_;
  std::uint64_t num_documents_;
  std::uint64_t stream_length_;
};

}  // namespace anygram
