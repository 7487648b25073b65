// The packs of a source, each with its documents read once.
#pragma once

#include "model_store/pack.h"
#include "model_store/pack_layout.h"

namespace hearth::store {

struct FoundPack {
  oci::Descriptor entry;  // in the index
  Result<Pack> pack;      // an Error where it cannot be read: damage is shown, not hidden
};

// Whether all files of a pack are there, by their sizes.
Result<void> check_presence(const PackLayout& layout, const Pack& pack);

// The models of a layout; with a digest, only that one.
std::vector<FoundPack> packs_in(const PackLayout& layout, std::string_view digest = {});

struct LocatedPack {
  PackLayout layout;
  FoundPack found;
};

// The pack with this digest, or the only one where it is empty.
Result<LocatedPack> locate_pack(const std::filesystem::path& source, std::string_view digest);

}  // namespace hearth::store
