// Regex on PCRE2.
#include "model_store/tokenizers/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>

#include "base/utf8.h"
#include "model_store/tokenizers/regex_dialect.h"

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
  bool has_jit = false;
};

Result<Regex> Regex::compile(std::string_view pattern) {
  if (pattern.size() > kMaxPatternBytes)
    return error(Code::resource_exhausted, "a pattern of {} bytes is over the limit of {}", pattern.size(),
                 kMaxPatternBytes);
  std::string translated = TRY(pcre_pattern(pattern));
  int number = 0;
  PCRE2_SIZE offset = 0;
  auto impl = std::make_shared<Impl>();
  // \K and \C would break the promise that matches move forward over whole characters.
  impl->code.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(translated.data()), translated.size(),
                                 PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C, &number, &offset,
                                 nullptr));
  if (!impl->code)
    return error(Code::invalid_argument, "the pattern is not valid at byte {} of {}: {}", offset,
                 translated.substr(0, 200), error_text(number));
  // Without JIT the interpreter does the same, slower.
  impl->has_jit = pcre2_jit_compile(impl->code.get(), PCRE2_JIT_COMPLETE) == 0;
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
  const pcre2_code* code = impl_->code.get();
  const PCRE2_SIZE* found = pcre2_get_ovector_pointer(s.data.get());
  size_t at = 0;
  size_t last_end = 0;
  bool any = false;
  while (at <= text.size()) {
    int rc = impl_->has_jit
                 ? pcre2_jit_match(code, subject, text.size(), at, PCRE2_NO_UTF_CHECK, s.data.get(), s.context.get())
                 : PCRE2_ERROR_JIT_STACKLIMIT;
    if (rc == PCRE2_ERROR_JIT_STACKLIMIT)
      rc =
          pcre2_match(code, subject, text.size(), at, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, s.data.get(), s.context.get());
    if (rc == PCRE2_ERROR_NOMATCH) return {};
    if (rc < 0)
      return error(Code::resource_exhausted, "splitting the text took too long or too much memory: {}", error_text(rc));
    size_t begin = found[0], end = found[1];
    if (end > begin && begin >= at) {
      out.push_back({begin, end});
      any = true;
      last_end = at = end;
    } else {  // an empty match: go on after the next character
      end = std::max(at, end);
      if (!any || end != last_end) out.push_back({end, end});
      any = true;
      last_end = end;
      at = end + (end < text.size() ? std::max(1, decode_utf8(text.substr(end)).n_bytes) : 1);
    }
  }
  return {};
}

}  // namespace hearth
