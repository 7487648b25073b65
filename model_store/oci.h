// The documents of a pack: OCI image index and manifest, CNCF ModelPack manifest and configuration. Pure text in and
// out; parsing has limits for everything, because the text comes from a stick.
// Sources: OCI image-spec 1.1 (manifest.md, image-layout.md), CNCF model-spec v1 (specs-go/v1).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model_store/digest.h"

namespace hearth::store::oci {

inline constexpr std::string_view kIndexType = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view kManifestType = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view kImageConfigType = "application/vnd.oci.image.config.v1+json";
inline constexpr std::string_view kModelType = "application/vnd.cncf.model.manifest.v1+json";
inline constexpr std::string_view kModelConfigType = "application/vnd.cncf.model.config.v1+json";
inline constexpr std::string_view kWeightType = "application/vnd.cncf.model.weight.v1.raw";
inline constexpr std::string_view kWeightConfigType = "application/vnd.cncf.model.weight.config.v1.raw";
inline constexpr std::string_view kDocType = "application/vnd.cncf.model.doc.v1.raw";
inline constexpr std::string_view kFilePath = "org.cncf.model.filepath";
inline constexpr std::string_view kRefName = "org.opencontainers.image.ref.name";
inline constexpr std::string_view kParent =
    "org.hearth.model.parent";  // the one annotation of our own: the base model's name

inline constexpr uint64_t kMaxIndexBytes = 4 << 20, kMaxManifestBytes = 4 << 20, kMaxConfigBytes = 1 << 20;
inline constexpr size_t kMaxIndexEntries = 1024, kMaxLayers = 4096;
inline constexpr uint64_t kMaxBlobBytes = uint64_t{4} << 40;

using Annotations = std::map<std::string, std::string, std::less<>>;

struct Descriptor {
  std::string media_type, artifact_type;
  Digest digest;
  uint64_t size_bytes = 0;
  Annotations annotations;
  std::string annotation(std::string_view key) const;  // "" when absent
};

struct Manifest {
  std::string artifact_type;
  Descriptor config;
  std::vector<Descriptor> layers;
  std::optional<Descriptor> subject;
  Annotations annotations;
  bool is_model() const { return artifact_type == kModelType || config.media_type == kModelConfigType; }
};

// What a ModelPack configuration says for people. The technical facts are read from the files instead.
struct ModelInfo {
  std::string name, version, description, license, family, format, precision, param_size;
};

Result<std::vector<Descriptor>> parse_index(std::string_view text);
std::string write_index(const std::vector<Descriptor>& manifests);

Result<Manifest> parse_manifest(std::string_view text);
std::string write_manifest(const Manifest& manifest);

Result<ModelInfo> parse_model_config(std::string_view text);
std::string write_model_config(const ModelInfo& info, const std::vector<Descriptor>& layers);

// The layers of a model as files: raw layers with valid, distinct org.cncf.model.filepath names. Archives are refused.
Result<std::vector<std::string>> file_names_of(const Manifest& manifest);
std::string_view media_type_for(std::string_view file_name);

std::string param_size_text(uint64_t n_params);  // "9.8M"

}  // namespace hearth::store::oci
