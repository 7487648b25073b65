// The table of GGUF tensor types, made from the dtype table once.
#include "model_store/formats/gguf_types.h"

#include <cctype>
#include <list>
#include <string>
#include <vector>

namespace hearth {
namespace {

// Known by size only, so that a file which holds one is told apart from a damaged file.
constexpr GgufTensorType kNotOurs[] = {
    {9, "Q8_1", 32, 36, {}}, {15, "Q8_K", 256, 292, {}}, {24, "I8", 1, 1, {}},      {25, "I16", 1, 2, {}},
    {27, "I64", 1, 8, {}},   {28, "F64", 1, 8, {}},      {40, "NVFP4", 64, 36, {}}, {41, "Q1_0", 128, 18, {}},
};

struct Table {
  std::list<std::string> names;
  std::vector<GgufTensorType> types{std::begin(kNotOurs), std::end(kNotOurs)};

  Table() {
    for (int i = 0; i < kNumDtypes; ++i) {
      const DtypeInfo& info = dtype_info(static_cast<Dtype>(i));
      if (info.gguf < 0) continue;
      std::string& name = names.emplace_back(info.name);
      for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
      types.push_back({static_cast<uint32_t>(info.gguf), name, static_cast<uint32_t>(info.block_elements),
                       static_cast<uint32_t>(info.block_bytes), static_cast<Dtype>(i)});
    }
  }
};

}  // namespace

const GgufTensorType* find_gguf_tensor_type(uint32_t id) {
  static const Table table;
  for (const auto& type : table.types)
    if (type.id == id) return &type;
  return nullptr;
}

}  // namespace hearth
