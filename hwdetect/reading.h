// Reading<T>: a value that was read from the machine, or null and the reason why it could not be. Never a guess.
#pragma once

#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "base/describe.h"

namespace hearth {

template <class T>
struct Reading {
  std::optional<T> value;
  std::string reason;  // empty when there is a value

  static Reading of(T value) { return {std::move(value), {}}; }
  static Reading missing(std::string reason) { return {std::nullopt, std::move(reason)}; }
  static Reading from(Result<T> result) {
    return result ? of(std::move(*result)) : missing(result.error().to_string());
  }
  explicit operator bool() const { return value.has_value(); }

  static constexpr auto kFields = std::tuple{
      field("value", &Reading::value, "what was read; null when it could not be"),
      field("reason", &Reading::reason, "why there is no value"),
  };
};

}  // namespace hearth
