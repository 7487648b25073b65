// Collects the pieces of a delta and numbers the calls.
#pragma once

#include <functional>

#include "inference/answers/call_reader.h"

namespace hearth::answers {

class AnswerBuilder : public CallSink {
 public:
  explicit AnswerBuilder(std::function<std::string()> new_call_id) : new_call_id_(std::move(new_call_id)) {}

  void begin(std::string_view id, std::string_view name) override {
    delta_.calls.push_back({n_calls_++, id.empty() ? new_call_id_() : std::string(id), std::string(name), {}});
  }
  void arguments(std::string_view piece) override {
    if (piece.empty()) return;
    if (delta_.calls.empty() || delta_.calls.back().index != n_calls_ - 1)
      delta_.calls.push_back({n_calls_ - 1, {}, {}, {}});
    delta_.calls.back().arguments += piece;
  }
  void content(std::string_view text) { delta_.content += text; }
  void reasoning(std::string_view text) { delta_.reasoning += text; }

  int n_calls() const { return n_calls_; }
  AnswerDelta take() { return std::exchange(delta_, {}); }

 private:
  std::function<std::string()> new_call_id_;
  AnswerDelta delta_;
  int n_calls_ = 0;
};

}  // namespace hearth::answers
