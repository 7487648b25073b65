// The table of verbs: one function and one file each. What it declares is what `hearth --help` shows.
#pragma once

#include <span>

#include "appliance/cli/command.h"

namespace hearth::cli {

struct Verb {
  const char* name;
  const char* summary;
  void (*declare)(Command& command);
};

void declare_hw(Command&);
void declare_import(Command&);
void declare_pull(Command&);
void declare_packs(Command&);
void declare_models(Command&);
void declare_show(Command&);
void declare_rm(Command&);
void declare_gc(Command&);
void declare_verify(Command&);
void declare_export(Command&);
void declare_prepare(Command&);
void declare_run(Command&);
void declare_tokenize(Command&);
void declare_template(Command&);
void declare_logits(Command&);
void declare_perplexity(Command&);
void declare_bench(Command&);
void declare_train(Command&);
void declare_eval(Command&);
void declare_plan(Command&);
void declare_deploy(Command&);
void declare_undeploy(Command&);
void declare_ps(Command&);
void declare_jobs(Command&);
void declare_job(Command&);
void declare_datasets(Command&);
void declare_logs(Command&);
void declare_serve(Command&);
void declare_chat(Command&);

std::span<const Verb> all_verbs();

}  // namespace hearth::cli
