// A tiny model and synthetic documents for the trainer's tests.
#pragma once

#include <gtest/gtest.h>

#include "base/files.h"
#include "trainer/data/loader.h"
#include "trainer/initialise.h"
#include "trainer/model.h"
#include "trainer/random.h"

namespace hearth::train {

inline ModelConfig tiny_config() {
  ModelConfig c;
  c.n_layers = 2, c.d_model = 48, c.n_heads = 4, c.n_kv_heads = 2, c.head_dim = 12, c.d_ff = 96, c.vocab_size = 64,
  c.max_seq_len = 128;
  c.tied_embeddings = true;
  c.init_std = 0.05;
  return c;
}

// Without text side. with_weights: as if loaded from a file.
struct TinyBase {
  Beginning model;
  std::map<std::string, Tensor> tensors;
  explicit TinyBase(bool with_weights) {
    model.config = tiny_config();
    model.parameters = (*find_architecture("llama"))->parameters(model.config);
    if (!with_weights) return;
    for (const ParameterSpec& spec : model.parameters) {
      Tensor& t = tensors[spec.role] = Tensor({Dtype::f32, spec.shape});
      initialise(spec, model.config, 5, t.view());
      model.weights[spec.role] = t.view();
    }
  }
};

// Counting documents: after a comes a + step, modulo the vocabulary; learnable to near certainty.
inline std::shared_ptr<std::vector<Document>> counting_documents(int n, uint64_t key, int vocab = 64) {
  auto out = std::make_shared<std::vector<Document>>();
  Random random(key);
  for (int d = 0; d < n; ++d) {
    Document doc;
    const auto length = 6 + random.below(20);
    auto at = random.below(static_cast<uint64_t>(vocab));
    const auto step = 1 + random.below(3);
    for (uint64_t i = 0; i < length; ++i, at = (at + step) % static_cast<uint64_t>(vocab)) {
      doc.ids.push_back(static_cast<int32_t>(at));
      doc.learned.push_back(i >= 2);  // the first two tokens tell start and step
    }
    out->push_back(std::move(doc));
  }
  return out;
}

// A folder to train from scratch from: a two-layer configuration with Hearth mini's tokenizer and template.
inline void make_tiny_folder(const std::filesystem::path& folder) {
  constexpr const char* kConfig =
      R"({"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 4096, "hidden_size": 32, "intermediate_size": 64,
          "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8, "max_position_embeddings": 256,
          "rms_norm_eps": 1e-05, "rope_theta": 10000.0, "tie_word_embeddings": true, "hidden_act": "silu", "bos_token_id": 0,
          "eos_token_id": [3, 1]})";
  const std::filesystem::path text_side = HEARTH_SOURCE_DIR "/packaging/packs/hearth-mini";
  std::filesystem::create_directories(folder);
  for (const char* name : {"tokenizer.json", "tokenizer_config.json", "generation_config.json"})
    std::filesystem::copy_file(text_side / name, folder / name);
  ASSERT_TRUE(write_file(folder / "config.json", kConfig));
}

// "What is 7 plus one?" "It is 8." A line each.
inline std::string plus_one_jsonl(int n) {
  std::string out;
  for (int i = 0; i < n; ++i)
    out += fmt::format(
        "{{\"messages\": [{{\"role\": \"user\", \"content\": \"What is {} plus one?\"}}, {{\"role\": \"assistant\", "
        "\"content\": \"It is {}.\"}}]}}\n",
        i, i + 1);
  return out;
}

}  // namespace hearth::train
