// BERT: an encoder with learned positions, attention in both directions and norms after each block. As an embedder
// (BertModel), and as a cross-encoder that scores pairs of texts (BertForSequenceClassification with one label).
#include "runtime/architectures/common_config.h"
#include "runtime/architectures/families.h"
#include "runtime/architectures/model_builder.h"
#include "runtime/architectures/parameter_table.h"

namespace hearth {
namespace {

constexpr HfKey kBertKeys[] = {{"add_cross_attention", false, HfRule::only},
                               {"hidden_act", "gelu"},
                               {"hidden_size", 768},
                               {"intermediate_size", 3072},
                               {"is_decoder", false, HfRule::only},
                               {"layer_norm_eps", 1e-12},
                               {"max_position_embeddings", 512},
                               {"num_attention_heads", 12},
                               {"num_hidden_layers", 12},
                               {"position_embedding_type", "absolute", HfRule::only},
                               {"tie_word_embeddings", true},
                               {"type_vocab_size", 2},
                               {"vocab_size", 30'522}};

class Bert : public Architecture {
 public:
  std::string_view family() const override { return "bert"; }
  std::string_view hf_architecture() const override { return "BertModel"; }
  std::span<const HfKey> hf_keys() const override { return kBertKeys; }
  std::string_view gguf_architecture() const override { return "bert"; }
  ModelTask task() const override { return ModelTask::embed; }

  std::vector<ParameterSpec> parameters(const ModelConfig& c) const override { return encoder_parameters(c, ""); }

  Value forward(ModelBuilder& m) const override {
    Value x = m.b().add(m.embed(m.tokens(), "embed"), m.embed(m.positions(), "embed_position"));
    x = m.layer_norm(m.b().add(x, m.embed(m.token_types(), "embed_type")), "embed_norm");
    for (int l = 0; l < m.config().n_layers; ++l) {
      m.begin_layer(l, x);
      const auto heads = [&](std::string_view role) { return m.heads(m.linear(x, role), m.config().head_dim); };
      const Value attended = m.columns(m.attention(heads("wq"), heads("wk"), heads("wv")));
      x = m.layer_norm(m.residual(x, m.linear(attended, "wo")), "attn_post_norm");
      const Value fed = m.linear(m.activation(m.linear(x, "w_up")), "w_down");
      x = m.layer_norm(m.residual(x, fed), "ffn_post_norm");
    }
    m.end_layers();
    return x;
  }
  Value head(ModelBuilder&, Value rows) const override { return rows; }

  Result<void> read_hf(const ConfigSource& source, ModelConfig& c) const override {
    TRY(read_common_hf(source, c));
    c.norm_eps = TRY(source.number("layer_norm_eps"));
    c.causal = false;
    c.tied_embeddings = true;
    c.encoder.n_token_types = TRY(source.count("type_vocab_size"));
    return {};
  }
  void write_hf(const ModelConfig& c, ConfigSink& sink) const override {
    write_common_hf(c, sink);
    for (const char* key : {"num_key_value_heads", "head_dim", "rms_norm_eps", "attention_bias", "mlp_bias",
                            "use_cache", "rope_parameters", "rope_theta", "tie_word_embeddings"})
      sink.remove(key);
    sink.set("layer_norm_eps", c.norm_eps);
    sink.set("type_vocab_size", c.encoder.n_token_types);
    sink.set("position_embedding_type", "absolute");
  }
  Result<void> read_gguf(const ConfigSource& source, ModelConfig& c) const override {
    c.n_layers = TRY(read_layer_count(source, "block_count"));
    c.d_model = TRY(source.count("embedding_length"));
    c.n_heads = c.n_kv_heads = TRY(source.count("attention.head_count"));
    if (c.n_heads == 0) return error(Code::invalid_argument, "attention.head_count must be positive");
    c.head_dim = c.d_model / c.n_heads;
    c.d_ff = TRY(source.count("feed_forward_length"));
    c.max_seq_len = TRY(source.count("context_length"));
    c.norm_eps = TRY(source.number("attention.layer_norm_epsilon"));
    c.vocab_size = TRY(gguf_vocab_size(source));
    c.activation = Activation::gelu;
    c.causal = false;
    c.tied_embeddings = true;
    c.encoder.n_token_types = TRY(source.count_or("tokenizer.ggml.token_type_count", 2));
    const int pooling = TRY(source.count_or("pooling_type", kGgufMean));
    if (pooling != kGgufMean && pooling != kGgufFirst)
      return error(Code::unimplemented, "pooling of the type {} is not supported (1, mean, and 2, first token, are)",
                   pooling);
    c.encoder.pooling = pooling == kGgufFirst ? Pooling::first : Pooling::mean;
    return {};
  }
  void write_gguf(const ModelConfig& c, ConfigSink& sink) const override {
    sink.set("block_count", c.n_layers);
    sink.set("embedding_length", c.d_model);
    sink.set("attention.head_count", c.n_heads);
    sink.set("feed_forward_length", c.d_ff);
    sink.set("context_length", c.max_seq_len);
    sink.set("attention.layer_norm_epsilon", c.norm_eps);
    sink.set("attention.causal", false);
    sink.set("vocab_size", c.vocab_size);
    sink.set("tokenizer.ggml.token_type_count", c.encoder.n_token_types);
    sink.set("pooling_type", c.encoder.pooling == Pooling::first ? kGgufFirst : kGgufMean);
  }
  Result<void> fits_gguf(const ModelConfig& c) const override {
    if (c.activation == Activation::gelu) return {};
    return error(Code::unimplemented, "GGUF files of this family have no other activation than gelu");
  }

 protected:
  static constexpr int kGgufMean = 1, kGgufFirst = 2;

  // `root`: what stands before the names in Hugging Face files.
  static std::vector<ParameterSpec> encoder_parameters(const ModelConfig& c, const std::string& root) {
    ParameterTable t(c, root, "encoder.layer.");
    const int64_t C = c.d_model, F = c.d_ff;
    t.embedding("embed", c.vocab_size, "vocabulary", "embeddings.word_embeddings", "token_embd");
    t.embedding("embed_position", c.max_seq_len, "", "embeddings.position_embeddings", "position_embd");
    t.embedding("embed_type", c.encoder.n_token_types, "", "embeddings.token_type_embeddings", "token_types");
    t.layer_norm("embed_norm", "embeddings.LayerNorm", "token_embd_norm");
    for (int l = 0; l < c.n_layers; ++l) {
      t.begin_layer(l);
      t.matrix("wq", {C, C}, {{"heads", c.head_dim}, "model"}, "attention.self.query", "attn_q", true);
      t.matrix("wk", {C, C}, {{"heads", c.head_dim}, "model"}, "attention.self.key", "attn_k", true);
      t.matrix("wv", {C, C}, {{"heads", c.head_dim}, "model"}, "attention.self.value", "attn_v", true);
      t.matrix("wo", {C, C}, {"model", {"heads", c.head_dim}}, "attention.output.dense", "attn_output", true);
      t.layer_norm("attn_post_norm", "attention.output.LayerNorm", "attn_output_norm");
      t.matrix("w_up", {F, C}, {"ffn", "model"}, "intermediate.dense", "ffn_up", true);
      t.matrix("w_down", {C, F}, {"model", "ffn"}, "output.dense", "ffn_down", true);
      t.layer_norm("ffn_post_norm", "output.LayerNorm", "layer_output_norm");
    }
    return t.take();
  }
};

class BertReranker final : public Bert {
 public:
  std::string_view family() const override { return "bert_reranker"; }
  std::string_view model_type() const override { return "bert"; }
  std::string_view hf_architecture() const override { return "BertForSequenceClassification"; }
  std::string_view gguf_architecture() const override { return ""; }
  ModelTask task() const override { return ModelTask::rerank; }

  std::vector<ParameterSpec> parameters(const ModelConfig& c) const override {
    std::vector<ParameterSpec> out = encoder_parameters(c, "bert.");
    ParameterTable head(c, "");
    head.matrix("pooler", {c.d_model, c.d_model}, {"", "model"}, "bert.pooler.dense", "", true);
    head.matrix("classifier", {1, c.d_model}, {"", "model"}, "classifier", "", true);
    for (ParameterSpec& spec : head.take()) out.push_back(std::move(spec));
    return out;
  }
  Value head(ModelBuilder& m, Value rows) const override {
    return m.linear(m.b().tanh(m.linear(rows, "pooler")), "classifier");
  }
  Result<void> read_hf(const ConfigSource& source, ModelConfig& c) const override {
    TRY(Bert::read_hf(source, c));
    if (const size_t n = source.object_size("id2label"); n > 1 || TRY(source.count_or("num_labels", 1)) > 1)
      return error(Code::unimplemented, "a reranker has one label; classifiers of {} classes are not supported", n);
    return {};
  }
  void write_hf(const ModelConfig& c, ConfigSink& sink) const override {
    Bert::write_hf(c, sink);
    sink.set("id2label.0", "LABEL_0");
    sink.set("label2id.LABEL_0", 0);
  }
};

}  // namespace

const Architecture& bert() {
  static const Bert architecture;
  return architecture;
}

const Architecture& bert_reranker() {
  static const BertReranker architecture;
  return architecture;
}

}  // namespace hearth
