// PEFT's tensors to changes of roles. PEFT names modules of the library's model; a role may be one of them, some rows
// of one (fused matrices), or one of many that are stacked (experts): the storage of the family's table says which rows
// of B belong to which of our rows, so that an adapter fits a base in any kind of file.
#include <algorithm>
#include <cstring>
#include <map>

#include "model_store/formats/adapters/adapter.h"
#include "model_store/formats/adapters/head_order.h"
#include "model_store/formats/adapters/peft_config.h"
#include "model_store/formats/adapters/peft_experts.h"
#include "model_store/formats/library_form.h"
#include "model_store/formats/safetensors.h"
#include "model_store/formats/storage_read.h"
#include "runtime/architectures/architecture.h"

namespace hearth {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kPeftPrefix = "base_model.model.";

// What the file holds of one module.
struct PeftModule {
  std::string path;  // as PEFT matches patterns against
  const StoredTensor *a = nullptr, *b = nullptr, *bias = nullptr, *magnitude = nullptr;
  bool is_embedding = false;
};

// Which rows of a role a module's rows are.
struct ModulePlace {
  const ParameterSpec* spec;
  Storage storage;  // in the published form, or in the library's own
  int part;
};

struct AdapterKeeper {
  WeightKeeper weights;
  std::vector<Tensor> copies;
};

void replace_once(std::string& text, std::string_view from, std::string_view to) {
  if (const size_t at = text.find(from); at != std::string::npos) text.replace(at, from.size(), to);
}

// Text models inside of larger ones have the same weights below another root.
std::string under_usual_root(std::string name) {
  if (name.starts_with("model.language_model.")) return "model." + name.substr(21);
  if (name.starts_with("language_model.")) return name.substr(15);
  return name;
}

class PeftReader {
 public:
  PeftReader(const PeftConfig& config, const ModelConfig& base) : config_(config), base_(base) {}

  Result<Adapter> read(const fs::path& folder) {
    specs_ = TRY(find_architecture(base_.family))->parameters(base_);
    const TensorFile file = TRY(open_safetensors(folder / "adapter_model.safetensors"));
    keeper_->weights.mappings = file.keeper();
    TRY(sort_tensors(file));
    find_places();
    for (const auto& [name, module] : modules_) TRY_WITH(read_module(name, module), "in the adapter of \"{}\"", name);
    TRY(read_whole(file));
    if (out_.updates.empty() && out_.whole.empty())
      return error(Code::invalid_argument, "the adapter holds no weights");
    out_.keeper = keeper_;
    out_.base_model = config_.base_model;
    out_.size_bytes = file.size_bytes();
    return std::move(out_);
  }

 private:
  Result<void> sort_tensors(const TensorFile& file);
  Result<bool> is_half(const StoredTensor& tensor, const std::string& name);
  void find_places();
  Result<void> read_module(const std::string& name, const PeftModule& module);
  Result<void> check_shapes(const PeftModule& module, const ModulePlace& place, int rank) const;
  Result<void> add_update(const PeftModule& module, const ModulePlace& place, float scale);
  Result<void> add_bias(const std::string& name, const PeftModule& module, float scale);
  const std::vector<ModulePlace>* find_parameter_of(const std::string& name) const;
  Result<void> read_experts(const std::string& name, const PeftModule& module);
  Result<void> add_experts(const PeftModule& module, const ModulePlace& place, int rank, float scale);
  Result<void> read_whole(const TensorFile& file);
  Result<TensorView> as_f32(const StoredTensor& stored, bool is_transposed = false);
  TensorView keep(Tensor tensor);

  const PeftConfig& config_;
  const ModelConfig& base_;
  std::vector<ParameterSpec> specs_;
  std::map<std::string, PeftModule> modules_;
  std::vector<StoredTensor> whole_;                         // under the names that the base's file has
  std::map<std::string, std::vector<ModulePlace>> places_;  // by stored name
  std::shared_ptr<AdapterKeeper> keeper_ = std::make_shared<AdapterKeeper>();
  Adapter out_;
};

// Whether a tensor is a half of a module's update; then it is noted.
Result<bool> PeftReader::is_half(const StoredTensor& tensor, const std::string& name) {
  struct Form {
    std::string_view suffix;
    const StoredTensor* PeftModule::*where;
    bool is_embedding;
  };
  constexpr Form kForms[] = {{".lora_A.weight", &PeftModule::a, false},
                             {".lora_B.weight", &PeftModule::b, false},
                             {".lora_B.bias", &PeftModule::bias, false},
                             {".lora_embedding_A", &PeftModule::a, true},
                             {".lora_embedding_B", &PeftModule::b, true},
                             {".lora_magnitude_vector", &PeftModule::magnitude, false},
                             {".lora_magnitude_vector.weight", &PeftModule::magnitude, false}};
  for (const Form& form : kForms) {
    if (!name.ends_with(form.suffix)) continue;
    const std::string path = name.substr(0, name.size() - form.suffix.size());
    PeftModule& module = modules_[under_usual_root(path)];
    module.path = path;
    module.*form.where = &tensor;
    module.is_embedding |= form.is_embedding;
    return true;
  }
  if (name.find(".lora_") != std::string::npos || name.ends_with(".trainable_tokens_delta"))
    return error(Code::unimplemented, "the adapter holds a tensor \"{}\", which is of no form that is supported", name);
  return false;
}

Result<void> PeftReader::sort_tensors(const TensorFile& file) {
  for (const StoredTensor& tensor : file.tensors()) {
    if (!tensor.name.starts_with(kPeftPrefix))
      return error(Code::unimplemented,
                   "the adapter holds a tensor \"{}\", which does not begin with \"{}\" as PEFT writes it", tensor.name,
                   kPeftPrefix);
    std::string name = tensor.name.substr(kPeftPrefix.size());
    if (TRY(is_half(tensor, name))) continue;
    replace_once(name, ".base_layer.", ".");
    replace_once(name, ".modules_to_save.", ".");
    whole_.push_back(tensor);
    whole_.back().name = under_usual_root(std::move(name));
  }
  return {};
}

void PeftReader::find_places() {
  for (const ParameterSpec& spec : specs_) {
    for (int part = 0; part < std::max(1, spec.hf.n_parts); ++part)
      places_[spec.hf.part_name(part)].push_back({&spec, spec.hf, part});
    if (const auto other = library_form(spec)) places_[other->part_name(0)].push_back({&spec, *other, 0});
  }
}

Error belongs_elsewhere(const std::string& name) {
  return error(Code::invalid_argument,
               "the adapter changes \"{}\", which the base model does not have: it belongs to another model", name);
}

Result<void> PeftReader::read_module(const std::string& name, const PeftModule& module) {
  if (!module.a || !module.b)
    return error(Code::data_loss, "the adapter holds {} without {}", module.b ? "lora_B" : "lora_A",
                 module.b ? "lora_A" : "lora_B");
  if (config_.is_dora && module.is_embedding) return error(Code::unimplemented, "DoRA of embeddings is not supported");
  if (config_.is_dora != (module.magnitude != nullptr))
    return error(Code::data_loss, "\"use_dora\" is {}, but there is {} lora_magnitude_vector", config_.is_dora,
                 module.magnitude ? "a" : "no");
  const auto found = places_.find(name + ".weight");
  if (found == places_.end()) return read_experts(name, module);
  const int rank = TRY(config_.rank_of(module.path));
  const float scale = TRY(config_.scale_of(module.path));
  for (const ModulePlace& place : found->second) {
    TRY(check_shapes(module, place, rank));
    TRY(add_update(module, place, scale));
  }
  return module.bias ? add_bias(name, module, scale) : Result<void>();
}

Result<void> expect_shape(const StoredTensor& tensor, const std::vector<int64_t>& wanted) {
  if (tensor.shape == wanted) return {};
  return error(Code::data_loss,
               "\"{}\" has the shape [{}], expected [{}]: the adapter belongs to another model, or is damaged",
               tensor.name, fmt::join(tensor.shape, ", "), fmt::join(wanted, ", "));
}

// Rows of the whole stored matrix: of all experts or heads that lie in it.
int64_t stored_rows(const ModulePlace& place) {
  const Shape part = part_shape(*place.spec, place.storage);
  const int axis = row_axis(*place.spec, part);
  const int64_t n = place.storage.n_rows > 0 ? place.storage.n_rows : part[axis];
  if (part.rank() == 1) return n;
  return part.n_rows() / part[axis] * n;
}

Result<void> PeftReader::check_shapes(const PeftModule& module, const ModulePlace& place, int rank) const {
  const ParameterSpec& spec = *place.spec;
  if (is_vector(spec) || place.storage.changes_values())
    return error(Code::unimplemented, "a low-rank update of \"{}\", which is no matrix, is not supported", spec.role);
  const int64_t n_out = stored_rows(place), n_in = spec.shape.last();
  if (module.is_embedding) {  // as embeddings are looked up: A is [rank, vocabulary], B [width, rank]
    TRY(expect_shape(*module.a, {rank, n_out}));
    return expect_shape(*module.b, {n_in, rank});
  }
  TRY(expect_shape(*module.a, {rank, n_in}));
  TRY(expect_shape(*module.b, {n_out, rank}));
  if (module.magnitude) TRY(expect_shape(*module.magnitude, {n_out}));
  return {};
}

TensorView PeftReader::keep(Tensor tensor) {
  keeper_->copies.push_back(std::move(tensor));
  return keeper_->copies.back().view();
}

Result<TensorView> PeftReader::as_f32(const StoredTensor& stored, bool is_transposed) {
  if (!stored.dtype || *stored.dtype == Dtype::i32)
    return error(Code::unimplemented, "tensor \"{}\" holds {}, expected F32, F16 or BF16", stored.name,
                 stored.format_dtype);
  Shape shape;
  for (const int64_t dim : stored.shape) shape.append(dim);
  Tensor copy({Dtype::f32, shape});
  to_float(*stored.dtype, stored.bytes.data(), copy.f32(), shape.n_elements());
  if (!is_transposed) return keep(std::move(copy));
  Tensor turned({Dtype::f32, {shape[1], shape[0]}});
  for (int64_t i = 0; i < shape[0]; ++i)
    for (int64_t j = 0; j < shape[1]; ++j) turned.f32()[j * shape[0] + i] = copy.f32()[i * shape[1] + j];
  return keep(std::move(turned));
}

// Rows of a stored matrix or vector in our order.
Tensor our_rows(const TensorView& stored, const ModulePlace& place) {
  const Shape part = part_shape(*place.spec, place.storage);
  const int64_t n_ours = part[row_axis(*place.spec, part)], n_groups = part.rank() == 1 ? 1 : part.n_rows() / n_ours;
  const int64_t n_stored = stored_rows(place) / n_groups, width = stored.shape().rank() == 1 ? 1 : stored.dim(1);
  const std::vector<int64_t> map = place.storage.row_map(n_ours);
  Tensor out({Dtype::f32, stored.shape().rank() == 1 ? Shape{n_groups * n_ours} : Shape{n_groups * n_ours, width}});
  float* to = out.f32();
  for (int64_t group = 0; group < n_groups; ++group)
    for (const int64_t row : map) {
      std::memcpy(to, stored.f32() + (group * n_stored + row) * width, static_cast<size_t>(width) * sizeof(float));
      to += width;
    }
  return out;
}

// Without the ranks that change nothing in these rows: those of the other parts of a fused matrix.
std::pair<Tensor, Tensor> used_ranks(const TensorView& a, const Tensor& b) {
  const int64_t n = b.type().shape[0], rank = b.type().shape[1], n_in = a.dim(1);
  std::vector<int64_t> used;
  for (int64_t r = 0; r < rank; ++r)
    for (int64_t i = 0; i < n; ++i)
      if (b.f32()[i * rank + r] != 0) {
        used.push_back(r);
        break;
      }
  if (used.empty()) used.push_back(0);
  const auto n_used = static_cast<int64_t>(used.size());
  Tensor less_a({Dtype::f32, {n_used, n_in}}), less_b({Dtype::f32, {n, n_used}});
  for (int64_t k = 0; k < n_used; ++k) {
    const int64_t r = used[static_cast<size_t>(k)];
    std::memcpy(less_a.f32() + k * n_in, a.f32() + r * n_in, static_cast<size_t>(n_in) * sizeof(float));
    for (int64_t i = 0; i < n; ++i) less_b.f32()[i * n_used + k] = b.f32()[i * rank + r];
  }
  return {std::move(less_a), std::move(less_b)};
}

Result<void> PeftReader::add_update(const PeftModule& module, const ModulePlace& place, float scale) {
  const Storage& storage = place.storage;
  TensorView a = TRY(as_f32(module.is_embedding ? *module.b : *module.a, module.is_embedding));
  TensorView b = TRY(as_f32(module.is_embedding ? *module.a : *module.b, module.is_embedding));
  LowRankUpdate update{.a = a, .b = b, .scale = scale};
  if (!storage.is_plain()) {
    Tensor rows = our_rows(b, place);
    update.first_row = place.part * rows.type().shape[0];
    auto [less_a, less_b] = used_ranks(a, rows);
    update.a = keep(std::move(less_a));
    update.b = keep(std::move(less_b));
  }
  if (module.magnitude) {
    update.magnitude = TRY(as_f32(*module.magnitude));
    if (!storage.is_plain()) update.magnitude = keep(our_rows(*update.magnitude, place));
  }
  out_.updates[place.spec->role].push_back(update);
  return {};
}

// The tensor that a change of target_parameters is of. Where several of one block are changed, the library wraps them
// in the order in which the block has them: ".base_layer" leads inwards, to the first.
const std::vector<ModulePlace>* PeftReader::find_parameter_of(const std::string& name) const {
  constexpr std::string_view kInner = ".base_layer";
  std::string block = name;
  size_t depth = 0;
  for (; block.ends_with(kInner); ++depth) block.resize(block.size() - kInner.size());
  std::vector<const std::vector<ModulePlace>*> targeted;
  for (auto it = places_.lower_bound(block + "."); it != places_.end() && it->first.starts_with(block + "."); ++it)
    if (it->first.find('.', block.size() + 1) == std::string::npos && it->second[0].spec->shape.rank() == 3 &&
        config_.targets_parameter(it->first))
      targeted.push_back(&it->second);
  std::sort(targeted.begin(), targeted.end(), [](const auto* a, const auto* b) { return (*a)[0].spec < (*b)[0].spec; });
  return depth < targeted.size() ? targeted[targeted.size() - 1 - depth] : nullptr;
}

Result<void> PeftReader::read_experts(const std::string& name, const PeftModule& module) {
  const std::vector<ModulePlace>* places = find_parameter_of(name);
  if (!places) return belongs_elsewhere(name);
  if (module.bias || module.magnitude || module.is_embedding || !config_.ranks.empty() || !config_.alphas.empty())
    return error(
        Code::unimplemented,
        "of \"target_parameters\", changes with a bias, DoRA, a rank_pattern or an alpha_pattern are not supported");
  for (const ModulePlace& place : *places)
    TRY(add_experts(module, place, config_.rank, TRY(config_.scale_of(module.path))));
  return {};
}

Result<void> PeftReader::add_experts(const PeftModule& module, const ModulePlace& place, int rank, float scale) {
  const ExpertChange change{TRY(as_f32(*module.a)), TRY(as_f32(*module.b)), rank, config_.swaps_experts};
  const Shape& shape = place.spec->shape;
  for (int64_t e = 0; e < shape[0]; ++e) {
    auto [a, b] = TRY(expert_factors(change, shape, place.storage, e));
    const TensorView kept_a = keep(std::move(a)), kept_b = keep(std::move(b));
    out_.updates[place.spec->role].push_back({.first_row = e * shape[1], .a = kept_a, .b = kept_b, .scale = scale});
  }
  return {};
}

Result<void> PeftReader::add_bias(const std::string& name, const PeftModule& module, float scale) {
  const auto found = places_.find(name + ".bias");
  if (found == places_.end())
    return error(Code::unimplemented, "the adapter adds a bias to \"{}\", which the base has without one", name);
  for (const ModulePlace& place : found->second) {
    TRY(expect_shape(*module.bias, {stored_rows(place)}));
    Tensor rows = our_rows(TRY(as_f32(*module.bias)), place);
    for (int64_t i = 0; i < rows.type().shape.n_elements(); ++i) rows.f32()[i] *= scale;
    out_.added[place.spec->role] = keep(std::move(rows));
  }
  return {};
}

Result<void> PeftReader::read_whole(const TensorFile& file) {
  std::vector<std::string> names;
  for (const StoredTensor& tensor : whole_) names.push_back(tensor.name);
  const TensorFile renamed = TRY(TensorFile::assemble(std::move(whole_), file.keeper(), file.size_bytes()));
  WeightKeeper& keeper = keeper_->weights;
  for (const ParameterSpec& spec : specs_) {
    if (!renamed.find(spec.hf.part_name(0))) continue;
    out_.whole[spec.role] = TRY(read_parameter(renamed, spec, spec.hf, keeper));
  }
  for (const std::string& name : names)
    if (!keeper.used.contains(name)) return belongs_elsewhere(name);
  keeper.used.clear();  // names of a file that goes now
  return {};
}

}  // namespace

Result<Adapter> read_adapter(const fs::path& folder, const ModelConfig& given) {
  const PeftConfig config = TRY(read_peft_config(folder / "adapter_config.json"));
  ModelConfig base = given;
  base.tied_embeddings = false;  // an output of its own can be named, see apply_adapter
  Adapter out = TRY_WITH(PeftReader(config, base).read(folder), "in the adapter {}", folder.string());
  to_order_of(given, out);
  return out;
}

}  // namespace hearth
