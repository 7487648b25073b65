// Reading a parameter that lies in a file in another form.
#include "model_store/formats/storage_read.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/files.h"
#include "runtime/ops/rules.h"

namespace hearth::storage_read_test {
namespace {

// A file with one tensor in memory.
TensorFile file_of(const std::string& name, const Tensor& tensor) {
  StoredTensor stored;
  stored.name = name;
  stored.format_dtype = dtype_info(tensor.type().dtype).name;
  stored.dtype = tensor.type().dtype;
  for (int i = 0; i < tensor.type().shape.rank(); ++i) stored.shape.push_back(tensor.type().shape[i]);
  stored.bytes = {tensor.view().as<std::byte>(), static_cast<size_t>(tensor.type().bytes())};
  return *TensorFile::assemble({stored}, nullptr, stored.bytes.size());
}

// The line of /proc/self/maps that holds the address.
std::string mapping_of(const void* data) {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    char* rest = nullptr;
    const auto begin = std::strtoull(line.c_str(), &rest, 16), end = std::strtoull(rest + 1, nullptr, 16);
    const auto at = reinterpret_cast<uintptr_t>(data);
    if (begin <= at && at < end) return line;
  }
  return {};
}

// Per head [out, in] here, [in, out] there: every dtype comes out with the same numbers, blocks widened to f32.
TEST(StorageRead, TransposedTensorsOfEveryKind) {
  const int64_t H = 2, N = 64, K = 6;
  const ParameterSpec spec{"w", ParameterKind::matrix,    {H, N, K}, {"heads", "head", "rank"},
                           "",  Storage("w").transposed()};
  for (const Dtype dtype : {Dtype::f32, Dtype::bf16, Dtype::q8_0, Dtype::q4_0}) {
    const Tensor stored = random_weights(dtype, {H, K, N}, 7);
    const TensorFile file = file_of("w", stored);
    WeightKeeper keeper;
    auto view = read_parameter(file, spec, spec.gguf, keeper);
    ASSERT_TRUE(view) << view.error().to_string();
    EXPECT_EQ(view->type.dtype, dtype_info(dtype).is_quantised ? Dtype::f32 : dtype);
    EXPECT_EQ(keeper.copied_bytes, static_cast<uint64_t>(view->type.bytes()));
    const Tensor got = to_f32(*view), wanted = to_f32(stored.view());
    for (int64_t h = 0; h < H; ++h)
      for (int64_t n = 0; n < N; ++n)
        for (int64_t k = 0; k < K; ++k)
          ASSERT_EQ(got.f32()[(h * N + n) * K + k], wanted.f32()[(h * K + k) * N + n]) << dtype_info(dtype).name;
  }
}

// The first rows of each head of one joined matrix, and the rest.
TEST(StorageRead, RowsOfEachHeadOfAJoinedMatrix) {
  const int64_t H = 3, A = 4, B = 2, K = 32;
  const Tensor stored = random_weights(Dtype::q8_0, {H * (A + B), K}, 9);
  const TensorFile file = file_of("kv", stored);
  const Tensor whole = to_f32(stored.view());
  for (const auto& [first, n] : {std::pair{int64_t{0}, A}, {A, B}}) {
    const ParameterSpec spec{"w", ParameterKind::matrix, {H, n, K}, {}, Storage("kv").rows(first, A + B).joined(), ""};
    WeightKeeper keeper;
    auto view = read_parameter(file, spec, spec.hf, keeper);
    ASSERT_TRUE(view) << view.error().to_string();
    const Tensor got = to_f32(*view);
    for (int64_t row = 0; row < H * n; ++row) {
      const float* wanted = whole.f32() + (row / n * (A + B) + first + row % n) * K;
      EXPECT_TRUE(std::equal(wanted, wanted + K, got.f32() + row * K)) << row;
    }
  }
}

// Experts that lie apart are stacked. Where memory cannot hold the model, the stack is a file that nobody sees.
TEST(StorageRead, AStackThatMemoryCannotHoldIsOnDisk) {
  const int64_t E = 3, N = 512, K = 512;
  const ParameterSpec spec{"w", ParameterKind::matrix, {E, N, K}, {"expert", "", ""}, Storage("w.{}").each_of(E), ""};
  const Tensor all = random_tensor({E, N, K}, 5);
  std::vector<StoredTensor> parts;
  for (int64_t e = 0; e < E; ++e) {
    StoredTensor part;
    part.name = "w." + std::to_string(e), part.format_dtype = "f32", part.dtype = Dtype::f32, part.shape = {N, K};
    part.bytes = {all.view().as<std::byte>() + e * N * K * 4, static_cast<size_t>(N * K * 4)};
    parts.push_back(part);
  }
  const TensorFile file = *TensorFile::assemble(parts, nullptr, 0);
  const TempFolder folder = *TempFolder::create("hearth-stack");
  WeightKeeper keeper;
  keeper.disk_folders = {folder.path() / "missing", folder.path()};
  auto view = read_parameter(file, spec, spec.hf, keeper);
  ASSERT_TRUE(view) << view.error().to_string();
  EXPECT_EQ(keeper.copied_bytes, 0u);
  EXPECT_EQ(keeper.disk_bytes, static_cast<uint64_t>(all.type().bytes()));
  EXPECT_EQ(std::memcmp(view->data, all.view().data, static_cast<size_t>(all.type().bytes())), 0);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path())) << "the file has a name";
  EXPECT_NE(mapping_of(view->data).find("r--s"), std::string::npos) << mapping_of(view->data);

  keeper.disk_folders = {folder.path() / "missing"};
  auto refused = read_parameter(file, spec, spec.hf, keeper);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().to_string().find("free some disk space"), std::string::npos) << refused.error().to_string();
  WeightKeeper in_memory;
  ASSERT_TRUE(read_parameter(file, spec, spec.hf, in_memory));
  EXPECT_EQ(in_memory.copied_bytes, static_cast<uint64_t>(all.type().bytes()));
}

}  // namespace
}  // namespace hearth::storage_read_test
