// The management API's types: ONE header for hearthd, the CLI and the desktop. Each struct is its own JSON schema
// (base/describe.h); sizes are bytes, times are seconds since 1970 (double) unless the name says otherwise.
// The chat surface (/v1/...) is OpenAI's and is described in inference/openai/.
//
//   GET    /hearth/v1/box                       Box
//   GET    /hearth/v1/hardware                  hwdetect's HardwareProfile document
//   GET    /hearth/v1/models                    {models: [Model]}
//   GET    /hearth/v1/models/{name}             Model
//   DELETE /hearth/v1/models/{name}             {}                       409 while deployed
//   POST   /hearth/v1/models/import             ImportRequest → Job
//   GET    /hearth/v1/models/{name}/fit         Fit
//   GET    /hearth/v1/packs/sources             {sources: [PackSource]}  sticks and folders that hold packs now
//   POST   /hearth/v1/packs/scan                {path} → PackSource
//   POST   /hearth/v1/packs/install             InstallRequest → Job
//   POST   /hearth/v1/packs/export              ExportRequest → Job
//   GET    /hearth/v1/store                     DiskUse
//   POST   /hearth/v1/store/free                Freed                    deletes files that no model uses
//   GET    /hearth/v1/deployments               {deployments: [Deployment]}
//   POST   /hearth/v1/deployments               DeployRequest → Deployment   (202; 507 when it does not fit)
//   DELETE /hearth/v1/deployments/{model}       {}
//   GET    /hearth/v1/datasets                  {datasets: [Dataset]}
//   POST   /hearth/v1/datasets?name=N           body: the file's bytes → Dataset
//   DELETE /hearth/v1/datasets/{id}             {}
//   GET    /hearth/v1/datasets/{id}/preview     DatasetPreview
//   GET    /hearth/v1/presets                   {presets: [TrainPreset]}
//   POST   /hearth/v1/jobs/estimate             TrainRequest → TrainEstimate
//   POST   /hearth/v1/jobs                      TrainRequest → Job
//   GET    /hearth/v1/jobs                      {jobs: [Job]}
//   GET    /hearth/v1/jobs/{id}                 Job
//   GET    /hearth/v1/jobs/{id}/metrics         {points: [MetricPoint]}
//   GET    /hearth/v1/jobs/{id}/samples         {samples: [BeforeAfter]}
//   POST   /hearth/v1/jobs/{id}/cancel          Job
//   DELETE /hearth/v1/jobs/{id}                 {}                       409 while it is not over
//   GET    /hearth/v1/events                    SSE; each data line is an Event
//   GET    /hearth/v1/openapi.json              the OpenAPI document of all of this
// Errors are OpenAI's shape everywhere: {"error": {"message", "type", "code"}} with http_status(code).
#pragma once

#include "base/describe.h"
#include "base/phrase.h"
#include "base/training_records.h"

namespace hearth::api {

inline constexpr std::array kModelKinds{"model", "adapter"};
inline constexpr std::array kModelStates{"installed", "deployed"};
inline constexpr std::array kDeploymentStates{"starting", "ready", "restarting", "failed", "stopping"};
inline constexpr std::array kJobKinds{"train", "install", "import", "export"};
inline constexpr std::array kJobStates{"queued", "running", "done", "failed", "cancelled"};
inline constexpr std::array kEventKinds{"job", "deployment", "model", "pack_source", "box"};
using ModelKind = Word<kModelKinds>;
using ModelState = Word<kModelStates>;
using DeploymentState = Word<kDeploymentStates>;
using JobKind = Word<kJobKinds>;
using JobState = Word<kJobStates>;
using EventKind = Word<kEventKinds>;

struct Box {
  std::string hostname, version, cpu_model;
  int n_cores = 0;
  uint64_t ram_bytes = 0, ram_available_bytes = 0, disk_bytes = 0, disk_free_bytes = 0;
  std::vector<std::string> gpus;
  std::string state_dir, listen;
  double started_at = 0;
  static constexpr auto kFields = std::tuple{
      field("hostname", &Box::hostname, "host name"),
      field("version", &Box::version, "Hearth's version"),
      field("cpu_model", &Box::cpu_model, "CPU model, empty when unknown"),
      field("n_cores", &Box::n_cores, "CPU cores usable by this service"),
      field("ram_bytes", &Box::ram_bytes, "memory of the box"),
      field("ram_available_bytes", &Box::ram_available_bytes, "memory that can be used now"),
      field("disk_bytes", &Box::disk_bytes, "size of the filesystem that holds the state"),
      field("disk_free_bytes", &Box::disk_free_bytes, "free on it"),
      field("gpus", &Box::gpus, "names of the GPUs"),
      field("state_dir", &Box::state_dir, "where all state lives"),
      field("listen", &Box::listen, "address of the API"),
      field("started_at", &Box::started_at, "when the service started"),
  };
};

struct Model {
  std::string name, display_name;
  ModelKind kind;
  std::string version, family, dtype, source, license, description;
  ModelState state;
  uint64_t size_bytes = 0, n_params = 0;
  int max_seq_len = 0;
  bool has_chat_template = false, bundled = false;
  std::optional<std::string> parent;
  double installed_at = 0;
  Phrase origin;
  static constexpr auto kFields = std::tuple{
      field("name", &Model::name, "name in the store: letters, digits, '.', '_' and '-'"),
      field("display_name", &Model::display_name, "name for people, in any script"),
      field("version", &Model::version, "of the pack it came in; empty when it has none"),
      field("kind", &Model::kind, "an adapter is served merged into its parent"),
      field("family", &Model::family, "architecture, for example llama"),
      field("dtype", &Model::dtype, "storage type of most weights, for example bf16 or q8_0"),
      field("source", &Model::source, "pack, import or training job it came from"),
      field("license", &Model::license, "SPDX identifier, empty when unknown"),
      field("description", &Model::description, "one line for people"),
      field("state", &Model::state, "whether it is deployed"),
      field("size_bytes", &Model::size_bytes, "bytes on disk"),
      field("n_params", &Model::n_params, "number of parameters"),
      field("max_seq_len", &Model::max_seq_len, "longest context in tokens"),
      field("has_chat_template", &Model::has_chat_template, "can chat"),
      field("bundled", &Model::bundled, "came with the box"),
      field("parent", &Model::parent, "base model of an adapter, or of a fine-tuned model"),
      field("installed_at", &Model::installed_at, "when"),
      field("origin", &Model::origin, "where it came from, for programs that word it themselves"),
  };
};

struct Fit {
  std::string model, verdict, explanation;
  uint64_t weights_bytes = 0, kv_bytes = 0, total_bytes = 0, available_bytes = 0;
  std::optional<double> decode_tokens_per_s;
  static constexpr auto kFields = std::tuple{
      field("model", &Fit::model, "name"),
      field("verdict", &Fit::verdict, "fits | tight | too_large"),
      field("explanation", &Fit::explanation, "why, in words"),
      field("weights_bytes", &Fit::weights_bytes, "weights in memory"),
      field("kv_bytes", &Fit::kv_bytes, "KV cache at the default context"),
      field("total_bytes", &Fit::total_bytes, "predicted peak"),
      field("available_bytes", &Fit::available_bytes, "what the box has left"),
      field("decode_tokens_per_s", &Fit::decode_tokens_per_s,
            "predicted from measured bandwidth; null when not measured"),
  };
};

struct PackInfo {
  std::string name, display_name, version, description, license, digest, status;
  uint64_t size_bytes = 0;
  bool installed = false;
  std::string problem;
  static constexpr auto kFields = std::tuple{
      field("name", &PackInfo::name, "name of the model here: the one it has, or would be given"),
      field("display_name", &PackInfo::display_name, "name inside the pack, in any script"),
      field("version", &PackInfo::version, "pack version"),
      field("description", &PackInfo::description, "one line for people"),
      field("license", &PackInfo::license, "SPDX identifier"),
      field("digest", &PackInfo::digest, "manifest digest, sha256:..."),
      field("status", &PackInfo::status, "trusted | untrusted | damaged"),
      field("size_bytes", &PackInfo::size_bytes, "bytes to copy"),
      field("installed", &PackInfo::installed, "this very digest is in the store"),
      field("problem", &PackInfo::problem, "what is wrong and what to do; empty when trusted"),
  };
};

struct PackSource {
  std::string path, label;
  bool removable = false;
  std::vector<PackInfo> packs;
  static constexpr auto kFields = std::tuple{
      field("path", &PackSource::path, "folder that holds an OCI image layout"),
      field("label", &PackSource::label, "name of the stick or folder"),
      field("removable", &PackSource::removable, "on removable media"),
      field("packs", &PackSource::packs, "packs found there"),
  };
};

struct ScanRequest {
  std::string path;
  static constexpr auto kFields = std::tuple{field("path", &ScanRequest::path, "folder or stick").required()};
};

struct InstallRequest {
  std::string path, digest;
  bool deploy = false;
  std::string name;
  bool any_version = false;
  static constexpr auto kFields = std::tuple{
      field("path", &InstallRequest::path, "source folder").required(),
      field("digest", &InstallRequest::digest, "which pack; empty: the only one"),
      field("deploy", &InstallRequest::deploy, "deploy it when installed"),
      field("name", &InstallRequest::name, "name in the store; empty: the one it has already, or the pack's"),
      field("any_version", &InstallRequest::any_version,
            "also when it is older than what is installed, or cannot be ordered"),
  };
};

struct DiskUse {
  uint64_t models_bytes = 0, reclaimable_bytes = 0, free_bytes = 0, n_files = 0;
  static constexpr auto kFields = std::tuple{
      field("models_bytes", &DiskUse::models_bytes, "files of the models, each counted once"),
      field("reclaimable_bytes", &DiskUse::reclaimable_bytes, "files that no model uses"),
      field("free_bytes", &DiskUse::free_bytes, "free on the filesystem that holds the store"),
      field("n_files", &DiskUse::n_files, "files in the store"),
  };
};

struct Freed {
  uint64_t freed_bytes = 0;
  static constexpr auto kFields = std::tuple{field("freed_bytes", &Freed::freed_bytes, "what was deleted")};
};

struct ImportRequest {
  std::string path, name, base, version, description, license;
  static constexpr auto kFields = std::tuple{
      field("path", &ImportRequest::path, "Hugging Face folder, .gguf, .safetensors or PEFT adapter on this box")
          .required(),
      field("name", &ImportRequest::name, "name in the store; empty: from the path"),
      field("base", &ImportRequest::base, "of an adapter: its base model in the store; empty: the one that it names"),
      field("version", &ImportRequest::version, "to give it, for a pack that will be exported"),
      field("description", &ImportRequest::description, "one line for people"),
      field("license", &ImportRequest::license, "SPDX identifier; empty: what its README says"),
  };
};

struct ExportRequest {
  std::string model, path;
  static constexpr auto kFields = std::tuple{
      field("model", &ExportRequest::model, "model in the store").required(),
      field("path", &ExportRequest::path, "folder to write an OCI image layout to").required(),
  };
};

struct DeployRequest {
  std::string model;
  std::optional<int> max_seq_len;
  std::optional<int> n_threads;
  std::string device = "auto";
  bool exact = false, force = false;
  static constexpr auto kFields = std::tuple{
      field("model", &DeployRequest::model, "name in the store").required(),
      field("max_seq_len", &DeployRequest::max_seq_len, "context; null: the model's own, bounded by memory"),
      field("n_threads", &DeployRequest::n_threads, "CPU threads; null: all cores"),
      field("device", &DeployRequest::device,
            "auto: a GPU if the model runs on it, else the CPU; or cpu, cpu:deterministic, cuda, cuda:1"),
      field("exact", &DeployRequest::exact, "activations in full precision beside quantised weights: slower"),
      field("force", &DeployRequest::force, "although it does not fit into the free memory, which is refused else"),
  };
};

struct Deployment {
  std::string model;
  DeploymentState state;
  std::string step, reason;
  Phrase phrase, cause;
  int pid = 0, n_restarts = 0, max_seq_len = 0;
  uint64_t memory_bytes = 0;
  double started_at = 0;
  std::string device, device_reason, device_note;
  static constexpr auto kFields = std::tuple{
      field("model", &Deployment::model, "name in the store"),
      field("state", &Deployment::state, "whether it answers"),
      field("step", &Deployment::step, "what is happening now, in words"),
      field("phrase", &Deployment::phrase, "the same for programs, that word it themselves"),
      field("reason", &Deployment::reason, "why the engine last died or could not start; empty when fine"),
      field("cause", &Deployment::cause, "the same for programs, where it is one of the usual reasons"),
      field("pid", &Deployment::pid, "engine process, 0 when none"),
      field("n_restarts", &Deployment::n_restarts, "restarts since deployed"),
      field("max_seq_len", &Deployment::max_seq_len, "context in tokens"),
      field("memory_bytes", &Deployment::memory_bytes, "resident memory of the engine"),
      field("started_at", &Deployment::started_at, "when the engine started"),
      field("device", &Deployment::device, "what computes: cpu, cuda:0; empty until it is ready"),
      field("device_reason", &Deployment::device_reason, "why it is no GPU, where this box has one; else empty"),
      field("device_note", &Deployment::device_note, "which weights its memory has no room for; else empty"),
  };
};

struct DatasetProblem {
  int line = 0;
  std::string field_name, message;
  static constexpr auto kFields = std::tuple{
      field("line", &DatasetProblem::line, "1-based line in the file"),
      field("field", &DatasetProblem::field_name, "which field"),
      field("message", &DatasetProblem::message, "what is wrong and what was expected"),
  };
};

struct Dataset {
  std::string id, name, format;
  uint64_t size_bytes = 0;
  int n_examples = 0, n_distinct = 0;
  bool valid = false;
  std::vector<DatasetProblem> problems;
  std::vector<UnusedKey> unused_keys;
  LengthStats characters;
  double added_at = 0;
  static constexpr auto kFields = std::tuple{
      field("id", &Dataset::id, "identifier"),
      field("name", &Dataset::name, "file name"),
      field("format", &Dataset::format, "messages | alpaca | sharegpt | pairs | text"),
      field("size_bytes", &Dataset::size_bytes, "size of the file"),
      field("n_examples", &Dataset::n_examples, "usable examples"),
      field("n_distinct", &Dataset::n_distinct, "different ones among them"),
      field("valid", &Dataset::valid, "can be trained on"),
      field("problems", &Dataset::problems, "the first problems found"),
      field("unused_keys", &Dataset::unused_keys, "keys in the file that are not used"),
      field("characters", &Dataset::characters,
            "lengths of the examples in bytes of text; a training's estimate has them in tokens"),
      field("added_at", &Dataset::added_at, "when"),
  };
};

struct Message {
  std::string role, content;
  static constexpr auto kFields = std::tuple{
      field("role", &Message::role, "system | user | assistant").required(),
      field("content", &Message::content, "text").required(),
  };
};

// One message as it was understood.
struct DatasetMessage {
  std::string role, content, reasoning, tool_calls, name;
  bool is_learned = true;
  static constexpr auto kFields = std::tuple{
      field("role", &DatasetMessage::role, "system | user | assistant | tool").required(),
      field("content", &DatasetMessage::content, "text").required(),
      field("reasoning", &DatasetMessage::reasoning, "what the assistant thought first; often empty"),
      field("tool_calls", &DatasetMessage::tool_calls, "the assistant's calls, as JSON; often empty"),
      field("name", &DatasetMessage::name, "who speaks, or which tool answered; often empty"),
      field("is_learned", &DatasetMessage::is_learned, "an assistant's: whether it is trained on (weight 0: not)"),
  };
};

struct DatasetExample {
  std::vector<DatasetMessage> messages;
  std::string text;
  static constexpr auto kFields = std::tuple{
      field("messages", &DatasetExample::messages, "the conversation; empty for plain text"),
      field("text", &DatasetExample::text, "plain text; empty for conversations"),
  };
};

struct DatasetPreview {
  Dataset dataset;
  std::vector<DatasetExample> examples;
  static constexpr auto kFields = std::tuple{
      field("dataset", &DatasetPreview::dataset, "the dataset"),
      field("examples", &DatasetPreview::examples, "its first examples"),
  };
};

struct TrainPreset {
  std::string id, title, description, method;
  int n_epochs = 0, max_seq_len = 0, lora_rank = 0;
  double learning_rate = 0;
  static constexpr auto kFields = std::tuple{
      field("id", &TrainPreset::id, "quick | balanced | thorough"),
      field("title", &TrainPreset::title, "for people"),
      field("description", &TrainPreset::description, "what it is for"),
      field("method", &TrainPreset::method, "lora | full"),
      field("n_epochs", &TrainPreset::n_epochs, "passes over the data"),
      field("max_seq_len", &TrainPreset::max_seq_len, "tokens of one packed row"),
      field("lora_rank", &TrainPreset::lora_rank, "0 for full"),
      field("learning_rate", &TrainPreset::learning_rate, "peak"),
  };
};

struct TrainRequest {
  std::string model, dataset, preset, name;
  std::map<std::string, Json> overrides;
  static constexpr auto kFields = std::tuple{
      field("model", &TrainRequest::model, "base model in the store").required(),
      field("dataset", &TrainRequest::dataset, "dataset id").required(),
      field("preset", &TrainRequest::preset, "preset id; empty: balanced"),
      field("name", &TrainRequest::name, "name of the resulting model; empty: derived"),
      field("overrides", &TrainRequest::overrides,
            "recipe keys that differ from the preset, for example {\"optimizer.learning_rate\": 1e-4}"),
  };
};

struct TrainEstimate {
  int n_steps = 0, n_tokens = 0;
  double seconds = 0;
  uint64_t peak_memory_bytes = 0, available_bytes = 0;
  bool fits = false;
  DataFigures data;
  std::vector<UnusedKey> unused_keys;
  std::string device, device_reason, explanation;
  static constexpr auto kFields = std::tuple{
      field("n_steps", &TrainEstimate::n_steps, "optimizer steps"),
      field("n_tokens", &TrainEstimate::n_tokens, "tokens of one epoch"),
      field("seconds", &TrainEstimate::seconds, "predicted time"),
      field("peak_memory_bytes", &TrainEstimate::peak_memory_bytes, "predicted peak memory"),
      field("available_bytes", &TrainEstimate::available_bytes, "what the box has left"),
      field("fits", &TrainEstimate::fits, "peak below available"),
      field("data", &TrainEstimate::data, "what is trained on and held out, and how long the examples are"),
      field("unused_keys", &TrainEstimate::unused_keys, "keys in the data that are not used"),
      field("device", &TrainEstimate::device, "what will train: cpu, cuda:0"),
      field("device_reason", &TrainEstimate::device_reason, "why it is no GPU, where this box has one; else empty"),
      field("explanation", &TrainEstimate::explanation, "how it was predicted, in words"),
  };
};

struct Job {
  std::string id;
  JobKind kind;
  std::string title;
  JobState state;
  std::string step, reason, model, result_model, result_adapter;
  Phrase phrase, cause;
  double progress = 0, created_at = 0, started_at = 0, finished_at = 0;
  std::optional<double> seconds_left, loss, eval_loss_before, eval_loss_after, eval_loss_last;
  int kept_step = 0;
  int n_restarts = 0, n_interrupted = 0;
  std::string device, device_reason;
  static constexpr auto kFields = std::tuple{
      field("id", &Job::id, "identifier"),
      field("kind", &Job::kind, "what it does"),
      field("title", &Job::title, "for people"),
      field("state", &Job::state, "how far it is"),
      field("step", &Job::step, "what is happening now, in words"),
      field("phrase", &Job::phrase, "the same for programs, that word it themselves"),
      field("reason", &Job::reason, "why it failed and what to do"),
      field("cause", &Job::cause, "the same for programs, where it is one of the usual reasons"),
      field("model", &Job::model, "model it works on"),
      field("result_model", &Job::result_model, "model it made, empty until done; without output.merge an adapter"),
      field("result_adapter", &Job::result_adapter, "adapter that it made beside the model; empty: none"),
      field("progress", &Job::progress, "0 to 1"),
      field("created_at", &Job::created_at, "when"),
      field("started_at", &Job::started_at, "when, 0 if not yet"),
      field("finished_at", &Job::finished_at, "when, 0 if not yet"),
      field("seconds_left", &Job::seconds_left, "null when unknown"),
      field("loss", &Job::loss, "last training loss"),
      field("eval_loss_before", &Job::eval_loss_before, "held-out loss before training"),
      field("eval_loss_after", &Job::eval_loss_after, "held-out loss of the model that is kept: the best one"),
      field("eval_loss_last", &Job::eval_loss_last,
            "held-out loss when it was last measured; higher: training went on too long"),
      field("kept_step", &Job::kept_step, "the step whose weights are kept"),
      field("n_restarts", &Job::n_restarts, "how often the worker was restarted"),
      field("n_interrupted", &Job::n_interrupted,
            "how often the service died while it ran, since it last came further"),
      field("device", &Job::device, "what trains: cpu, cuda:0; empty of other jobs, and until it is chosen"),
      field("device_reason", &Job::device_reason, "why it is no GPU, where this box has one; else empty"),
  };
};

// As the trainer writes them.
using hearth::BeforeAfter;
using hearth::MetricPoint;

struct Event {
  uint64_t id = 0;
  double at = 0;
  EventKind kind;
  std::string subject, message;
  std::optional<Job> job;
  std::optional<Deployment> deployment;
  static constexpr auto kFields = std::tuple{
      field("id", &Event::id, "grows by one; Last-Event-ID resumes"),
      field("at", &Event::at, "when"),
      field("kind", &Event::kind, "what it is about"),
      field("subject", &Event::subject, "job id, model name or path"),
      field("message", &Event::message, "for people"),
      field("job", &Event::job, "the job as it is now, for kind job"),
      field("deployment", &Event::deployment, "the deployment as it is now, for kind deployment"),
  };
};

}  // namespace hearth::api
