// What the fake box holds: one bundled model, a few larger ones, and a stick with three packs.
#include <cmath>

#include "gui/client/fake_client.h"
#include "gui/components/format.h"

namespace hearth::gui {

api::Box fakeBox() {
  return {.hostname = "hearth",
          .version = "0.1.0",
          .cpu_model = "AMD Ryzen 9 7950X",
          .n_cores = 16,
          .ram_bytes = 67'300'000'000,
          .ram_available_bytes = 51'200'000'000,
          .disk_bytes = 2'000'000'000'000,
          .disk_free_bytes = 1'310'000'000'000,
          .gpus = {"NVIDIA GeForce RTX 4090"},
          .state_dir = "/var/lib/hearth",
          .listen = "127.0.0.1:8080",
          .started_at = nowSeconds() - 86'400};
}

std::vector<api::Model> fakeModels() {
  double now = nowSeconds();
  return {
      {.name = "hearth-small",
       .family = "llama",
       .dtype = "bf16",
       .source = "bundled",
       .license = "Apache-2.0",
       .description = "Small helper that knows this handbook",
       .state = "deployed",
       .size_bytes = 9'400'000,
       .n_params = 4'700'000,
       .max_seq_len = 2048,
       .has_chat_template = true,
       .bundled = true,
       .installed_at = now - 9e5,
       .origin = {"came_with_box"}},
      {.name = "qwen-4b",
       .display_name = "通义千问 4B",
       .family = "llama",
       .dtype = "q8_0",
       .source = "pack from /media/HEARTH-2026-10",
       .license = "Apache-2.0",
       .description = "All-round chat in many languages",
       .state = "installed",
       .size_bytes = 4'280'000'000,
       .n_params = 4'020'000'000,
       .max_seq_len = 32768,
       .has_chat_template = true,
       .installed_at = now - 5e5,
       .origin = {"from_pack", {{"from", "/media/HEARTH-2026-10"}}}},
      {.name = "llama-70b",
       .family = "llama",
       .dtype = "q8_0",
       .source = "import of /data/llama-70b",
       .license = "",
       .description = "Large and thoughtful",
       .state = "installed",
       .size_bytes = 74'900'000'000,
       .n_params = 70'600'000'000,
       .max_seq_len = 8192,
       .has_chat_template = true,
       .installed_at = now - 2e5,
       .origin = {"imported", {{"from", "/data/llama-70b"}}}},
      {.name = "house-rules",
       .family = "llama",
       .dtype = "bf16",
       .source = "training job h1",
       .license = "Apache-2.0",
       .state = "installed",
       .size_bytes = 9'400'000,
       .n_params = 4'700'000,
       .max_seq_len = 2048,
       .has_chat_template = true,
       .parent = "hearth-small",
       .installed_at = now - 9100,
       .origin = {"trained_here", {{"job", "h1"}}}},
  };
}

api::PackSource fakeStick() {
  return {
      .path = "/media/HEARTH-2026-11",
      .label = "HEARTH-2026-11",
      .removable = true,
      .packs = {
          {.name = "mistral-7b",
           .version = "1.3",
           .description = "Fast writer, good at summaries",
           .license = "Apache-2.0",
           .digest = "sha256:5b1f0c",
           .status = "trusted",
           .size_bytes = 7'700'000'000},
          {.name = "hearth-small",
           .version = "1.0",
           .description = "Small helper that knows this handbook",
           .license = "Apache-2.0",
           .digest = "sha256:77ae21",
           .status = "trusted",
           .size_bytes = 9'400'000,
           .installed = true},
          {.name = "story-1b",
           .version = "0.9",
           .description = "Bedtime stories",
           .license = "MIT",
           .digest = "sha256:c0ffee",
           .status = "untrusted",
           .size_bytes = 1'200'000'000,
           .problem = "signed by a key that this box does not trust; ask the sender for the key and add it to trust/"},
          {.name = "coder-3b",
           .version = "2.0",
           .description = "Writes small programs",
           .license = "MIT",
           .digest = "sha256:badbad",
           .status = "damaged",
           .size_bytes = 3'100'000'000,
           .problem = "model.safetensors does not match its checksum; copy the pack to the stick again"},
      }};
}

std::vector<api::Job> fakeHistory() {
  double now = nowSeconds();
  return {
      {.id = "h1",
       .kind = "train",
       .title = "Train hearth-small on front-desk.jsonl",
       .state = "done",
       .step = "done",
       .model = "hearth-small",
       .result_model = "house-rules",
       .progress = 1,
       .created_at = now - 9300,
       .started_at = now - 9300,
       .finished_at = now - 9100,
       .loss = 1.58,
       .eval_loss_before = 3.41,
       .eval_loss_after = 1.92,
       .device = "cuda:0"},
      {.id = "h2",
       .kind = "train",
       .title = "Train qwen-4b on tickets.jsonl",
       .state = "failed",
       .reason = "the training step needs 9120 MiB of memory, 6410 MiB are available",
       .model = "qwen-4b",
       .cause = {"too_little_memory", {{"needed", "9120"}, {"available", "6410"}}},
       .progress = 0.1,
       .created_at = now - 5400,
       .started_at = now - 5400,
       .finished_at = now - 5300},
  };
}

// The service's own: gui_e2e_test compares them with what a real one answers.
std::vector<api::TrainPreset> fakePresets() {
  return {
      {.id = "quick",
       .title = "Quick",
       .description = "A first look: does the model pick up your data at all? Minutes.",
       .method = "lora",
       .n_epochs = 1,
       .max_seq_len = 256,
       .lora_rank = 8,
       .learning_rate = 2e-4},
      {.id = "balanced",
       .title = "Balanced",
       .description = "The usual choice: several passes, a small adapter.",
       .method = "lora",
       .n_epochs = 3,
       .max_seq_len = 512,
       .lora_rank = 16,
       .learning_rate = 2e-4},
      {.id = "thorough",
       .title = "Thorough",
       .description = "More passes and a larger adapter, for data that must really stick.",
       .method = "lora",
       .n_epochs = 6,
       .max_seq_len = 1024,
       .lora_rank = 32,
       .learning_rate = 2e-4},
  };
}

std::vector<api::BeforeAfter> fakeSamples() {
  return {
      {.prompt = "When is the pool open on Sundays?",
       .before = "The pool is a place with water.",
       .after = "On Sundays the pool is open from 9 to 17.",
       .expected = "On Sundays the pool is open from 9 to 17."},
      {.prompt = "How do I book the meeting room?",
       .before = "You can book a room in a hotel.",
       .after = "Write to the front desk with date and time; they answer within an hour.",
       .expected = "Write to the front desk with the date and time."},
  };
}

QString fakeAnswer(const QString& question) {
  if (question.contains(QStringLiteral("U 盘")))
    return QStringLiteral(
        "插入 U 盘，打开**更新**页。安装之前，Hearth 会先校验每个模型包的签名：\n\n"
        "1. 选择模型包；\n2. 点击*安装*；\n3. 等待复制和校验完成。\n\n"
        "也可以在终端中操作：\n\n```sh\nhearth packs list --from /media/stick\nhearth packs install --from "
        "/media/stick\n```\n\n"
        "如果模型包已损坏，不会改动任何内容，并会告诉你需要重新复制哪个文件。");
  if (question.contains(QLatin1String("USB")))
    return QStringLiteral(
        "Plug the stick in and open **Updates**. Hearth checks every pack by its signature before you can install "
        "it:\n\n"
        "1. choose the pack,\n2. press *Install*,\n3. wait until it is copied and verified.\n\n"
        "The same from a terminal:\n\n```sh\nhearth packs list --from /media/stick\nhearth packs install --from "
        "/media/stick\n```\n\n"
        "Nothing is changed when a pack is damaged; you are told which file to copy again.");
  return QStringLiteral("You asked: %1\n\nThis is an offline preview, so the answer is always the same.").arg(question);
}

api::MetricPoint fakeMetric(int step, int nSteps) {
  double x = static_cast<double>(step) / nSteps;
  api::MetricPoint point{.step = step,
                         .loss = 1.55 + 2.1 * std::exp(-3.2 * x) + 0.09 * std::sin(step * 1.7),
                         .learning_rate = 1e-4 * (1 - x),
                         .grad_norm = 0.8,
                         .tokens_per_s = 812,
                         .seconds = step * 2.6};
  if (step % 10 == 0) point.eval_loss = 1.78 + 1.7 * std::exp(-3.0 * x);
  return point;
}

}  // namespace hearth::gui
