// What is imported can be loaded: import asks the loader, says what is missing, and leaves nothing behind.
#include <functional>

#include "base/json.h"
#include "model_store/formats/gguf.h"
#include "model_store/formats/load.h"
#include "model_store/store_test_support.h"

namespace hearth::store::import_test {
namespace {
namespace fs = std::filesystem;
using namespace test;

fs::path golden() {
  return fs::path(HEARTH_SOURCE_DIR) / "tests" / "golden";
}

// Edits the description of a safetensors file and adds zeros at its end.
void edit_safetensors(const fs::path& path, const std::function<void(Json& description, size_t end)>& edit,
                      size_t n_more_bytes) {
  const std::string bytes = must(read_file(path));
  uint64_t n_header = 0;
  std::memcpy(&n_header, bytes.data(), sizeof n_header);
  Json description = must(parse_json(std::string_view(bytes).substr(8, n_header)));
  const std::string data = bytes.substr(8 + n_header);
  edit(description, data.size());
  std::string header = dump_json(description);
  header.resize((header.size() + 7) / 8 * 8, ' ');
  n_header = header.size();
  std::string out(reinterpret_cast<const char*>(&n_header), sizeof n_header);
  must(write_file(path, out + header + data + std::string(n_more_bytes, '\0')));
}

void add_tensor(const fs::path& folder, const std::string& name, const std::string& dtype, size_t n, size_t width) {
  edit_safetensors(
      folder / "model.safetensors",
      [&](Json& d, size_t end) {
        d[name] = {{"dtype", dtype}, {"shape", {n}}, {"data_offsets", {end, end + n * width}}};
      },
      n * width);
}

void rename_tensor(const fs::path& folder, const std::string& from, const std::string& to) {
  edit_safetensors(
      folder / "model.safetensors",
      [&](Json& d, size_t) {
        d[to] = d.at(from);
        d.erase(from);
      },
      0);
}

GgufValue value_of(const GgufFile& file, const GgufEntry& entry) {
  const std::string key(entry.key);
  if (entry.type == GgufType::string) return std::string(must(file.string(key)));
  if (entry.type == GgufType::boolean) return must(file.boolean(key));
  if (entry.type == GgufType::f32) return static_cast<float>(must(file.number(key)));
  if (entry.type != GgufType::array) return static_cast<uint32_t>(must(file.integer(key)));
  if (entry.item_type == GgufType::string) {
    std::vector<std::string> out;
    for (std::string_view text : must(file.strings(key))) out.emplace_back(text);
    return out;
  }
  if (entry.item_type == GgufType::f32) {
    const std::vector<double> numbers = must(file.numbers(key));
    return std::vector<float>(numbers.begin(), numbers.end());
  }
  const std::vector<int64_t> numbers = must(file.integers(key));
  return std::vector<int32_t>(numbers.begin(), numbers.end());
}

// The same file without a key (or all that begin so), without a tensor, or with one more.
void rewrite_gguf(const fs::path& to, const std::string& without_key, const std::string& without_tensor,
                  const std::string& more = "") {
  const GgufFile file = must(GgufFile::open(golden() / "sharded_tokenizer_bf16/model-F32.gguf"));
  std::vector<std::pair<std::string, GgufValue>> metadata;
  for (const GgufEntry& entry : file.entries())
    if (without_key.empty() || !entry.key.starts_with(without_key))
      metadata.emplace_back(std::string(entry.key), value_of(file, entry));
  std::vector<GgufTensorToWrite> tensors;
  for (const StoredTensor& t : file.tensors().tensors())
    if (t.name != without_tensor)
      tensors.push_back({t.name, *t.dtype, t.shape, [&t]() -> Result<std::span<const std::byte>> { return t.bytes; }});
  const std::vector<float> zeros(32);
  if (!more.empty())
    tensors.push_back({more, Dtype::f32, {32}, [&]() -> Result<std::span<const std::byte>> {
                         return std::as_bytes(std::span<const float>(zeros));
                       }});
  must(write_gguf(to, metadata, tensors));
}

// Refused at import with `part` in the reason, and nothing is left in the state directory.
void expect_refused(const Bench& bench, const fs::path& path, Code code, const std::string& part) {
  SCOPED_TRACE(path.string());
  Store store = bench.open();
  const std::string before = fingerprint(bench.state);
  EXPECT_FALSE(load_model(path)) << "the loader takes it";
  EXPECT_ERROR(store.import_model(path), code, part);
  EXPECT_EQ(fingerprint(bench.state), before);
}

void make_bert_folder(const fs::path& folder) {
  fs::copy(golden() / "bert_fp32", folder, fs::copy_options::recursive);
  must(write_file(folder / "vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n##b\n"));
}

TEST(Import, WhatLoadingIgnoresIsImported) {
  Bench bench;
  Store store = bench.open();
  const fs::path llama = bench.folder.path() / "llama", bert = bench.folder.path() / "bert";
  make_model_folder(llama);
  add_tensor(llama, "model.layers.0.self_attn.rotary_emb.inv_freq", "F32", 8, 4);
  add_tensor(llama, "model.position_ids", "I64", 16, 8);
  make_bert_folder(bert);
  add_tensor(bert, "embeddings.position_ids", "I64", 16, 8);
  for (const fs::path& folder : {llama, bert}) {
    const ModelRecord model = must(store.import_model(folder));
    ASSERT_OK(load_model(must(store.loader_path(model.name))));
  }
}

TEST(Import, WhatLoadingRefusesIsRefusedByName) {
  Bench bench;
  const fs::path folder = bench.folder.path() / "m";
  make_model_folder(folder);
  rename_tensor(folder, "model.norm.weight", "model.other.weight");
  expect_refused(bench, folder, Code::not_found, "model.norm.weight");
  rename_tensor(folder, "model.other.weight", "model.norm.weight");
  add_tensor(folder, "model.layers.0.self_attn.q_proj.bias", "F32", 64, 4);
  expect_refused(bench, folder, Code::unimplemented, "q_proj.bias");
  fs::remove_all(folder);
  make_model_folder(folder);
  Json config = must(parse_json(must(read_file(folder / "config.json"))));
  config["num_attention_heads"] = 8;
  must(write_file(folder / "config.json", dump_json(config)));
  expect_refused(bench, folder, Code::data_loss, "shape");
}

TEST(Import, ABrokenGgufIsRefusedByName) {
  Bench bench;
  const fs::path file = bench.folder.path() / "m.gguf";
  rewrite_gguf(file, "", "");
  {
    Store store = bench.open();
    ASSERT_OK(store.import_model(file));
    ASSERT_OK(store.remove("m"));
  }
  rewrite_gguf(file, "", "blk.0.attn_norm.weight");
  expect_refused(bench, file, Code::not_found, "blk.0.attn_norm.weight");
  rewrite_gguf(file, "", "output_norm.weight");
  expect_refused(bench, file, Code::not_found, "output_norm.weight");
  rewrite_gguf(file, "", "", "blk.0.extra.weight");
  expect_refused(bench, file, Code::unimplemented, "blk.0.extra.weight");
}

// The loader itself goes on without a tokenizer, for logits; nothing else works then.
TEST(Import, ATokenizerThatCannotBeUsedIsRefused) {
  Bench bench;
  Store store = bench.open();
  const std::string before = fingerprint(bench.state);
  rewrite_gguf(bench.folder.path() / "m.gguf", "tokenizer.ggml.merges", "");
  EXPECT_ERROR(store.import_model(bench.folder.path() / "m.gguf"), Code::not_found, "tokenizer.ggml.merges");
  make_model_folder(bench.folder.path() / "m");
  must(write_file(bench.folder.path() / "m/tokenizer.json", "{\"model\": {}}"));
  EXPECT_ERROR(store.import_model(bench.folder.path() / "m"), Code::invalid_argument, "tokenizer");
  EXPECT_EQ(fingerprint(bench.state), before);
}

// Generative or not: without one a model can neither read nor write text, whatever the loader makes of its weights.
TEST(Import, WithoutATokenizerNothingIsImported) {
  Bench bench;
  Store store = bench.open();
  const std::string before = fingerprint(bench.state);
  const fs::path llama = bench.folder.path() / "llama", bert = bench.folder.path() / "bert",
                 gguf = bench.folder.path() / "m.gguf", bert_gguf = golden() / "bert_fp32/model-F16.gguf";
  make_model_folder(llama);
  fs::remove(llama / "tokenizer.json");
  make_bert_folder(bert);
  fs::remove(bert / "vocab.txt");
  rewrite_gguf(gguf, "tokenizer.", "");
  for (const fs::path& path : {llama, bert, llama / "model.safetensors", gguf, bert_gguf}) {
    SCOPED_TRACE(path.string());
    ASSERT_OK(load_model(path.extension() == ".safetensors" ? llama : path));
    EXPECT_ERROR(store.import_model(path), Code::failed_precondition, "it has no tokenizer");
    EXPECT_ERROR(store.import_model(path), Code::failed_precondition,
                 path.extension() == ".gguf" ? "tokenizer.ggml.model" : "tokenizer.json, tokenizer.model or vocab.txt");
  }
  must(write_file(llama / "vocab.json", "{}"));
  EXPECT_ERROR(store.import_model(llama), Code::failed_precondition, "save_pretrained()");
  EXPECT_EQ(fingerprint(bench.state), before);
}

TEST(Import, LinksThatLeadNowhereAreNamed) {
  Bench bench;
  Store store = bench.open();
  const std::string before = fingerprint(bench.state);
  const fs::path cache = bench.folder.path() / "models--a--b", snapshot = cache / "snapshots/1";
  make_model_folder(bench.folder.path() / "real");
  must(make_folders(snapshot));
  must(make_folders(cache / "blobs"));
  for (const auto& entry : fs::directory_iterator(bench.folder.path() / "real")) {
    fs::copy_file(entry.path(), cache / "blobs" / entry.path().filename());
    fs::create_symlink("../../blobs" / entry.path().filename(), snapshot / entry.path().filename());
  }
  ASSERT_OK(store.import_model(snapshot, {.name = "whole"}));
  ASSERT_OK(store.remove("whole"));
  fs::create_symlink("../../blobs/none", snapshot / "chat_template.jinja");
  EXPECT_ERROR(store.import_model(snapshot), Code::failed_precondition, "chat_template.jinja");
  auto without_template = load_model(snapshot);
  ASSERT_OK(without_template);
  ASSERT_TRUE(without_template->chat_template_problem);
  EXPECT_NE(without_template->chat_template_problem->message.find("chat_template.jinja"), std::string::npos);
  fs::remove(snapshot / "chat_template.jinja");
  for (const char* name : {"tokenizer.json", "config.json", "model.safetensors"}) {
    fs::rename(cache / "blobs" / name, cache / "blobs/away");
    EXPECT_ERROR(store.import_model(snapshot), Code::failed_precondition, name);
    EXPECT_ERROR(store.import_model(snapshot), Code::failed_precondition, "not complete");
    auto loaded = load_model(snapshot);  // without a tokenizer for its logits alone, and it says why
    EXPECT_TRUE(!loaded || (loaded->tokenizer_problem && name == std::string("tokenizer.json"))) << name;
    fs::rename(cache / "blobs/away", cache / "blobs" / name);
  }
  EXPECT_EQ(fingerprint(bench.state), before);
}

// How an embedder pools, and further templates, lie in folders of their own.
TEST(Import, FilesInInnerFoldersComeAlong) {
  Bench bench;
  Store store = bench.open();
  const fs::path folder = bench.folder.path() / "m";
  make_bert_folder(folder);
  must(make_folders(folder / "1_Pooling"));
  must(write_file(folder / "1_Pooling/config.json", R"({"pooling_mode_cls_token": true})"));
  must(make_folders(folder / "additional_chat_templates"));
  must(write_file(folder / "additional_chat_templates/tool_use.jinja", "{{ tools }}"));
  must(store.import_model(folder));
  const LoadedModel model = must(load_model(must(store.loader_path("m"))));
  EXPECT_EQ(model.config.encoder.pooling, Pooling::first);
  EXPECT_TRUE(model.tool_template);
}

TEST(Import, AnIndexMayNameATiedHeadAndLackWhatAShardHolds) {
  Bench bench;
  const fs::path folder = bench.folder.path() / "m", index = folder / "model.safetensors.index.json";
  make_model_folder(folder, 1, 64 << 10, 2);
  Json json = must(parse_json(must(read_file(index))));
  Json& map = json["weight_map"];
  map["lm_head.weight"] = "model-00001-of-00002.safetensors";
  map["model.layers.0.self_attn.rotary_emb.inv_freq"] = "model-00002-of-00002.safetensors";
  map.erase("model.norm.weight");
  must(write_file(index, dump_json(json)));
  {
    Store store = bench.open();
    must(store.import_model(folder));
    ASSERT_OK(load_model(must(store.loader_path("m"))));
    ASSERT_OK(store.remove("m"));
  }
  Json config = must(parse_json(must(read_file(folder / "config.json"))));
  config["tie_word_embeddings"] = false;  // now the head is missing in earnest
  must(write_file(folder / "config.json", dump_json(config)));
  expect_refused(bench, folder, Code::not_found, "lm_head.weight");
}

}  // namespace
}  // namespace hearth::store::import_test
