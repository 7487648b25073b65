// One row per path.
#include "inference/openai/other_tasks.h"

namespace hearth::openai {
namespace {

constexpr uint64_t kMaxRefusedBytes = uint64_t{64} << 20;  // what the right model would take

struct Path {
  std::string_view path;
  ModelTask task;
  std::string_view needs;
};
constexpr Path kPaths[] = {
    {"/v1/chat/completions", ModelTask::generate, "chat needs a model that writes text"},
    {"/v1/completions", ModelTask::generate, "completions need a model that writes text"},
    {"/v1/embeddings", ModelTask::embed, "embeddings need a model that turns texts into vectors"},
    {"/v1/rerank", ModelTask::rerank, "reranking needs a model that scores pairs of texts"},
};

}  // namespace

std::string what_it_does(ModelTask task) {
  switch (task) {
    case ModelTask::generate:
      return "writes text; ask it at /v1/chat/completions or /v1/completions";
    case ModelTask::embed:
      return "is an embedder: it turns texts into vectors; ask it at /v1/embeddings";
    case ModelTask::rerank:
      return "is a reranker: it scores pairs of texts; ask it at /v1/rerank";
  }
  return "";
}

void add_other_tasks(http::Router& router, ModelTask task, const std::string& model_name) {
  for (const Path& path : kPaths) {
    if (path.task == task) continue;
    const std::string message = fmt::format("{} {}; {}", model_name, what_it_does(task), path.needs);
    router.add(
        "POST", path.path,
        [message](http::Request&) -> Result<http::Response> { return error(Code::invalid_argument, "{}", message); },
        {.max_body_bytes = kMaxRefusedBytes});
  }
}

}  // namespace hearth::openai
