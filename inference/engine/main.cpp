// hearth-engine: one deployed model behind the OpenAI API on a Unix socket. Started and watched by hearthd.
//   hearth-engine --state-dir D --model NAME --socket PATH [--max-seq-len N] [--threads T] [--slots K] [--force]
//   hearth-engine --path FOLDER|FILE.gguf --model NAME --socket PATH
#include <csignal>
#include <cstdio>

#include <CLI/CLI.hpp>

#include "base/http/server.h"
#include "base/log.h"
#include "hwdetect/memory.h"
#include "inference/engine/exit_codes.h"
#include "inference/fit.h"
#include "inference/openai/encoder_surface.h"
#include "inference/openai/surface.h"
#include "model_store/store.h"

namespace hearth {
namespace {

struct Arguments {
  std::string state_dir, path, model, socket, device = "auto";
  int max_seq_len = 0, n_threads = 0, n_slots = 4;
  bool exact = false, force = false;
};

struct Served {
  std::filesystem::path path;
  openai::ServedName names;
};

Result<Served> find_model(const Arguments& arguments) {
  if (!arguments.path.empty()) return Served{arguments.path, {arguments.model, ""}};
  const store::Store models = TRY(store::Store::open(arguments.state_dir, store::Mode::read_only));
  return Served{TRY(models.loader_path(arguments.model)),
                {arguments.model, TRY(models.find(arguments.model)).display_name}};
}

// Errors of the model and of the request; the others (memory, disk, sockets) may be gone at the next try.
bool is_final(Code code) {
  return code == Code::invalid_argument || code == Code::not_found || code == Code::unimplemented ||
         code == Code::data_loss || code == Code::failed_precondition;
}

// What the device that computes has left; of the host, what was copied while the model was loaded is in use already.
Result<uint64_t> available_for(const LoadedModel& model, const std::string& device) {
  if (!is_host_device(device))
    if (const int64_t free = TRY(open_device(device, 1))->free_bytes(); free > 0) return static_cast<uint64_t>(free);
  const uint64_t available = available_memory_bytes();
  return available == 0 ? 0 : available + model.copied_bytes;
}

// What a context is chosen beside: on a GPU, weights that it has no room for stay on the host, and half of its memory
// is for the others.
uint64_t weights_beside(const LoadedModel& model, const StepOptions& step, uint64_t available) {
  return is_host_device(step.device) || model.size_bytes < available ? model.size_bytes : available / 2;
}

// Of a GPU: its own, and what the host's memory can hold for it.
uint64_t memory_in_all(const LoadedModel& model, const StepOptions& step, uint64_t available) {
  return is_host_device(step.device) ? available : available + available_memory_bytes();
}

// Not even the shortest context fits beside the weights: the box would do nothing but read them from disk again.
Result<void> check_fits(const LoadedModel& model, const StepOptions& step, uint64_t available) {
  const uint64_t all = memory_in_all(model, step, available);
  const MemoryFit fit = TRY(memory_fit(model.config, model.size_bytes, step, all, 0));
  if (available == 0 || fit.verdict != MemoryFit::Verdict::too_large) return {};
  return error(Code::resource_exhausted,
               "it needs more memory than is free: {} `hearth deploy NAME --force` starts it all "
               "the same, slowly",
               fit.explanation);
}

// The context that was asked for, else one that the memory affords. It must fit, unless that is forced.
Result<int> choose_context(const LoadedModel& model, const Arguments& arguments, StepOptions step) {
  const int longest = model.config.max_seq_len;
  if (arguments.max_seq_len > longest)
    return error(Code::invalid_argument, "a context of {} tokens was asked for, the model's own limit is {}",
                 arguments.max_seq_len, longest);
  const uint64_t available = TRY(available_for(model, step.device));
  if (arguments.max_seq_len == 0)
    step.max_seq_len = TRY(affordable_context(model.config, weights_beside(model, step, available), step, available));
  if (!arguments.force) TRY(check_fits(model, step, available));
  if (arguments.max_seq_len == 0 && step.max_seq_len < longest)
    spdlog::warn("the context is shortened to {} of the model's {} tokens to fit into {} MiB of free memory of {}",
                 step.max_seq_len, longest, available >> 20, step.device);
  return step.max_seq_len;
}

// Answers until a signal comes.
Result<void> answer(http::Router router, const Arguments& arguments, int max_seq_len, const sigset_t& stop_signals) {
  auto server = TRY(http::Server::create(std::move(router)));
  TRY(server->listen_unix(arguments.socket, 0600));
  spdlog::info("serving {} with a context of {} tokens", arguments.model, max_seq_len);
  int signal = 0;
  sigwait(&stop_signals, &signal);
  server->stop(std::chrono::seconds(2));
  return {};
}

// Before it counts as ready: a model that produces no numbers would answer every request with an error.
Result<void> say_one_token(Generator& generator) {
  const GenerationRequest request{.prompt = {0}, .max_tokens = 1, .ignore_eos = true};
  TRY(generator.generate(request, [](std::string_view) { return true; }, {}));
  generator.forget_counts();
  return {};
}

void log_device(const Device& device) {
  spdlog::info("{} computes", device.name);
  if (!device.reason.empty()) spdlog::warn("no GPU is used: {}", device.reason);
  if (!device.note.empty()) spdlog::warn("{}", device.note);
}

Result<void> serve(const Arguments& arguments, const sigset_t& stop_signals) {
  const Served served = TRY(find_model(arguments));
  auto model = std::make_shared<LoadedModel>(TRY_WITH(load_model(served.path), "while loading {}", arguments.model));
  if (model->disk_bytes > 0)
    spdlog::warn(
        "{} MiB of the weights were laid out anew on disk: memory cannot hold the model, and its files have them "
        "in another order",
        model->disk_bytes >> 20);
  for (const std::string& sentence : model->generation.ignored)
    spdlog::warn("in generation_config.json of {}, {}", arguments.model, sentence);
  if (TRY(find_architecture(model->config.family))->task() != ModelTask::generate) {
    const std::unique_ptr<Encoder> encoder = TRY(Encoder::create(model, arguments.n_threads, arguments.device));
    log_device(encoder->device());
    http::Router router;
    openai::add_encoder_routes(router, *encoder, served.names);
    return answer(std::move(router), arguments, encoder->max_seq_len(), stop_signals);
  }
  GeneratorOptions options;
  options.step.device = arguments.device;
  options.step.n_threads = arguments.n_threads;
  options.step.n_slots = arguments.n_slots;
  options.step.exact = arguments.exact;
  options.step.on_laid_out = [model](const std::string& role) { model->let_go(role); };
  options.step.max_seq_len = arguments.max_seq_len;
  options.fit_to_device = [&](StepOptions& step) -> Result<void> {
    step.max_seq_len = TRY(choose_context(*model, arguments, step));
    return {};
  };
  std::unique_ptr<Generator> generator = TRY(Generator::create(model, options));
  log_device(generator->device());
  TRY_WITH(say_one_token(*generator), "while trying {} on {}", arguments.model, generator->device().name);
  http::Router router;
  openai::add_routes(router, *generator, served.names);
  return answer(std::move(router), arguments, generator->max_seq_len(), stop_signals);
}

}  // namespace
}  // namespace hearth

int main(int argc, char** argv) {
  hearth::Arguments arguments;
  CLI::App app("One deployed model behind the OpenAI API on a Unix socket. Started by hearthd.", "hearth-engine");
  app.add_option("--state-dir", arguments.state_dir, "state of the box");
  app.add_option("--path", arguments.path, "model folder or .gguf file, instead of a model in the store");
  app.add_option("--model", arguments.model, "name of the model, in the store and in requests")->required();
  app.add_option("--socket", arguments.socket, "Unix socket to listen on")->required();
  app.add_option("--max-seq-len", arguments.max_seq_len,
                 "context in tokens; default: the model's own, bounded by memory");
  app.add_option("--threads", arguments.n_threads, "CPU threads; default: all cores");
  app.add_option("--slots", arguments.n_slots, "conversations served at once");
  app.add_option("--device", arguments.device, hearth::kDeviceHelp);
  app.add_flag("--exact", arguments.exact, "activations stay in full precision beside quantised weights: slower");
  app.add_flag("--force", arguments.force, "start although it does not fit into the free memory");
  CLI11_PARSE(app, argc, argv);
  hearth::init_logging("hearth-engine");
  // Blocked before any thread starts, so that every thread inherits it and sigwait gets them.
  sigset_t stop_signals;
  sigemptyset(&stop_signals);
  sigaddset(&stop_signals, SIGTERM);
  sigaddset(&stop_signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &stop_signals, nullptr);
  if (auto served = hearth::serve(arguments, stop_signals); !served) {
    std::fprintf(stderr, "error: %s\n", served.error().to_string().c_str());
    return hearth::is_final(served.error().code) ? hearth::kEngineCannotServe : 1;
  }
  return 0;
}
