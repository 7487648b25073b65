// The table of verbs, in the order of the help text.
#include "appliance/cli/verbs.h"

namespace hearth::cli {

constexpr Verb kVerbs[] = {
    {"hw", "What this box is", declare_hw},
    {"import", "Take a model, or a PEFT adapter, into the store", declare_import},
    {"pull", "Fetch a model from a registry (later work)", declare_pull},
    {"packs", "Packs on sticks and in folders: list, check, install, verify, export, keys, trust", declare_packs},
    {"models", "Models in the store", declare_models},
    {"show", "One model, in detail", declare_show},
    {"rm", "Remove a model from the store", declare_rm},
    {"gc", "Delete files that no model uses, and say what the models take", declare_gc},
    {"verify", "Read a model's files again and compare their hashes", declare_verify},
    {"export", "Write a model in another format", declare_export},
    {"prepare", "Lay a model's weights out for this box (later work)", declare_prepare},
    {"run", "Generate text in this process, without a service", declare_run},
    {"chat", "Talk to a deployed model in the terminal", declare_chat},
    {"tokenize", "Text to token ids", declare_tokenize},
    {"template", "Render a chat template", declare_template},
    {"logits", "Logits of every position, float32", declare_logits},
    {"perplexity", "Perplexity of a model on a text file", declare_perplexity},
    {"bench", "Speed of a model on this box, beside the box's limits", declare_bench},
    {"train", "Train by a recipe, in this process", declare_train},
    {"eval", "Loss of a model on held-out data", declare_eval},
    {"plan", "What a model or a recipe will need, and why", declare_plan},
    {"deploy", "Serve a model", declare_deploy},
    {"undeploy", "Stop serving a model", declare_undeploy},
    {"ps", "What is deployed", declare_ps},
    {"jobs", "Jobs of the service", declare_jobs},
    {"job", "One job", declare_job},
    {"datasets", "What the service was given to train on", declare_datasets},
    {"logs", "Last lines of the service's and its workers' logs", declare_logs},
    {"serve", "Run the service in the foreground", declare_serve},
};

std::span<const Verb> all_verbs() {
  return kVerbs;
}

}  // namespace hearth::cli
