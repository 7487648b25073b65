// What the library writes in its own form is what library_form() says (library_forms.json, made by it), and such a
// folder loads to the same weights.
#include "model_store/formats/library_form.h"

#include <gtest/gtest.h>

#include <cstring>

#include "base/files.h"
#include "base/json.h"
#include "model_store/formats/load.h"
#include "model_store/formats/safetensors.h"
#include "model_store/formats/storage_write.h"

namespace hearth::library_form_test {
namespace {
namespace fs = std::filesystem;

fs::path golden() {
  return fs::path(HEARTH_SOURCE_DIR) / "tests/golden";
}

std::string fnv(std::span<const std::byte> bytes) {
  uint64_t value = 0xCBF29CE484222325;
  for (std::byte b : bytes) value = (value ^ static_cast<uint64_t>(b)) * 0x100000001B3;
  return fmt::format("{:016x}", value);
}

// The same weights in the other form, under `root` instead of "model.".
Result<void> write_other_form(const LoadedModel& model, const fs::path& folder, const std::string& root) {
  auto specs = model.parameters;
  for (ParameterSpec& spec : specs)
    if (auto other = library_form(spec)) spec.hf = *other;
  const ModelToSave to_save{model.config, model.weights, {}, {}};
  const auto stored = TRY(tensors_to_store(specs, &ParameterSpec::hf, model.weights));
  StoredBytes bytes(to_save);
  std::vector<TensorToWrite> tensors;
  for (const TensorToStore& tensor : stored) {
    std::vector<int64_t> shape;
    for (int i = 0; i < tensor.shape.rank(); ++i) shape.push_back(tensor.shape[i]);
    const Dtype dtype = tensor.pieces[0].view.type.dtype;
    const std::string name = tensor.name.starts_with("model.") ? root + tensor.name.substr(6) : tensor.name;
    tensors.push_back(
        {name, dtype, shape, {}, [&, dtype](const ByteSink& sink) { return bytes.stream(tensor, dtype, sink); }});
  }
  TRY(write_safetensors(folder / "model.safetensors", std::move(tensors)));
  return write_file(folder / "config.json", TRY(read_file(model.path / "config.json")));
}

class LibraryForm : public testing::TestWithParam<std::string> {};

TEST_P(LibraryForm, IsWhatItWritesAndLoadsTheSame) {
  const Json expected = *parse_json(*read_file(golden() / "library_forms.json"));
  auto model = load_model(golden() / GetParam());
  ASSERT_TRUE(model) << model.error().to_string();
  for (const std::string root : {"model.", "model.language_model."}) {
    auto folder = TempFolder::create("library_form");
    ASSERT_TRUE(folder);
    auto written = write_other_form(*model, folder->path(), root);
    ASSERT_TRUE(written) << written.error().to_string();
    auto file = open_safetensors(folder->path());
    ASSERT_TRUE(file) << file.error().to_string();
    for (const auto& [name, wanted] : expected[GetParam()].items()) {
      const StoredTensor* got = file->find(root + name.substr(6));
      ASSERT_TRUE(got) << name;
      EXPECT_EQ(got->shape, wanted["shape"].get<std::vector<int64_t>>()) << name;
      // Vectors are f32 here, whatever they were in.
      const uint64_t n_file_bytes = got->n_elements() * (GetParam().ends_with("bf16") ? 2 : 4);
      if (got->bytes.size() == n_file_bytes)
        EXPECT_EQ(fnv(got->bytes), wanted["hash"].get<std::string>()) << name;
      else
        EXPECT_EQ(got->shape.size(), 1u) << name;
    }
    auto again = load_model(folder->path());
    ASSERT_TRUE(again) << again.error().to_string();
    ASSERT_EQ(again->weights.size(), model->weights.size());
    for (const auto& [role, view] : model->weights) {
      const TensorView& got = again->weights.at(role);
      ASSERT_EQ(got.type.bytes(), view.type.bytes()) << role;
      EXPECT_EQ(std::memcmp(got.data, view.data, static_cast<size_t>(view.type.bytes())), 0) << role;
    }
  }
}

std::vector<std::string> cases() {
  std::vector<std::string> out;
  const Json expected = *parse_json(*read_file(golden() / "library_forms.json"));
  for (const auto& [name, tensors] : expected.items()) out.push_back(name);
  return out;
}
INSTANTIATE_TEST_SUITE_P(Goldens, LibraryForm, testing::ValuesIn(cases()), [](const auto& info) { return info.param; });

}  // namespace
}  // namespace hearth::library_form_test
