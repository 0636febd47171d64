// Many texts as one, so that short ones are asked about together, in lockstep.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include <anygram/query/ngrams.hpp>
#include <anygram/query/query.hpp>

namespace anygram {

// Texts one after another, and behind each a document's end, which no match crosses.
class JoinedTexts {
 public:
  explicit JoinedTexts(std::span<const Ngram> texts);

  std::size_t size() const { return begins_.size() - 1; }
  Ngram symbols() const { return symbols_; }
  // Where text i begins; its end stands at begin(i + 1) - 1.
  std::size_t begin(std::size_t i) const { return begins_[i]; }
  std::size_t length(std::size_t i) const { return begins_[i + 1] - 1 - begins_[i]; }

 private:
  std::vector<Symbol> symbols_;
  std::vector<std::size_t> begins_;
};

// Calls body(first, texts, execution) for runs of texts, the first of which has the number `first`, that cover the
// list: short texts in runs that threads share out among them, long ones alone with all threads at their service.
void for_joined_texts(
    const NgramList& texts, const Execution& execution,
    const std::function<void(std::size_t first, const JoinedTexts& texts, const Execution& execution)>& body);

}  // namespace anygram
