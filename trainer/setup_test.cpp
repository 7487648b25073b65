// Training on a device: whole runs on the emulator end in the CPU's losses; a device that computes something else is
// not used, and one that is not there is refused before anything starts. HEARTH_TEST_DEVICE names another device than
// the emulator: the GPU, in `./dev gpu`.
#include "trainer/setup.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "trainer/run.h"
#include "trainer/test_model.h"

namespace hearth::train::setup_test {
namespace {

namespace fs = std::filesystem;

std::string test_device() {
  const char* other = std::getenv("HEARTH_TEST_DEVICE");
  return other != nullptr ? other : "emulated";
}
// The emulator computes in f32; a GPU may round what products read.
double tolerance() {
  return test_device() == "emulated" ? 1e-4 : 2e-2;
}

class DeviceRun : public ::testing::Test {
 protected:
  void SetUp() override {
    make_tiny_folder(path("tiny"));
    ASSERT_TRUE(write_file(path("data.jsonl"), plus_one_jsonl(40)));
  }
  fs::path path(const std::string& name) const { return temp_.path() / name; }

  Recipe recipe(const std::string& device) const {
    Recipe r;
    r.model.from_scratch = path("tiny").string();
    r.data.path = path("data.jsonl").string();
    r.data.max_seq_len = 48;
    r.batch.rows = 1;
    r.schedule.n_steps = 3;
    r.optimizer.learning_rate = 5e-3;
    r.eval.max_rows = 1, r.eval.n_samples = 1, r.eval.max_answer_tokens = 2;
    r.checkpoint.every_steps = 1;
    r.output.dtype = "f32";
    r.n_threads = 2;
    r.device = device;
    return r;
  }
  RunResult run(const Recipe& r, const std::string& job, const fs::path& model = {}) {
    auto result = run_training(r, {path(job), model}, {}, {});
    if (!result) ADD_FAILURE() << result.error().to_string();
    return result ? *result : RunResult();
  }
  std::vector<double> losses(const std::string& job) const {
    std::vector<double> out;
    std::ifstream lines(path(job) / "metrics.jsonl");
    for (std::string line; std::getline(lines, line);) out.push_back((*parse_json(line))["loss"].get<double>());
    return out;
  }
  void expect_same_losses(const std::string& a, const std::string& b, size_t n) const {
    const std::vector<double> x = losses(a), y = losses(b);
    ASSERT_EQ(x.size(), n);
    ASSERT_EQ(y.size(), n);
    for (size_t i = 0; i < n; ++i) EXPECT_NEAR(x[i], y[i], tolerance() * x[i]) << "step " << i + 1;
  }
  TempFolder temp_ = *TempFolder::create("device-run");
};

TEST_F(DeviceRun, FromScratchThenLoraAsOnTheCpu) {
  const RunResult host = run(recipe("cpu"), "host"), device = run(recipe(test_device()), "device");
  EXPECT_EQ(host.device, "cpu");
  EXPECT_EQ(device.device, test_device());
  expect_same_losses("host", "device", 3);
  EXPECT_NEAR(*host.eval_loss_after, *device.eval_loss_after, tolerance() * *host.eval_loss_after);
  EXPECT_LT(device.parity_max_error, 50 * tolerance());
  std::ifstream metrics(path("device") / "metrics.jsonl");
  std::string first;
  std::getline(metrics, first);
  EXPECT_EQ((*parse_json(first))["device"], test_device());
  const auto status = from_json<RunStatus>(*parse_json(*read_file(path("device") / "status.json")));
  ASSERT_TRUE(status);
  EXPECT_EQ(status->device, test_device());

  for (const std::string& name : {std::string("cpu"), test_device()}) {
    Recipe r = recipe(name);
    r.model = {.init = host.result, .from_scratch = ""};
    r.method = {.type = "lora", .rank = 2, .alpha = 4, .targets = {}};
    r.batch.gradient_accumulation = 2;
    EXPECT_FALSE(run(r, "lora-" + name, host.result).adapter.empty());
  }
  expect_same_losses("lora-cpu", "lora-" + test_device(), 3);
}

// Weights and means come from a checkpoint through the device, and the run ends as one that was never stopped.
TEST_F(DeviceRun, GoesOnFromACheckpoint) {
  run(recipe(test_device()), "whole");
  std::stop_source stop;
  RunCallbacks callbacks;
  callbacks.on_metric = [&](const MetricPoint&) { stop.request_stop(); };
  const auto stopped = run_training(recipe(test_device()), {path("parts"), {}}, callbacks, stop.get_token());
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, Code::cancelled) << stopped.error().to_string();
  run(recipe(test_device()), "parts");
  EXPECT_EQ(losses("whole"), losses("parts"));
  EXPECT_EQ(*read_file(path("whole") / "result/model.safetensors"),
            *read_file(path("parts") / "result/model.safetensors"));
}

TEST_F(DeviceRun, AWrongDeviceIsRefusedBeforeAnythingStarts) {
  for (const auto& [name, code] : {std::pair{"gpu", Code::invalid_argument},
                                   {"cpu:1", Code::invalid_argument},
                                   {"", Code::invalid_argument},
                                   {"cuda:99", Code::failed_precondition}}) {
    SCOPED_TRACE(name);
    Recipe r = recipe(name);
    r.data.path = path("data.jsonl").string();
    r.model.from_scratch = path("there is no such model").string();
    const auto refused = run_training(r, {path("job"), {}}, {}, {});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, code) << refused.error().to_string();
    EXPECT_EQ(losses("job").size(), 0u);
  }
}

TEST_F(DeviceRun, AnyDeviceEndsOnTheCpuWithAReasonWhereThereIsAnother) {
  std::string reason;
  if (!devices_to_try(reason).empty()) GTEST_SKIP() << "this box has an accelerator";
  const RunResult result = run(recipe("auto"), "auto");
  EXPECT_EQ(result.device, "cpu");
  EXPECT_EQ(result.device_reason, reason);
}

// The CPU with memory of its own, in which the first number of what is written is wrong.
class WrongBackend final : public Backend {
 public:
  explicit WrongBackend(float error) : error_(error) {}
  std::string name() const override { return "wrong"; }
  const KernelTable& kernels() const override { return cpu_->kernels(); }
  bool is_host_memory() const override { return false; }
  Result<Buffer> allocate(int64_t bytes) override { return cpu_->allocate(bytes); }
  Result<void> write(std::byte* to, const void* host, int64_t bytes) override {
    TRY(cpu_->write(to, host, bytes));
    if (bytes > 4096) *reinterpret_cast<float*>(to) += error_;
    return {};
  }
  Result<void> read(void* host, const std::byte* from, int64_t bytes) override { return cpu_->read(host, from, bytes); }
  Result<std::unique_ptr<Tape>> record(std::vector<Call> calls) override { return cpu_->record(std::move(calls)); }

 private:
  std::unique_ptr<CpuBackend> cpu_ = open_cpu(1);
  float error_;
};

TEST(Setup, TellsADeviceThatComputesSomethingElse) {
  const TinyBase base(true);
  for (const char* method : {"full", "lora"}) {
    SCOPED_TRACE(method);
    Recipe r;
    r.method.type = method;
    r.method.rank = 2;
    WrongBackend right(0), wrong(30);
    EXPECT_EQ(*difference_from_host(r, base.model, right), 0);
    EXPECT_GT(*difference_from_host(r, base.model, wrong), 0.2);
    EXPECT_LT(*difference_from_host(r, base.model, **open_device(test_device(), 1)), 10 * tolerance());
  }
}

// Of a deep model the first layers are compared, with weights of theirs alone.
TEST(Setup, ComparesTheFirstLayersOfADeepModel) {
  TinyBase base(true);
  base.model.config.n_layers = 12;
  base.model.parameters = (*find_architecture("llama"))->parameters(base.model.config);
  for (const ParameterSpec& spec : base.model.parameters) {
    Tensor& t = base.tensors[spec.role] = Tensor({Dtype::f32, spec.shape});
    initialise(spec, base.model.config, 5, t.view());
    base.model.weights[spec.role] = t.view();
  }
  Recipe r;
  r.method.type = "lora";
  WrongBackend right(0);
  const auto difference = difference_from_host(r, base.model, right);
  ASSERT_TRUE(difference) << difference.error().to_string();
  EXPECT_EQ(*difference, 0);
}

}  // namespace
}  // namespace hearth::train::setup_test
