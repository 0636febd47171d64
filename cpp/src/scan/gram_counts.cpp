#include <anygram/scan/gram_counts.hpp>

#include <algorithm>

namespace anygram {
namespace {

// Keeps the smallest, ascending.
void add_document(std::vector<std::uint64_t>& documents, std::uint64_t document) {
  if (documents.size() == kDocumentsListed && documents.back() < document) return;
  const auto place = std::lower_bound(documents.begin(), documents.end(), document);
  if (place != documents.end() && *place == document) return;
  documents.insert(place, document);
  if (documents.size() > kDocumentsListed) documents.pop_back();
}

}  // namespace

void GramCounts::add(Part& part) {
  for (std::size_t number = 0; number < kStripes; ++number) {
    auto& found = part.found_[number];
    if (found.empty()) continue;
    Stripe& stripe = stripes_[number];
    const std::lock_guard lock(stripe.mutex);
    for (const Found& one : found) {
      std::uint32_t& row = rows_[one.gram];
      if (row == kNone) {
        row = static_cast<std::uint32_t>(stripe.results.size());
        stripe.results.emplace_back();
      }
      GramResult& result = stripe.results[row];
      result.count += one.times;
      add_document(result.documents, one.document);
    }
    found.clear();
  }
}

std::vector<std::uint32_t> GramCounts::grams() const {
  std::vector<std::uint32_t> grams;
  for (std::size_t gram = 0; gram < rows_.size(); ++gram) {
    if (rows_[gram] != kNone) grams.push_back(static_cast<std::uint32_t>(gram));
  }
  return grams;
}

const GramResult& GramCounts::operator[](std::uint32_t gram) const {
  static const GramResult kNothing;
  const std::uint32_t row = rows_.at(gram);
  return row == kNone ? kNothing : stripes_[gram % kStripes].results[row];
}

}  // namespace anygram
