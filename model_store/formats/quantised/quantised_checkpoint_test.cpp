// Checkpoints of other quantisation tools: each decoded weight has exactly the floats of the method's own formula, in
// the dtype that was meant, and the model that they make up runs. Damaged and unknown ones are clear errors.
#include <gtest/gtest.h>

#include <cstring>

#include "base/files.h"
#include "model_store/formats/load.h"
#include "model_store/formats/quantised/checkpoint.h"
#include "model_store/formats/safetensors.h"
#include "model_store/formats/save.h"

namespace hearth::quantised_checkpoint_test {
namespace {
namespace fs = std::filesystem;

fs::path cases() {
  return fs::path(HEARTH_SOURCE_DIR) / "tests/golden/quantised";
}

Json read_json(const fs::path& path) {
  return *parse_json(*read_file(path));
}

std::string hash(const Tensor& values) {
  uint64_t value = 0xcbf29ce484222325;
  for (int64_t i = 0; i < values.type().bytes(); ++i)
    value = (value ^ reinterpret_cast<const uint8_t*>(values.f32())[i]) * 0x100000001b3;
  return fmt::format("{:016x}", value);
}

// What decode_quantised makes of one stored weight. Adding zero makes -0 and 0 one number.
Tensor decoded(const StoredTensor& stored, bool join_zeros) {
  Shape shape;
  for (int64_t dim : stored.shape) shape.append(dim);
  Tensor raw({*stored.dtype, shape});
  const auto done = stored.decode(static_cast<std::byte*>(raw.view().data));
  EXPECT_TRUE(done) << done.error().to_string();
  Tensor out = to_f32(raw.view());
  for (int64_t i = 0; join_zeros && i < shape.n_elements(); ++i) out.f32()[i] += 0.0f;
  return out;
}

class Checkpoint : public testing::TestWithParam<std::string> {};

TEST_P(Checkpoint, DecodesToTheBit) {
  const fs::path folder = cases() / GetParam();
  auto stored = open_safetensors(folder);
  ASSERT_TRUE(stored) << stored.error().to_string();
  auto weights = decode_quantised(*stored, read_json(folder / "config.json")["quantization_config"]);
  ASSERT_TRUE(weights) << weights.error().to_string();
  const Json expected = read_json(folder / "expected.json");
  for (const auto& [name, wanted] : expected.items()) {
    const StoredTensor* got = weights->find(name);
    ASSERT_TRUE(got) << name;
    EXPECT_EQ(got->shape, wanted["shape"].get<std::vector<int64_t>>()) << name;
    EXPECT_EQ(dtype_info(*got->dtype).name, wanted["dtype"].get<std::string>()) << name;
    EXPECT_EQ(hash(decoded(*got, GetParam() == "mxfp4")), wanted["hash"].get<std::string>()) << name;
  }
}

TEST_P(Checkpoint, LoadsAsAModel) {
  if (GetParam() == "mxfp4") GTEST_SKIP() << "experts alone";
  auto model = load_model(cases() / GetParam());
  ASSERT_TRUE(model) << model.error().to_string();
  const Json expected = read_json(cases() / GetParam() / "expected.json");
  for (const ParameterSpec& spec : model->parameters)
    if (expected.contains(spec.hf.name)) {
      EXPECT_EQ(hash(to_f32(model->weights.at(spec.role))), expected[spec.hf.name]["hash"].get<std::string>())
          << spec.role;
    }
}

void expect_same_floats(const LoadedModel& model, const fs::path& saved) {
  auto back = load_model(saved);
  ASSERT_TRUE(back) << back.error().to_string();
  for (const auto& [role, view] : model.weights) {
    const Tensor want = to_f32(view), got = to_f32(back->weights.at(role));
    EXPECT_EQ(std::memcmp(want.f32(), got.f32(), static_cast<size_t>(want.type().bytes())), 0) << role;
  }
}

TEST_P(Checkpoint, ExportsWithoutLoss) {
  if (GetParam() == "mxfp4") GTEST_SKIP() << "experts alone";
  auto model = load_model(cases() / GetParam());
  ASSERT_TRUE(model) << model.error().to_string();
  auto temporary = TempFolder::create("quantised");
  ModelToSave save{model->config, model->weights, model->generation, {}};
  uint64_t last = 0, total = 0;
  save.progress = [&](uint64_t done, uint64_t all) { last = done, total = all; };
  auto saved = save_gguf(temporary->path() / "m.gguf", save, std::nullopt);
  ASSERT_TRUE(saved) << saved.error().to_string();
  EXPECT_GT(total, 0u);
  EXPECT_EQ(last, total);
  expect_same_floats(*model, temporary->path() / "m.gguf");
  saved = save_hf_folder(temporary->path() / "hf", save, std::nullopt);
  ASSERT_TRUE(saved) << saved.error().to_string();
  expect_same_floats(*model, temporary->path() / "hf");
}

std::vector<std::string> case_names() {
  std::vector<std::string> out;
  for (const auto& entry : fs::directory_iterator(cases()))
    if (entry.is_directory()) out.push_back(entry.path().filename().string());
  std::sort(out.begin(), out.end());
  return out;
}
INSTANTIATE_TEST_SUITE_P(Cases, Checkpoint, testing::ValuesIn(case_names()),
                         [](const testing::TestParamInfo<std::string>& info) { return info.param; });

TEST(QuantisedCheckpoints, AllMethodsHaveACase) {
  EXPECT_EQ(case_names().size(), 17u);
}

// decode_quantised of a case whose configuration is changed, and perhaps without one tensor.
Result<TensorFile> changed(const char* name, const Json& changes, const std::string& without = "") {
  auto stored = open_safetensors(cases() / name);
  Json config = read_json(cases() / name / "config.json")["quantization_config"];
  if (!changes.is_null()) config.merge_patch(changes);
  std::vector<StoredTensor> kept;
  for (const StoredTensor& tensor : stored->tensors())
    if (without.empty() || !tensor.name.ends_with(without)) kept.push_back(tensor);
  return decode_quantised(*TensorFile::assemble(std::move(kept), stored->keeper(), stored->size_bytes()), config);
}

TEST(QuantisedCheckpoints, WhatIsNotCoveredSaysSo) {
  auto expect = [](Result<TensorFile> got, Code code, const char* what) {
    ASSERT_FALSE(got) << what;
    EXPECT_EQ(got.error().code, code) << got.error().to_string();
    EXPECT_NE(got.error().to_string().find(what), std::string::npos) << got.error().to_string();
  };
  expect(changed("gptq_sym", {{"quant_method", "quip"}}), Code::unimplemented, "\"quip\"");
  expect(changed("gptq_sym", {{"bits", 3}}), Code::unimplemented, "3 bits");
  expect(changed("gptq_sym", {{"checkpoint_format", "marlin"}}), Code::unimplemented, "marlin");
  expect(changed("gptq_sym", {{"group_size", 48}}), Code::data_loss, "groups");
  expect(changed("gptq_sym", {}, ".scales"), Code::not_found, ".scales");
  expect(changed("awq", {{"version", "gemv"}}), Code::unimplemented, "gemv");
  expect(changed("awq", {}, ".qzeros"), Code::not_found, ".qzeros");
  expect(changed("ct_int4_group", {}, ".weight_shape"), Code::not_found, "weight_shape");
  expect(changed("bnb_nf4", {{"load_in_4bit", false}, {"load_in_8bit", true}}), Code::unimplemented, "8 bits");
  expect(changed("bnb_nf4_double", {}, ".nested_absmax"), Code::not_found, "nested_absmax");
  expect(changed("mxfp4", {}, "gate_up_proj_scales"), Code::not_found, "gate_up_proj_scales");
}

}  // namespace
}  // namespace hearth::quantised_checkpoint_test
