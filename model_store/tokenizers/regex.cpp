// Regex on PCRE2.
#include "model_store/tokenizers/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "model_store/tokenizers/utf8.h"

namespace hearth {
namespace {

constexpr size_t kMaxPatternBytes = 64 << 10;
constexpr uint32_t kMatchLimit = 20'000'000;  // steps of one match; a run of 1 MiB of blanks needs about 2 million
constexpr uint32_t kHeapLimitKib = 64 << 10;
constexpr size_t kJitStackBytes = 1 << 20;

template <auto release>
struct Release {
  template <class T>
  void operator()(T* p) const {
    release(p);
  }
};
using MatchData = std::unique_ptr<pcre2_match_data, Release<pcre2_match_data_free>>;
using MatchContext = std::unique_ptr<pcre2_match_context, Release<pcre2_match_context_free>>;
using JitStack = std::unique_ptr<pcre2_jit_stack, Release<pcre2_jit_stack_free>>;

// What one thread needs to match; made once a thread.
struct Scratch {
  MatchData data{pcre2_match_data_create(1, nullptr)};
  MatchContext context{pcre2_match_context_create(nullptr)};
  JitStack stack{pcre2_jit_stack_create(32 << 10, kJitStackBytes, nullptr)};

  Scratch() {
    pcre2_set_match_limit(context.get(), kMatchLimit);
    pcre2_set_heap_limit(context.get(), kHeapLimitKib);
    pcre2_jit_stack_assign(context.get(), nullptr, stack.get());
  }
};

Scratch& scratch() {
  thread_local Scratch kScratch;
  return kScratch;
}

std::string error_text(int number) {
  PCRE2_UCHAR buffer[256] = {};
  pcre2_get_error_message(number, buffer, sizeof buffer);
  return reinterpret_cast<const char*>(buffer);
}

}  // namespace

struct Regex::Impl {
  std::unique_ptr<pcre2_code, Release<pcre2_code_free>> code;
};

Result<Regex> Regex::compile(std::string_view pattern) {
  if (pattern.size() > kMaxPatternBytes)
    return error(Code::resource_exhausted, "a pattern of {} bytes is over the limit of {}", pattern.size(),
                 kMaxPatternBytes);
  if (pattern.find("&&[") != std::string_view::npos)
    return error(Code::unimplemented, "patterns with set intersections (&&) are not supported yet: {}",
                 pattern.substr(0, 200));
  int number = 0;
  PCRE2_SIZE offset = 0;
  auto impl = std::make_shared<Impl>();
  // \K and \C would break the promise that matches move forward over whole characters.
  impl->code.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                                 PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &number, &offset, nullptr));
  if (!impl->code)
    return error(Code::invalid_argument, "the pattern is not valid at byte {}: {}", offset, error_text(number));
  pcre2_jit_compile(impl->code.get(), PCRE2_JIT_COMPLETE);  // without JIT the interpreter does the same, slower
  return Regex(std::move(impl));
}

Result<Regex> Regex::literal(std::string_view text) {
  std::string pattern;
  while (!text.empty()) {
    Utf8Char c = decode_utf8(text);
    if (c.n_bytes == 0) return error(Code::invalid_argument, "a literal to split at is not valid UTF-8");
    pattern += fmt::format("\\x{{{:x}}}", c.code_point);
    text.remove_prefix(c.n_bytes);
  }
  if (pattern.empty()) return error(Code::invalid_argument, "a literal to split at is empty");
  return compile(pattern);
}

Result<void> Regex::find_all(std::string_view text, std::vector<Match>& out) const {
  Scratch& s = scratch();
  auto subject = reinterpret_cast<PCRE2_SPTR>(text.data());
  size_t at = 0;
  while (at < text.size()) {
    int rc =
        pcre2_match(impl_->code.get(), subject, text.size(), at, PCRE2_NO_UTF_CHECK, s.data.get(), s.context.get());
    if (rc == PCRE2_ERROR_JIT_STACKLIMIT)
      rc = pcre2_match(impl_->code.get(), subject, text.size(), at, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, s.data.get(),
                       s.context.get());
    if (rc == PCRE2_ERROR_NOMATCH) return {};
    if (rc < 0)
      return error(Code::resource_exhausted, "splitting the text took too long or too much memory: {}", error_text(rc));
    const PCRE2_SIZE* found = pcre2_get_ovector_pointer(s.data.get());
    size_t begin = found[0], end = found[1];
    if (end > begin && begin >= at) {
      out.push_back({begin, end});
      at = end;
    } else {  // an empty match: go on after the next character
      at = std::max(at, end);
      if (at < text.size()) at += std::max(1, decode_utf8(text.substr(at)).n_bytes);
    }
  }
  return {};
}

}  // namespace hearth
