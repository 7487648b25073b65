// hearth bench N: prefill and decode speed, beside this box's measured limits.
#include "inference/bench.h"
#include "appliance/cli/verbs.h"

namespace hearth::cli {

static std::string describe(const BenchResult& r) {
  std::string out = r.device == "cpu" ? "" : fmt::format("on {}\n", r.device);
  if (!r.device_reason.empty()) out += fmt::format("no GPU was used: {}\n", r.device_reason);
  if (!r.device_note.empty()) out += r.device_note + "\n";
  out += fmt::format(
      "prefill  {:8.1f} tokens/s ({} tokens)\ndecode   {:8.1f} tokens/s ({} tokens, depth {}), median of {}, {} "
      "threads, {}\n",
      r.prefill_tokens_per_s, r.n_prefill, r.decode_tokens_per_s, r.n_decode, r.depth, r.n_repeats, r.n_threads, r.isa);
  out += fmt::format("decode reads {:.1f} GB/s; this box reads {:.1f} GB/s ({:.0f} %)\n", r.decode_bytes_per_s / 1e9,
                     r.limits.read_bytes_per_s / 1e9,
                     r.limits.read_bytes_per_s > 0 ? 100 * r.decode_bytes_per_s / r.limits.read_bytes_per_s : 0);
  return out + fmt::format("prefill does {:.1f} GFLOP/s; this box does {:.1f} ({:.0f} %)\n",
                           r.prefill_flops_per_s / 1e9, r.limits.flops_per_s / 1e9,
                           r.limits.flops_per_s > 0 ? 100 * r.prefill_flops_per_s / r.limits.flops_per_s : 0);
}

void declare_bench(Command& command) {
  auto n = std::make_shared<std::string>();
  auto options = std::make_shared<BenchOptions>();
  command.positional("N", *n, "Model");
  command.option("-p", options->n_prefill, "Prompt tokens; default 512");
  command.option("-n", options->n_decode, "Generated tokens; default 128");
  command.option("-d", options->depth, "Tokens in the cache before; default 0");
  command.option("--isa", options->isa, "Instruction set: portable | avx2 | avx512; default the best of this CPU");
  command.device(options->device, "cpu");
  command.flag("--exact", options->exact, "Keep activations in full precision beside quantised weights: slower");
  command.option("--threads", options->n_threads, "Threads; 0: all cores");
  command.option("--repeats", options->n_repeats, "Repeats; default 3");
  command.on_run([=](const Cli& cli) -> Result<void> {
    auto model = std::make_shared<LoadedModel>(TRY(load_model(TRY(cli.model_path(*n)))));
    BenchResult result = TRY(bench_model(model, *options));
    cli.print(to_json_value(result), [&] { return describe(result); });
    return {};
  });
}

}  // namespace hearth::cli
