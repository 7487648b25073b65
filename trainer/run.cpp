// A training run from recipe to result. The member functions of Run are its chapters, in order.
#include "trainer/run.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>

#include "base/disk_full.h"
#include "base/files.h"
#include "trainer/data/loader.h"
#include "trainer/data/training_data.h"
#include "trainer/evaluate.h"
#include "trainer/memory_budget.h"
#include "trainer/model.h"
#include "trainer/optim/course.h"
#include "trainer/parity.h"
#include "trainer/random.h"
#include "trainer/result.h"
#include "trainer/samples.h"
#include "trainer/setup.h"
#include "trainer/state/checkpoint.h"
#include "trainer/state/job_files.h"

namespace hearth::train {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

// One wild step may be mended by the next ones; so many in a row are not.
constexpr int kHopelessSteps = 8;
// A crash loses at most this much work, however long a step takes.
constexpr std::chrono::minutes kLongestWithoutCheckpoint{5};

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

class Run {
 public:
  Run(const Recipe& recipe, const RunPaths& paths, const RunCallbacks& callbacks, std::stop_token stop, JobFiles files,
      std::string request)
      : recipe_(recipe),
        paths_(paths),
        callbacks_(callbacks),
        stop_(std::move(stop)),
        files_(std::move(files)),
        request_(std::move(request)) {}

  Result<RunResult> run() {
    auto result = all_of_it();
    if (result) return result;
    if (is_disk_full(result.error())) status_.cause = disk_full_cause(result.error());
    static_cast<void>(files_.write_status(status_, true));  // with the cause; the error tells all
    return result;
  }

 private:
  Result<RunResult> all_of_it() {
    if (recipe_.device != kAnyDevice) TRY(open_device(recipe_.device, recipe_.n_threads));  // refused at once, or there
    TRY(load());
    TRY(plan());
    TRY(resume_or_begin());
    TRY(train());
    return finish();
  }
  Result<void> load();
  Result<void> load_data();
  Result<void> plan();
  Result<void> resume_or_begin();
  Result<void> train();
  Result<MetricPoint> one_step();
  Result<RunResult> finish();

  Result<void> say(const Phrase& phrase, double progress);
  Result<bool> evaluate(MetricPoint& point);
  Error diverged(const StepOutcome& outcome);
  Error diverged(double loss, std::string_view where);
  bool is_beyond_hope(double loss) const;
  Result<double> check_result(const PendingResult& pending, double loss);
  Result<void> checkpoint();
  Result<void> answer(const fs::path& model_path, std::string BeforeAfter::*where);
  bool checkpoint_is_due() const;
  std::string fingerprint() const;
  uint64_t data_seed() const { return static_cast<uint64_t>(recipe_.data.seed.value_or(recipe_.seed)); }

  const Recipe& recipe_;
  const RunPaths& paths_;
  const RunCallbacks& callbacks_;
  std::stop_token stop_;
  JobFiles files_;
  const std::string request_;

  Beginning base_;
  std::vector<Question> questions_;
  std::unique_ptr<Loader> train_data_, held_out_data_;
  uint64_t data_fingerprint_ = 0;
  DataFigures figures_;
  Setup setup_;
  LearningRateCourse course_;
  int64_t n_steps_ = 0;

  CheckpointState state_;
  RunStatus status_;
  std::vector<BeforeAfter> samples_;
  std::vector<double> speeds_;  // tokens/s of this process's steps
  int n_hopeless_ = 0;          // steps in a row
  Clock::time_point started_ = Clock::now(), last_checkpoint_ = Clock::now();
};

Result<void> Run::say(const Phrase& phrase, double progress) {
  hearth::say(status_, phrase);
  status_.progress = progress;
  if (callbacks_.on_status) callbacks_.on_status(status_);
  return files_.write_status(status_, true);
}

Result<void> Run::load() {
  TRY(say({"loading_model"}, 0));
  base_ = TRY(load_base(recipe_, paths_.model));
  TRY(check_can_write(recipe_, base_));
  if (recipe_.data.max_seq_len > base_.config.max_seq_len)
    return error(Code::invalid_argument, "data.max_seq_len {} is more than the model's context of {} tokens",
                 recipe_.data.max_seq_len, base_.config.max_seq_len);
  TRY(say({"reading_data"}, 0.005));
  TRY(load_data());
  return {};
}

Result<void> Run::load_data() {
  TrainingData data =
      TRY(read_training_data(recipe_.data, base_, {.seed = data_seed(), .n_questions = recipe_.eval.n_samples}));
  data_fingerprint_ = data.fingerprint;
  figures_ = data.figures;
  LoaderOptions options{.max_seq_len = recipe_.data.max_seq_len, .pack = recipe_.data.pack, .seed = data_seed()};
  train_data_ = std::make_unique<Loader>(std::move(data.train), options);
  options.shuffle = false;
  held_out_data_ = std::make_unique<Loader>(std::move(data.held_out), options);
  questions_ = choose_questions(data.questions, recipe_.eval.n_samples);
  if (train_data_->n_rows() == 0)
    return error(Code::invalid_argument, "{} holds nothing that could be learned", recipe_.data.path);
  if (callbacks_.on_data) callbacks_.on_data(figures_, data.unused_keys);
  return {};
}

Result<void> Run::plan() {
  TRY(say({"preparing"}, 0.01));
  const RecipeBatch& batch = recipe_.batch;
  const StepperOptions options{.n_tokens = batch.rows * recipe_.data.max_seq_len,
                               .recompute = batch.recompute,
                               .accumulates = batch.gradient_accumulation > 1,
                               .optimizer = optimizer_of(recipe_.optimizer)};
  setup_ = TRY(open_setup(recipe_, base_, options));
  if (setup_.backend->is_host_memory())
    TRY(check_memory(setup_.stepper->memory_bytes(), "the training step", status_.cause));
  status_.device = setup_.device.name;
  status_.device_reason = setup_.device.reason;
  if (callbacks_.on_device) callbacks_.on_device(setup_.device);
  n_steps_ = count_steps(recipe_, train_data_->n_rows());
  course_ = course_of(recipe_, n_steps_);
  return {};
}

// What must not change between a checkpoint and its continuation.
std::string Run::fingerprint() const {
  Json json = to_json_value(recipe_);
  for (const char* key : {"output", "checkpoint", "eval", "n_threads", "device"}) json.erase(key);
  for (const char* key : {"path", "eval_path", "name"}) json["data"].erase(key);
  uint64_t h = hash64(dump_json(json), data_fingerprint_);
  h = hash64(config_to_hf(base_.config, "float32", std::nullopt, {}), h);
  for (const auto& [role, view] : base_.weights)
    h = hash64({static_cast<const char*>(view.data), static_cast<size_t>(std::min<int64_t>(view.type.bytes(), 256))},
               h);
  return fmt::format("{:016x}", h);
}

Result<void> Run::resume_or_begin() {
  const fs::path folder = files_.folder() / "checkpoints";
  samples_ = TRY(files_.read_samples());
  if (auto found = TRY(load_checkpoint(folder, fingerprint(), setup_.model->trainables))) {
    state_ = std::move(*found);
    train_data_->restore({state_.epoch, state_.row});
    status_.eval_loss_before = state_.eval_loss_before;
    status_.loss = state_.loss;
    status_.eval_loss_after = state_.eval_loss_best;
    status_.eval_loss_last = state_.eval_loss_last;
    status_.kept_step = static_cast<int>(state_.best_step);
  } else {
    state_.fingerprint = fingerprint();
    TRY(say({"measuring_before"}, 0.015));
    state_.eval_loss_before =
        TRY(held_out_loss(*setup_.stepper, *held_out_data_, recipe_.batch.rows, recipe_.eval.max_rows));
    status_.eval_loss_before = state_.eval_loss_before;
    samples_ = blank_samples(questions_);
    if (!base_.weights.empty()) TRY(answer(paths_.model, &BeforeAfter::before));
    TRY(files_.write_samples(samples_));
  }
  return files_.keep_metrics_up_to(state_.step);
}

Result<void> Run::answer(const fs::path& model_path, std::string BeforeAfter::*where) {
  if (samples_.empty()) return {};
  const std::vector<std::string> answers = TRY(answer_questions(
      model_path, questions_, {recipe_.eval.max_answer_tokens, recipe_.n_threads, setup_.device.name}));
  for (size_t i = 0; i < std::min(samples_.size(), answers.size()); ++i) samples_[i].*where = answers[i];
  return {};
}

bool Run::checkpoint_is_due() const {
  if (state_.step == n_steps_) return true;
  if (recipe_.checkpoint.every_steps > 0 && state_.step % recipe_.checkpoint.every_steps == 0) return true;
  return Clock::now() - last_checkpoint_ >= kLongestWithoutCheckpoint;
}

Result<void> Run::checkpoint() {
  TRY(files_.sync_metrics());
  TRY(save_checkpoint(files_.folder() / "checkpoints", state_, setup_.model->trainables, recipe_.checkpoint.keep));
  last_checkpoint_ = Clock::now();
  return {};
}

Error Run::diverged(const StepOutcome& outcome) {
  std::string where = "no single gradient";
  const auto gradients = setup_.stepper->gradients();
  for (size_t i = 0; gradients && i < setup_.model->trainables.size(); ++i) {
    const TensorView& g = (*gradients)[i].view;
    if (std::all_of(g.f32(), g.f32() + g.shape().n_elements(), [](float x) { return std::isfinite(x); })) continue;
    where = "the gradient of " + setup_.model->trainables[i].name;
    break;
  }
  return diverged(outcome.loss, fmt::format(", gradient norm {}, first seen in {}", outcome.grad_norm, where));
}

Error Run::diverged(double loss, std::string_view where) {
  const int64_t step = std::max<int64_t>(1, state_.step + (std::isfinite(loss) ? 0 : 1));
  status_.cause = {"diverged", {{"step", std::to_string(step)}, {"loss", fmt::format("{:.4g}", loss)}}};
  return error(Code::failed_precondition,
               "training diverged at step {}: the loss became {:.4g} (it was {:.4g} at the first step{}); lower "
               "optimizer.learning_rate (now {}) or lengthen the warm-up",
               step, loss, state_.first_loss, where, recipe_.optimizer.learning_rate);
}

// Guessing at random costs log(vocabulary); twice that, or twice where it began, is no training any more.
bool Run::is_beyond_hope(double loss) const {
  const double random = std::log(static_cast<double>(base_.config.vocab_size));
  return !(loss <= 2 * std::max({random, state_.first_loss, state_.eval_loss_before.value_or(0)}));
}

Result<MetricPoint> Run::one_step() {
  const auto start = Clock::now();
  std::vector<Batch> batches(static_cast<size_t>(recipe_.batch.gradient_accumulation));
  for (Batch& batch : batches) train_data_->next(recipe_.batch.rows, batch);
  const double rate = course_.at(state_.step + 1);
  const StepOutcome outcome = TRY(setup_.stepper->step(batches, rate, state_.step + 1));
  if (!outcome.is_finite) return diverged(outcome);
  const double seconds = seconds_since(start);
  if (state_.step == 0) state_.first_loss = outcome.loss;
  ++state_.step;
  n_hopeless_ = is_beyond_hope(outcome.loss) ? n_hopeless_ + 1 : 0;
  if (n_hopeless_ >= kHopelessSteps) return diverged(outcome.loss, "");
  state_.epoch = train_data_->state().epoch;
  state_.row = train_data_->state().row;
  state_.n_learned += outcome.n_learned;
  state_.loss = outcome.loss;
  state_.seconds += seconds;
  speeds_.push_back(static_cast<double>(outcome.n_tokens) / std::max(1e-9, seconds));
  return MetricPoint{.step = static_cast<int>(state_.step),
                     .loss = outcome.loss,
                     .learning_rate = rate,
                     .grad_norm = outcome.grad_norm,
                     .tokens_per_s = speeds_.back(),
                     .seconds = state_.seconds,
                     .eval_loss = {},
                     .device = setup_.device.name};
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

// True: the best so far.
Result<bool> Run::evaluate(MetricPoint& point) {
  const RecipeEval& eval = recipe_.eval;
  const bool is_due = state_.step == n_steps_ || (eval.every_steps > 0 && state_.step % eval.every_steps == 0);
  if (!is_due) return false;
  point.eval_loss = TRY(held_out_loss(*setup_.stepper, *held_out_data_, recipe_.batch.rows, eval.max_rows));
  if (!point.eval_loss) return false;
  status_.eval_loss_last = state_.eval_loss_last = point.eval_loss;
  if (!std::isfinite(*point.eval_loss) || (state_.eval_loss_best && *state_.eval_loss_best <= *point.eval_loss))
    return false;
  status_.eval_loss_after = state_.eval_loss_best = point.eval_loss;
  state_.best_step = state_.step;
  status_.kept_step = static_cast<int>(state_.best_step);
  return true;
}

Result<void> Run::train() {
  while (state_.step < n_steps_) {
    MetricPoint point = TRY(one_step());
    const bool is_best = TRY(evaluate(point));
    TRY(files_.append(point));
    hearth::say(status_, {"training", {{"step", std::to_string(state_.step)}, {"of", std::to_string(n_steps_)}}});
    status_.progress = 0.02 + 0.93 * static_cast<double>(state_.step) / static_cast<double>(n_steps_);
    status_.loss = point.loss;
    status_.seconds_left =
        state_.seconds / static_cast<double>(state_.step) * static_cast<double>(n_steps_ - state_.step);
    TRY(files_.write_status(status_, false));
    if (callbacks_.on_metric) callbacks_.on_metric(point);
    if (callbacks_.on_status) callbacks_.on_status(status_);
    const bool stop = stop_.stop_requested();
    if (stop || is_best || checkpoint_is_due()) TRY(checkpoint());
    if (stop)
      return error(Code::cancelled, "stopped after step {} of {}; started again, the run goes on from there",
                   state_.step, n_steps_);
  }
  status_.seconds_left.reset();
  return {};
}

// Compares the result, served, with the trainer. Weights that training has ruined are named as that.
Result<double> Run::check_result(const PendingResult& pending, double loss) {
  Loader& seen = held_out_data_->n_rows() > 0 ? *held_out_data_ : *train_data_;
  double worst = 0;
  for (const PendingResult::Served& served : pending.served()) {
    auto difference = check_parity(*setup_.model, base_, served.path, served.tolerance, seen, questions_,
                                   recipe_.n_threads, *setup_.backend);
    if (!difference && loss > state_.eval_loss_before.value_or(state_.first_loss)) return diverged(loss, "");
    worst = std::max(worst, TRY(std::move(difference)));
  }
  return worst;
}

Result<RunResult> Run::finish() {
  TRY(say({"measuring_after"}, 0.95));
  if (state_.best_step > 0 && state_.best_step != state_.step)
    TRY(load_weights(files_.folder() / "checkpoints", state_.best_step, setup_.model->trainables));
  const double loss = state_.eval_loss_best.value_or(state_.loss);
  if (is_beyond_hope(loss) || (state_.eval_loss_last && !state_.eval_loss_best)) return diverged(loss, "");
  RunResult result;
  result.eval_loss_before = state_.eval_loss_before;
  result.eval_loss_after = state_.eval_loss_best;
  result.eval_loss_last = state_.eval_loss_last;
  result.kept_step = static_cast<int>(state_.best_step > 0 ? state_.best_step : state_.step);
  status_.kept_step = result.kept_step;
  setup_.stepper.reset();  // its room is for the result, served
  TRY(say({"writing_result"}, 0.96));
  PendingResult pending = TRY(write_result(files_.folder(), recipe_, base_, *setup_.model));
  TRY(say({"comparing"}, 0.97));
  result.parity_max_error = TRY(check_result(pending, loss));
  TRY(say({"answering_held_out"}, 0.98));
  TRY(answer(pending.model_path(), &BeforeAfter::after));
  TRY(files_.write_samples(samples_));
  const std::vector<fs::path> published = TRY(pending.publish());
  result.result = published.front().string();
  if (setup_.model->lora.rank > 0) result.adapter = published.back().string();
  result.n_steps = static_cast<int>(state_.step);
  result.n_tokens = state_.n_learned;
  result.first_loss = state_.first_loss;
  result.final_loss = state_.loss;
  result.seconds = seconds_since(started_);
  result.tokens_per_s = median(speeds_);
  result.data = figures_;
  result.device = setup_.device.name;
  result.device_reason = setup_.device.reason;
  TRY(files_.write_summary(result, request_));
  status_.seconds_left = 0;
  TRY(say({"done"}, 1));
  return result;
}

Result<uint64_t> hash_file(const fs::path& path, uint64_t seed) {
  Fd fd = TRY(open_file(path, O_RDONLY));
  std::vector<char> buffer(1 << 20);
  for (;;) {
    const ssize_t n = ::read(fd.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error("read", path, errno);
    if (n == 0) return seed;
    seed = hash64({buffer.data(), static_cast<size_t>(n)}, seed);
  }
}

// A file's bytes, or the names and bytes of a folder's files.
Result<uint64_t> hash_data(const fs::path& path, uint64_t seed) {
  std::error_code ec;
  if (!fs::is_directory(path, ec)) return hash_file(path, seed);
  std::vector<fs::path> files;
  for (fs::directory_iterator it(path, ec), end; !ec && it != end; it.increment(ec))
    if (it->is_regular_file(ec)) files.push_back(it->path());
  if (ec) return errno_error("list", path, ec.value());
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) seed = TRY(hash_file(file, hash64(file.filename().string(), seed)));
  return seed;
}

// What was asked for: the recipe and the bytes of its data.
Result<std::string> request_of(const Recipe& recipe) {
  Json json = to_json_value(recipe);
  json.erase("device");  // what was computed on is no other request
  uint64_t h = hash64(dump_json(json), 0);
  for (const std::string& path : {recipe.data.path, recipe.data.eval_path})
    if (!path.empty()) h = TRY(hash_data(path, h));
  return fmt::format("{:016x}", h);
}

}  // namespace

Result<RunResult> run_training(const Recipe& recipe, const RunPaths& paths, const RunCallbacks& callbacks,
                               std::stop_token stop) {
  TRY(validate(recipe));
  JobFiles files = TRY(JobFiles::open(paths.job));
  const std::string request = TRY(request_of(recipe));
  if (auto finished = TRY(files.read_summary(request))) return *finished;
  Run run(recipe, paths, callbacks, std::move(stop), std::move(files), request);
  return run.run();
}

}  // namespace hearth::train
