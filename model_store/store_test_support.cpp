#include "model_store/store_test_support.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include <unistd.h>

#include <algorithm>
#include <random>

#include "base/json.h"
#include "model_store/digest.h"
#include "model_store/formats/adapters/adapter.h"

namespace hearth::store::test {
namespace fs = std::filesystem;
namespace {

struct Matrix {
  std::string name;
  size_t n_rows, n_columns;  // 0 rows: a vector
  size_t n_values() const { return std::max<size_t>(1, n_rows) * n_columns; }
};

// A safetensors file of bf16 tensors of pseudo-random values.
std::string safetensors(const std::vector<Matrix>& tensors, int seed) {
  Json description = Json::object();
  size_t n_bytes = 0;
  for (const Matrix& t : tensors) {
    const Json shape = t.n_rows == 0 ? Json::array({t.n_columns}) : Json::array({t.n_rows, t.n_columns});
    description[t.name] = {
        {"dtype", "BF16"}, {"shape", shape}, {"data_offsets", {n_bytes, n_bytes + 2 * t.n_values()}}};
    n_bytes += 2 * t.n_values();
  }
  std::string header = dump_json(description);
  header.resize((header.size() + 7) / 8 * 8, ' ');
  uint64_t length = header.size();
  std::string out(reinterpret_cast<const char*>(&length), sizeof length);
  out += header;
  std::mt19937 random(static_cast<unsigned>(seed));
  for (size_t i = 0; i < n_bytes; ++i) out += static_cast<char>(random() & 0x3f);
  return out;
}

// A Llama of width 64 whose embedding, and whose layers where there are several files, are as large as one wants.
struct Sizes {
  size_t n_vocabulary, d_ff;
  int n_layers;
};
Sizes sizes_for(size_t shard_bytes, int n_shards) {
  const size_t n_rows = std::max<size_t>(16, shard_bytes / 128);
  return {n_rows, n_shards == 1 ? 32 : std::max<size_t>(1, n_rows / 3), std::max(1, n_shards - 1)};
}

std::vector<Matrix> layer(int number, const Sizes& sizes) {
  const std::string name = fmt::format("model.layers.{}.", number);
  return {{name + "input_layernorm.weight", 0, 64},        {name + "self_attn.q_proj.weight", 64, 64},
          {name + "self_attn.k_proj.weight", 32, 64},      {name + "self_attn.v_proj.weight", 32, 64},
          {name + "self_attn.o_proj.weight", 64, 64},      {name + "post_attention_layernorm.weight", 0, 64},
          {name + "mlp.gate_proj.weight", sizes.d_ff, 64}, {name + "mlp.up_proj.weight", sizes.d_ff, 64},
          {name + "mlp.down_proj.weight", 64, sizes.d_ff}};
}

// The first file holds what is around the layers.
std::vector<Matrix> shard(int number, int n_shards, const Sizes& sizes) {
  if (number > 0) return layer(number - 1, sizes);
  std::vector<Matrix> out = {{"model.embed_tokens.weight", sizes.n_vocabulary, 64}, {"model.norm.weight", 0, 64}};
  if (n_shards == 1)
    for (const Matrix& t : layer(0, sizes)) out.push_back(t);
  return out;
}

std::string config(const Sizes& sizes) {
  return dump_json({{"architectures", {"LlamaForCausalLM"}},
                    {"model_type", "llama"},
                    {"hidden_size", 64},
                    {"intermediate_size", sizes.d_ff},
                    {"num_hidden_layers", sizes.n_layers},
                    {"num_attention_heads", 4},
                    {"num_key_value_heads", 2},
                    {"vocab_size", sizes.n_vocabulary},
                    {"max_position_embeddings", 256},
                    {"rms_norm_eps", 1e-5},
                    {"rope_theta", 10000.0},
                    {"torch_dtype", "bfloat16"},
                    {"tie_word_embeddings", true},
                    {"hidden_act", "silu"}});
}

std::string dump_rows(SQLite::Database& db, const std::string& table) {
  std::string out = table + "\n";
  SQLite::Statement rows(db, "SELECT * FROM " + table + " ORDER BY 1,2");
  while (rows.executeStep()) {
    for (int i = 0; i < rows.getColumnCount(); ++i) out += rows.getColumn(i).getString() + "|";
    out += "\n";
  }
  return out;
}
}  // namespace

void make_model_folder(const fs::path& folder, int seed, size_t shard_bytes, int n_shards) {
  const Sizes sizes = sizes_for(shard_bytes, n_shards);
  must(make_folders(folder));
  must(write_file(folder / "config.json", config(sizes)));
  must(write_file(folder / "tokenizer.json",
                  R"({"version":"1.0","model":{"type":"BPE","vocab":{"a":0,"b":1},"merges":[]}})"));
  must(write_file(folder / "README.md", "---\nlicense: apache-2.0\n---\nA model for tests.\n"));
  Json map = Json::object();
  for (int i = 0; i < n_shards; ++i) {
    std::string name =
        n_shards == 1 ? "model.safetensors" : fmt::format("model-{:05}-of-{:05}.safetensors", i + 1, n_shards);
    const std::vector<Matrix> tensors = shard(i, n_shards, sizes);
    must(write_file(folder / name, safetensors(tensors, seed * 100 + i)));
    for (const Matrix& t : tensors) map[t.name] = name;
  }
  if (n_shards > 1)
    must(write_file(folder / "model.safetensors.index.json",
                    dump_json({{"metadata", Json::object()}, {"weight_map", map}})));
}

void make_adapter_folder(const fs::path& folder, const std::string& base) {
  Tensor a({Dtype::f32, {4, 64}}), b({Dtype::f32, {64, 4}});
  a.f32()[1] = b.f32()[2] = 1;
  LoraAdapter adapter{.rank = 4, .alpha = 8, .base_model = base};
  adapter.weights = {{"layers.0.wq.lora_a", a.view()}, {"layers.0.wq.lora_b", b.view()}};
  must(save_peft_adapter(folder, must(config_from_hf(config(sizes_for(64 << 10, 1)))), adapter));
}

std::string fingerprint(const fs::path& state_dir) {
  std::vector<std::string> lines;
  for (const auto& entry : fs::recursive_directory_iterator(state_dir)) {
    std::string name = fs::relative(entry.path(), state_dir).string();
    if (name.starts_with("hearth.db") || entry.is_directory()) continue;
    lines.push_back(name + " " +
                    (entry.is_symlink() ? fs::read_symlink(entry.path()).string()
                                        : Digest::of(must(read_file(entry.path()))).hex()));
  }
  std::sort(lines.begin(), lines.end());
  std::string out;
  for (const std::string& line : lines) out += line + "\n";
  SQLite::Database db((state_dir / "hearth.db").string(), SQLite::OPEN_READWRITE);
  return out + dump_rows(db, "models") + dump_rows(db, "model_files");
}

fs::path fast_folder() {
  return ::access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "";
}

Bench::Bench() {
  must(generate_signing_key(key));
  must(make_folders(stick));
  Store store = open();
  must(store.trust_key(key.string() + ".pub"));
}

std::string Bench::make_pack(const std::string& name, int seed, size_t shard_bytes, int n_shards,
                             const std::string& version) const {
  fs::path source = folder.path() / ("source-" + name);
  make_model_folder(source, seed, shard_bytes, n_shards);
  Store maker = must(Store::open(folder.path() / "maker", Mode::read_write));
  const ModelRecord model =
      must(maker.import_model(source, {.name = name, .version = version, .description = "for tests"}));
  return must(maker.export_pack(model.name, stick, {.signing_key = key}));
}

void flip_bit(const fs::path& file, uint64_t offset) {
  std::string bytes = must(read_file(file));
  bytes.at(offset) = static_cast<char>(bytes[offset] ^ 1);
  fs::permissions(file, fs::perms::owner_write, fs::perm_options::add);
  must(write_file(file, bytes));
}

}  // namespace hearth::store::test
