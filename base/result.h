// Result<T>: a value or an Error. Expected failures (bad file, bad request, no memory) are values;
// programmer errors CHECK (base/check.h) and abort; exceptions are caught at third-party edges only.
//
//   Result<Config> load_config(const std::filesystem::path& path) {
//     std::string text = TRY(read_file(path, kMaxConfigBytes));
//     return TRY_WITH(parse_config(text), "while reading {}", path.string());
//   }
#pragma once

#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace hearth {

// The canonical codes. exit_code() and http_status() are the only maps from them to the outside.
enum class Code {
  invalid_argument,     // the input is wrong, whatever the state of the box
  not_found,            // named thing does not exist
  already_exists,       // named thing exists already
  failed_precondition,  // right input, wrong state (not deployed, not installed, ...)
  permission_denied,    // known caller, not allowed; or a file we may not open
  unauthenticated,      // who are you
  resource_exhausted,   // out of memory, disk, slots, quota
  data_loss,            // corrupt file, hash mismatch, bad signature
  cancelled,            // the caller asked to stop
  unavailable,          // try again later: worker starting, connection refused
  deadline_exceeded,    // took too long
  unimplemented,        // belongs to later work; the message says so
  internal,             // our own fault
};

std::string_view code_name(Code code);
int http_status(Code code);
int exit_code(Code code);  // 1 for all; 2 for invalid_argument from the command line

// Where an error was made. (Not std::source_location: clang 14 has it only in name.)
struct Place {
  const char* file = "";
  int line = 0;
};

struct Error {
  Code code = Code::internal;
  std::string message;                // what was required, what came instead, the next step
  std::vector<std::string> context;   // innermost first
  Place where;

  // "while installing pack: while reading index.json: expected ..., got ..."
  std::string to_string() const;
};

template <class... Args>
struct FormatAt {  // a format string that remembers where it stood
  fmt::format_string<Args...> text;
  Place where;
  template <class S>
  consteval FormatAt(const S& s, const char* file = __builtin_FILE(), int line = __builtin_LINE())  // NOLINT(google-explicit-constructor)
      : text(s), where{file, line} {}
};

// error(Code::not_found, "no model named {}; `hearth models` lists them", name)
template <class... Args>
Error error(Code code, FormatAt<std::type_identity_t<Args>...> format, Args&&... args) {
  return Error{code, fmt::format(format.text, std::forward<Args>(args)...), {}, format.where};
}

// The member names are std::expected's (C++23).
template <class T = void>
class [[nodiscard]] Result {
 public:
  using value_type = T;
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}        // NOLINT(google-explicit-constructor)
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}    // NOLINT(google-explicit-constructor)

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }
  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  Error& error() & { return std::get<1>(state_); }
  const Error& error() const& { return std::get<1>(state_); }
  Error&& error() && { return std::get<1>(std::move(state_)); }
  T value_or(T other) && { return has_value() ? std::move(*this).value() : std::move(other); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool has_value() const { return !error_; }
  explicit operator bool() const { return has_value(); }
  void value() const {}
  Error& error() & { return *error_; }
  const Error& error() const& { return *error_; }
  Error&& error() && { return *std::move(error_); }

 private:
  std::optional<Error> error_;
};

namespace detail {
inline Error with_context(Error e, std::string context) {
  e.context.push_back(std::move(context));
  return e;
}
}  // namespace detail

}  // namespace hearth

// The value of a Result, or an early return of its Error. For plain functions; coroutines have CO_TRY in base/http.
#define TRY(...)                                                      \
  __extension__({                                                     \
    auto&& try_result_ = (__VA_ARGS__);                               \
    if (!try_result_) return std::move(try_result_).error();          \
    std::move(try_result_).value();                                   \
  })

// TRY that adds a line of context: TRY_WITH(parse(text), "while reading {}", path)
#define TRY_WITH(expr, ...)                                                                             \
  __extension__({                                                                                       \
    auto&& try_result_ = (expr);                                                                        \
    if (!try_result_)                                                                                   \
      return ::hearth::detail::with_context(std::move(try_result_).error(), fmt::format(__VA_ARGS__));  \
    std::move(try_result_).value();                                                                     \
  })
