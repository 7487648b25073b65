// See training_data.h.
#include "trainer/data/training_data.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "trainer/data/overlong.h"
#include "trainer/data/split.h"
#include "trainer/random.h"

namespace hearth::train {
namespace {

std::string_view bytes_of(const auto& v) {
  return {reinterpret_cast<const char*>(v.data()), v.size() * sizeof v[0]};
}

std::string label_of(const RecipeData& data, const std::string& path) {
  return data.name.empty() || path != data.path ? std::filesystem::path(path).filename().string() : data.name;
}

// One file (or folder) of examples: read, encoded, made to fit.
class Reading {
 public:
  Reading(const RecipeData& data, const LoadedModel& model, const TrainingDataOptions& options)
      : data_(data), encoder_(model), options_(options), overlong_(overlong_from_name(data.overlong)) {}

  Result<void> read(const std::string& path) {
    label_ = label_of(data_, path);
    std::error_code ec;
    const uint64_t bytes = std::filesystem::is_regular_file(path, ec) ? std::filesystem::file_size(path, ec) : 0;
    stride_ = options_.sample_bytes > 0 ? std::max<uint64_t>(1, bytes / options_.sample_bytes) : 1;
    report_ = TRY(read_examples(
        path, data_.format, [this](Example e) { return add(std::move(e)); }, {}, label_));
    TRY(check_problems());
    if (n_encoded_ == 0 && first_refusal_) return *first_refusal_;
    if (n_encoded_ == 0) return error(Code::invalid_argument, "{} holds no usable example", label_);
    return {};
  }

  Result<void> add(Example example) {
    if (n_seen_++ % static_cast<int64_t>(stride_) != 0) return {};
    auto documents = encode(example);
    if (!documents) {
      if (!data_.skip_invalid) return std::move(documents).error();
      ++n_refused_;
      if (!first_refusal_) first_refusal_ = std::move(documents).error();
      return {};
    }
    ++n_encoded_;
    const uint64_t hash = content_hash(example, 0);
    ExampleGroup group{hash, 1, 0};
    for (Document& d : *documents) {
      if (d.ids.size() < 2) continue;  // nothing to predict
      const int64_t n_learned = d.n_learned();
      if (n_learned == 0) continue;
      group.n_answer_tokens += n_learned;
      documents_.push_back(std::move(d));
    }
    if (group.n_answer_tokens == 0) return {};
    ExampleGroup& all = groups_[hash];
    all.hash = hash;
    all.n_rows += 1, all.n_answer_tokens += group.n_answer_tokens;
    keep_question(hash, std::move(example));
    return {};
  }

  std::vector<ExampleGroup> groups() const {
    std::vector<ExampleGroup> out;
    for (const auto& [hash, group] : groups_) out.push_back(group);
    return out;
  }

  // Takes the documents and questions of some groups.
  void take(const std::unordered_set<uint64_t>* held, bool is_held, std::vector<Document>& documents,
            std::vector<Example>* questions, int64_t& n_rows, int64_t& n_tokens) {
    const auto is_wanted = [&](uint64_t hash) { return !held || held->contains(hash) == is_held; };
    for (Document& d : documents_)
      if (!d.ids.empty() && is_wanted(d.group)) documents.push_back(std::move(d));
    for (const auto& [hash, group] : groups_)
      if (is_wanted(hash)) n_rows += group.n_rows, n_tokens += group.n_answer_tokens;
    for (auto& [place, question] : questions_)
      if (questions && is_wanted(question.first)) questions->push_back(std::move(question.second));
  }

  void count(DataFigures& f) {
    f.n_overlong += n_overlong_, f.n_left_out += n_left_out_, f.n_cut += n_cut_, f.n_continued += n_continued_;
    f.n_invalid += report_.n_problems + n_refused_;
  }
  std::vector<int64_t>& lengths() { return lengths_; }
  int64_t n_encoded() const { return n_encoded_; }
  double factor() const {
    return static_cast<double>(std::max<int64_t>(1, n_seen_)) /
           static_cast<double>(std::max<int64_t>(1, n_encoded_ + n_refused_));
  }
  bool is_sample() const { return stride_ > 1; }
  const DatasetReport& report() const { return report_; }
  const std::string& label() const { return label_; }

 private:
  Result<std::vector<Document>> encode(const Example& example) {
    std::vector<Document> documents =
        TRY_WITH(encoder_.encode(example), "in the example at line {} of {}", example.line, label_);
    int64_t longest = 0;
    for (Document& d : documents) {
      const auto n = static_cast<int64_t>(d.ids.size());
      longest = std::max(longest, n);
      n_continued_ += d.may_split && n > data_.max_seq_len + 1;
      const Fit fit = TRY_WITH(fit_into_row(d, data_.max_seq_len, overlong_), "in the example at line {} of {}",
                               example.line, label_);
      n_overlong_ += fit != Fit::whole;
      n_cut_ += fit == Fit::cut;
      n_left_out_ += fit == Fit::left_out;
      if (fit == Fit::left_out) d.ids.clear(), d.learned.clear();
    }
    lengths_.push_back(longest);
    return documents;
  }

  Result<void> check_problems() const {
    if (report_.n_problems == 0) return {};
    const DataProblem& p = report_.problems.front();
    const std::string first = fmt::format("line {}: {}{}{}", p.line, p.field, p.field.empty() ? "" : " ", p.message);
    if (report_.is_cut)  // what is missing is not known, so nothing can be skipped
      return error(Code::invalid_argument, "{} is damaged: {}; mend it, or get it again", label_,
                   report_.problems.back().message);
    if (data_.skip_invalid) return {};
    return error(Code::invalid_argument, "{}: {} problems, the first in {}; mend them, or set data.skip_invalid = true",
                 label_, report_.n_problems, first);
  }

  // Some examples of the groups that are the first to be held out.
  void keep_question(uint64_t hash, Example&& example) {
    if (options_.n_questions == 0) return;
    questions_.try_emplace(split_place(hash, options_.seed), hash, std::move(example));
    const size_t most = 64 + 8 * static_cast<size_t>(options_.n_questions);
    if (questions_.size() > most) questions_.erase(std::prev(questions_.end()));
  }

  const RecipeData& data_;
  const Encoder encoder_;
  const TrainingDataOptions& options_;
  const Overlong overlong_;
  std::string label_;
  uint64_t stride_ = 1;
  DatasetReport report_;
  std::vector<Document> documents_;
  std::map<uint64_t, ExampleGroup> groups_;
  std::map<uint64_t, std::pair<uint64_t, Example>> questions_;  // by the place of their group
  std::vector<int64_t> lengths_;
  std::optional<Error> first_refusal_;
  int64_t n_seen_ = 0, n_encoded_ = 0, n_refused_ = 0, n_overlong_ = 0, n_left_out_ = 0, n_cut_ = 0, n_continued_ = 0;
};

void scale(DataFigures& f, double factor) {
  for (int64_t* n : {&f.n_examples, &f.n_distinct, &f.n_train, &f.n_held_out, &f.n_train_answer_tokens,
                     &f.n_held_out_answer_tokens, &f.n_overlong, &f.n_left_out, &f.n_cut, &f.n_continued})
    *n = static_cast<int64_t>(static_cast<double>(*n) * factor);
}

std::string grouped(int64_t n) {
  std::string out = std::to_string(n);
  for (auto at = static_cast<ptrdiff_t>(out.size()) - 3; at > 0; at -= 3) out.insert(static_cast<size_t>(at), ",");
  return out;
}

uint64_t fingerprint_of(std::span<const Document> documents) {
  uint64_t h = 0;
  for (const Document& d : documents) h = hash64(bytes_of(d.learned), hash64(bytes_of(d.ids), h));
  return h;
}

Error nothing_left(const Reading& reading, const DataFigures& f) {
  if (f.n_left_out > 0)
    return error(Code::invalid_argument,
                 "{}: all {} examples are longer than a row of {} tokens (half of them have more than {}); raise "
                 "data.max_seq_len or set "
                 "data.overlong = \"truncate\"",
                 reading.label(), f.n_left_out, f.max_seq_len, f.tokens.median);
  return error(Code::invalid_argument, "{} holds nothing that could be learned", reading.label());
}

}  // namespace

Result<TrainingData> read_training_data(const RecipeData& data, const LoadedModel& model,
                                        const TrainingDataOptions& options) {
  TrainingData out;
  out.train = std::make_shared<std::vector<Document>>();
  out.held_out = std::make_shared<std::vector<Document>>();
  DataFigures& f = out.figures;
  f.max_seq_len = data.max_seq_len;
  f.overlong = data.overlong;
  Reading reading(data, model, options);
  TRY(reading.read(data.path));
  const bool is_separate = !data.eval_path.empty();
  auto groups = reading.groups();
  f.n_examples = reading.n_encoded();
  f.n_distinct = static_cast<int64_t>(groups.size());
  f.is_sample = reading.is_sample();
  f.tokens = length_stats(std::move(reading.lengths()));
  reading.count(f);
  const auto held = choose_held_out(std::move(groups), is_separate ? 0 : data.eval_fraction, options.seed);
  reading.take(&held, false, *out.train, nullptr, f.n_train, f.n_train_answer_tokens);
  reading.take(&held, true, *out.held_out, &out.questions, f.n_held_out, f.n_held_out_answer_tokens);
  scale(f, reading.factor());
  out.unused_keys = reading.report().unused_keys;
  if (out.train->empty()) return nothing_left(reading, f);
  if (is_separate) {
    Reading other(data, model, options);
    TRY_WITH(other.read(data.eval_path), "in the held-out data");
    other.take(nullptr, true, *out.held_out, &out.questions, f.n_held_out, f.n_held_out_answer_tokens);
  }
  out.fingerprint = mix64(fingerprint_of(*out.train) ^ mix64(fingerprint_of(*out.held_out)));
  return out;
}

std::string in_words(const DataFigures& f) {
  std::string out = fmt::format("{}{} examples", f.is_sample ? "about " : "", grouped(f.n_examples));
  if (f.n_distinct < f.n_examples - f.n_left_out) out += fmt::format(", {} different ones", grouped(f.n_distinct));
  out += fmt::format("; trains on {} ({} answer tokens), ", grouped(f.n_train), grouped(f.n_train_answer_tokens));
  out += f.n_held_out == 0 ? std::string("holds out none: nothing will be measured")
                           : fmt::format("holds out {} ({} answer tokens)", grouped(f.n_held_out),
                                         grouped(f.n_held_out_answer_tokens));
  out += fmt::format(". Lengths: half have at most {} tokens, the longest {}; a row holds {}.",
                     grouped(f.tokens.median), grouped(f.tokens.longest), grouped(f.max_seq_len));
  if (f.n_left_out > 0) out += fmt::format(" {} longer than a row: left out.", grouped(f.n_left_out));
  if (f.n_cut > 0) out += fmt::format(" {} longer than a row: without their beginning.", grouped(f.n_cut));
  if (f.n_continued > 0)
    out += fmt::format(" {} texts longer than a row go on in another one.", grouped(f.n_continued));
  if (f.n_invalid > 0) out += fmt::format(" {} rows with problems: left out.", grouped(f.n_invalid));
  return out;
}

}  // namespace hearth::train
