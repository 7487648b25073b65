// Which method a checkpoint was quantised with.
#include "model_store/formats/quantised/checkpoint.h"

#include "model_store/formats/quantised/parts.h"
#include "model_store/formats/safetensors.h"

namespace hearth {
namespace {

using Gather = Result<void> (*)(quantised::Gatherer&, const Json&);
struct Method {
  std::string_view name;
  Gather gather;
};
constexpr Method kMethods[] = {
    {"fp8", quantised::gather_fp8},
    {"fbgemm_fp8", quantised::gather_fp8},
    {"gptq", quantised::gather_gptq},
    {"awq", quantised::gather_awq},
    {"compressed-tensors", quantised::gather_compressed_tensors},
    {"mxfp4", quantised::gather_mxfp4},
    {"bitsandbytes", quantised::gather_bitsandbytes},
};

Result<const Method*> find_method(const std::string& name) {
  std::string known;
  for (const Method& method : kMethods) {
    if (method.name == name) return &method;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", method.name);
  }
  return error(
      Code::unimplemented,
      "weights quantised with \"{}\" are not supported (read are: {}); get the model unquantised, as GGUF, or in "
      "one of these",
      name, known);
}

}  // namespace

Result<TensorFile> decode_quantised(const TensorFile& stored, const Json& config) {
  const auto name = TRY_WITH(json_get<std::string>(config, "quant_method"), "in quantization_config");
  const Method* method = TRY(find_method(name));
  quantised::Gatherer gatherer(stored);
  TRY_WITH(method->gather(gatherer, config), "while reading weights quantised with {}", name);
  return gatherer.finish();
}

Result<TensorFile> open_hf_weights(const std::filesystem::path& folder, const Json& config) {
  TensorFile stored = TRY(open_safetensors(folder));
  auto quantised = config.find("quantization_config");
  if (quantised == config.end() || quantised->is_null()) return stored;
  return decode_quantised(stored, *quantised);
}

}  // namespace hearth
