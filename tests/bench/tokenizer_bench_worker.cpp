// One tokenizer and one text, held in memory, for tokenizer_bench.py: reads commands and answers with seconds.
#include <chrono>
#include <cstdio>
#include <iostream>
#include <string>

#include "base/files.h"
#include "base/json.h"
#include "model_store/formats/load.h"
#include "model_store/tokenizers/tokenizer_export.h"

namespace hearth {
namespace {

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

uint64_t hash_of(const std::vector<int32_t>& ids) {
  uint64_t out = 0;
  for (int32_t id : ids) out = (out * 31 + static_cast<uint64_t>(id)) % 1'000'000'007;
  return out;
}

// Commands, one a line: "encode", "decode", or the path of a tokenizer.json to write.
Result<void> serve(const std::string& model, const std::string& text_file) {
  const LoadedModel loaded = TRY(load_text_side(model));
  if (!loaded.tokenizer) return *loaded.tokenizer_problem;
  const std::string text = TRY(read_file(text_file));
  std::vector<int32_t> ids;
  for (std::string command; std::getline(std::cin, command);) {
    double begin = seconds_now();
    if (command == "encode")
      ids = TRY(loaded.tokenizer->encode(text, {.add_special = false}));
    else if (command == "decode")
      (void)loaded.tokenizer->decode(ids);
    else
      TRY(write_file(command, TRY(tokenizer_to_json(*loaded.tokenizer))));
    double seconds = seconds_now() - begin;
    std::cout << dump_json({{"seconds", seconds}, {"n_ids", ids.size()}, {"hash", hash_of(ids)}}) << std::endl;
  }
  return {};
}

}  // namespace
}  // namespace hearth

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: tokenizer_bench_worker MODEL TEXT_FILE   (commands on stdin; see tokenizer_bench.py)\n");
    return 2;
  }
  auto done = hearth::serve(argv[1], argv[2]);
  if (!done) std::fprintf(stderr, "%s\n", done.error().to_string().c_str());
  return done ? 0 : 1;
}
