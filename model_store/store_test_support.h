// What the store's tests share: small real models, keys, packs, and a fingerprint of a whole store.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "base/files.h"
#include "model_store/signature.h"
#include "model_store/store.h"

#define ASSERT_OK(result)                                                 \
  do {                                                                    \
    auto&& ok_ = (result);                                                \
    ASSERT_TRUE(ok_.has_value()) << (ok_ ? "" : ok_.error().to_string()); \
  } while (0)
#define EXPECT_ERROR(result, wanted_code, part)                                                    \
  do {                                                                                             \
    auto&& bad_ = (result);                                                                        \
    ASSERT_FALSE(bad_.has_value());                                                                \
    EXPECT_EQ(bad_.error().code, wanted_code) << bad_.error().to_string();                         \
    EXPECT_NE(bad_.error().to_string().find(part), std::string::npos) << bad_.error().to_string(); \
  } while (0)

namespace hearth::store::test {

// The value or the end of the test program: for set-up that has no reason to fail.
template <class T>
T must(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "set-up failed: %s\n", result.error().to_string().c_str());
    std::abort();
  }
  return std::move(result).value();
}
inline void must(Result<void> result) {
  if (!result) {
    std::fprintf(stderr, "set-up failed: %s\n", result.error().to_string().c_str());
    std::abort();
  }
}

// A Llama checkpoint folder: config.json, tokenizer.json, README.md and n_shards weight files of about shard_bytes.
// seed changes the weights.
void make_model_folder(const std::filesystem::path& folder, int seed = 1, size_t shard_bytes = 64 << 10,
                       int n_shards = 1);
// A PEFT adapter folder for a base model.
void make_adapter_folder(const std::filesystem::path& folder, const std::string& base);

// Everything a store consists of: each file with its hash, and every row of the catalog.
std::string fingerprint(const std::filesystem::path& state_dir);

// Memory instead of a disk where there is one: these tests flush a great deal, and none of them can cut the power.
std::filesystem::path fast_folder();

// A box with a store, a maker with a key that the box trusts, and a stick.
struct Bench {
  TempFolder folder = must(TempFolder::create("store_test", fast_folder()));
  std::filesystem::path state = folder.path() / "state", stick = folder.path() / "stick",
                        key = folder.path() / "maker.pem";
  Bench();
  Store open(Mode mode = Mode::read_write) const { return must(Store::open(state, mode)); }
  // Makes a model in a store of the maker's and exports it to the stick, signed with `key`. Returns the digest.
  std::string make_pack(const std::string& name, int seed = 1, size_t shard_bytes = 64 << 10, int n_shards = 1,
                        const std::string& version = "1.0") const;
};

void flip_bit(const std::filesystem::path& file, uint64_t offset);

}  // namespace hearth::store::test
