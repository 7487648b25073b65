// What a training writes while it runs, a line each, and everybody shows: the trainer, the service's API, the desktop.
#pragma once

#include "base/describe.h"

namespace hearth {

struct MetricPoint {  // metrics.jsonl
  int step = 0;
  double loss = 0, learning_rate = 0, grad_norm = 0, tokens_per_s = 0, seconds = 0;
  std::optional<double> eval_loss;
  std::string device;
  static constexpr auto kFields = std::tuple{
      field("step", &MetricPoint::step, "optimizer step, from 1"),
      field("loss", &MetricPoint::loss, "mean loss per answer token"),
      field("learning_rate", &MetricPoint::learning_rate, "at this step"),
      field("grad_norm", &MetricPoint::grad_norm, "before clipping"),
      field("tokens_per_s", &MetricPoint::tokens_per_s, "throughput"),
      field("seconds", &MetricPoint::seconds, "since the job started"),
      field("eval_loss", &MetricPoint::eval_loss, "held-out loss, when evaluated at this step"),
      field("device", &MetricPoint::device, "what computed it: cpu, cuda:0"),
  };
};

struct BeforeAfter {  // samples.jsonl
  std::string prompt, before, after, expected;
  static constexpr auto kFields = std::tuple{
      field("prompt", &BeforeAfter::prompt, "held-out question"),
      field("before", &BeforeAfter::before, "answer of the base model"),
      field("after", &BeforeAfter::after, "answer of the trained model"),
      field("expected", &BeforeAfter::expected, "answer in the data"),
  };
};

// A key of the data that nothing was done with: neither text nor anything that is known to change its meaning.
struct UnusedKey {
  std::string name;  // "source", "messages[].timestamp"
  int64_t n_rows = 0;
  static constexpr auto kFields = std::tuple{
      field("name", &UnusedKey::name, "the key, for example messages[].timestamp"),
      field("n_rows", &UnusedKey::n_rows, "how often it occurs"),
  };
};

struct LengthStats {
  int64_t median = 0, p95 = 0, longest = 0;
  static constexpr auto kFields = std::tuple{
      field("median", &LengthStats::median, "half are at most this long"),
      field("p95", &LengthStats::p95, "95 of 100 are at most this long"),
      field("longest", &LengthStats::longest, "the longest"),
  };
};

// What a training does with its data, in numbers, before it starts.
struct DataFigures {
  int64_t n_examples = 0, n_distinct = 0;  // equal examples count once in n_distinct, and stay on one side
  int64_t n_train = 0, n_held_out = 0;
  int64_t n_train_answer_tokens = 0, n_held_out_answer_tokens = 0;
  LengthStats tokens;  // of one example in the model's template
  std::string overlong;
  int max_seq_len = 0;
  int64_t n_overlong = 0, n_left_out = 0, n_cut = 0, n_continued = 0, n_invalid = 0;
  bool is_sample = false;
  static constexpr auto kFields = std::tuple{
      field("n_examples", &DataFigures::n_examples, "usable examples"),
      field("n_distinct", &DataFigures::n_distinct, "different ones among them"),
      field("n_train", &DataFigures::n_train, "examples that are trained on"),
      field("n_held_out", &DataFigures::n_held_out, "examples that are held out to measure with"),
      field("n_train_answer_tokens", &DataFigures::n_train_answer_tokens, "answer tokens trained on in one pass"),
      field("n_held_out_answer_tokens", &DataFigures::n_held_out_answer_tokens, "answer tokens held out"),
      field("tokens", &DataFigures::tokens, "lengths of the examples in tokens"),
      field("overlong", &DataFigures::overlong,
            "what is done with examples longer than a row: drop | truncate | refuse"),
      field("max_seq_len", &DataFigures::max_seq_len, "tokens of one row"),
      field("n_overlong", &DataFigures::n_overlong, "conversations longer than a row"),
      field("n_left_out", &DataFigures::n_left_out, "of these: left out"),
      field("n_cut", &DataFigures::n_cut, "of these: without their beginning"),
      field("n_continued", &DataFigures::n_continued, "texts longer than a row: they go on in another row"),
      field("n_invalid", &DataFigures::n_invalid, "rows with problems that were left out (data.skip_invalid)"),
      field("is_sample", &DataFigures::is_sample, "reckoned from a part of a large file"),
  };
};

}  // namespace hearth
