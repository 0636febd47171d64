#include <anygram/storage/format_error.hpp>

namespace anygram {
namespace {

std::string message_of(ErrorCode code, const SectionProblem& problem) {
  const char* advice = code == ErrorCode::kUnsupportedVersion ? "install a newer version of anygram to read it"
                                                              : "rebuild the index, or restore this file from a backup";
  return problem.path + ": expected " + problem.expected + " at byte " + std::to_string(problem.offset) + ", found " +
         problem.found + "; " + advice;
}

}  // namespace

FormatError::FormatError(ErrorCode code, SectionProblem problem)
    : Error(code, message_of(code, problem), problem.path, problem.offset), problem_(std::move(problem)) {}

}  // namespace anygram
