// JSON of the pack documents.
#include "model_store/oci.h"

#include "base/json.h"
#include "model_store/file_names.h"

namespace hearth::store::oci {
namespace {
constexpr int kMaxDepth = 16;
constexpr size_t kMaxAnnotations = 256, kMaxTextBytes = 4096;

// Text from outside that people will see: bounded and without control characters.
std::string clean(std::string text) {
  if (text.size() > kMaxTextBytes) {
    size_t end = kMaxTextBytes;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    text.resize(end);
  }
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  return text;
}

Result<Annotations> parse_annotations(const Json& json) {
  Annotations out;
  auto it = json.find("annotations");
  if (it == json.end() || it->is_null()) return out;
  if (!it->is_object() || it->size() > kMaxAnnotations)
    return error(Code::invalid_argument, "\"annotations\" must be an object of at most {} strings", kMaxAnnotations);
  for (const auto& [key, value] : it->items()) {
    if (!value.is_string()) return error(Code::invalid_argument, "annotation \"{}\" must be a string", key);
    out[key] = value.get<std::string>();
  }
  return out;
}

Result<Descriptor> parse_descriptor(const Json& json) {
  if (!json.is_object()) return error(Code::invalid_argument, "a descriptor must be an object");
  // One by one: an early return from inside braces would leak the members that are already made (GCC 12).
  std::string media_type = TRY(json_get<std::string>(json, "mediaType"));
  std::string artifact_type = TRY(json_get_or<std::string>(json, "artifactType", ""));
  std::string digest_text = TRY(json_get<std::string>(json, "digest"));
  Digest digest = TRY(Digest::parse(digest_text));
  uint64_t size_bytes = TRY(json_get<uint64_t>(json, "size"));
  Annotations annotations = TRY(parse_annotations(json));
  Descriptor out{std::move(media_type), std::move(artifact_type), std::move(digest), size_bytes,
                 std::move(annotations)};
  if (out.size_bytes > kMaxBlobBytes)
    return error(Code::invalid_argument, "a blob of {} bytes is larger than the limit of {}", out.size_bytes,
                 kMaxBlobBytes);
  return out;
}

Result<std::vector<Descriptor>> parse_descriptors(const Json& json, const char* key, size_t limit) {
  auto it = json.find(key);
  if (it == json.end() || !it->is_array()) return error(Code::invalid_argument, "\"{}\" must be an array", key);
  if (it->size() > limit)
    return error(Code::invalid_argument, "\"{}\" has {} entries, the limit is {}", key, it->size(), limit);
  std::vector<Descriptor> out;
  for (const Json& item : *it) out.push_back(TRY_WITH(parse_descriptor(item), "in {}[{}]", key, out.size()));
  return out;
}

Result<Json> parse_document(std::string_view text, uint64_t limit) {
  if (text.size() > limit) return error(Code::invalid_argument, "the document is larger than {} bytes", limit);
  Json json = TRY(parse_json(text, kMaxDepth));
  if (!json.is_object()) return error(Code::invalid_argument, "the document must be an object");
  return json;
}

Result<void> check_schema_version(const Json& json) {
  int version = TRY(json_get<int>(json, "schemaVersion"));
  if (version != 2) return error(Code::invalid_argument, "\"schemaVersion\" must be 2, got {}", version);
  return {};
}

Json to_json(const Descriptor& d) {
  Json out = {{"mediaType", d.media_type}, {"digest", d.digest.text()}, {"size", d.size_bytes}};
  if (!d.artifact_type.empty()) out["artifactType"] = d.artifact_type;
  if (!d.annotations.empty()) out["annotations"] = d.annotations;
  return out;
}

Json to_json(const std::vector<Descriptor>& descriptors) {
  Json out = Json::array();
  for (const Descriptor& d : descriptors) out.push_back(to_json(d));
  return out;
}

void put_if(Json& object, const char* key, const std::string& value) {
  if (!value.empty()) object[key] = value;
}
}  // namespace

std::string Descriptor::annotation(std::string_view key) const {
  auto it = annotations.find(key);
  return it == annotations.end() ? "" : it->second;
}

Result<std::vector<Descriptor>> parse_index(std::string_view text) {
  Json json = TRY(parse_document(text, kMaxIndexBytes));
  TRY(check_schema_version(json));
  return parse_descriptors(json, "manifests", kMaxIndexEntries);
}

std::string write_index(const std::vector<Descriptor>& manifests) {
  return dump_json({{"schemaVersion", 2}, {"mediaType", kIndexType}, {"manifests", to_json(manifests)}}, 2) + "\n";
}

Result<Manifest> parse_manifest(std::string_view text) {
  Json json = TRY(parse_document(text, kMaxManifestBytes));
  TRY(check_schema_version(json));
  std::string type = TRY(json_get_or<std::string>(json, "mediaType", std::string(kManifestType)));
  if (type != kManifestType)
    return error(Code::invalid_argument, "expected a manifest of type {}, got {}", kManifestType, clean(type));
  if (!json.contains("config")) return error(Code::invalid_argument, "field \"config\" is missing");
  std::string artifact_type = TRY(json_get_or<std::string>(json, "artifactType", ""));
  Descriptor config = TRY_WITH(parse_descriptor(json["config"]), "in config");
  std::vector<Descriptor> layers = TRY(parse_descriptors(json, "layers", kMaxLayers));
  Annotations annotations = TRY(parse_annotations(json));
  Manifest out{std::move(artifact_type), std::move(config), std::move(layers), std::nullopt, std::move(annotations)};
  if (auto it = json.find("subject"); it != json.end() && !it->is_null())
    out.subject = TRY_WITH(parse_descriptor(*it), "in subject");
  return out;
}

std::string write_manifest(const Manifest& manifest) {
  Json out = {{"schemaVersion", 2},
              {"mediaType", kManifestType},
              {"config", to_json(manifest.config)},
              {"layers", to_json(manifest.layers)}};
  put_if(out, "artifactType", manifest.artifact_type);
  if (manifest.subject) out["subject"] = to_json(*manifest.subject);
  if (!manifest.annotations.empty()) out["annotations"] = manifest.annotations;
  return dump_json(out);
}

Result<ModelInfo> parse_model_config(std::string_view text) {
  Json json = TRY(parse_document(text, kMaxConfigBytes));
  Json descriptor = json.value("descriptor", Json::object()), config = json.value("config", Json::object());
  ModelInfo out;
  auto read = [](const Json& from, const char* key, std::string& to) -> Result<void> {
    to = clean(TRY(json_get_or<std::string>(from, key, "")));
    return {};
  };
  TRY(read(descriptor, "name", out.name));
  TRY(read(descriptor, "version", out.version));
  TRY(read(descriptor, "family", out.family));
  TRY(read(descriptor, "description", out.description));
  TRY(read(config, "format", out.format));
  TRY(read(config, "precision", out.precision));
  TRY(read(config, "paramSize", out.param_size));
  if (descriptor.is_object() && descriptor.contains("licenses") && descriptor["licenses"].is_array())
    for (const Json& license : descriptor["licenses"])
      if (license.is_string()) out.license += (out.license.empty() ? "" : " AND ") + clean(license.get<std::string>());
  out.license = clean(out.license);
  return out;
}

std::string write_model_config(const ModelInfo& info, const std::vector<Descriptor>& layers) {
  Json descriptor = Json::object(), config = {{"architecture", "transformer"}}, diff_ids = Json::array();
  put_if(descriptor, "name", info.name);
  put_if(descriptor, "version", info.version);
  put_if(descriptor, "family", info.family);
  put_if(descriptor, "description", info.description);
  if (!info.license.empty()) descriptor["licenses"] = Json::array({info.license});
  put_if(config, "format", info.format);
  put_if(config, "precision", info.precision);
  put_if(config, "paramSize", info.param_size);
  for (const Descriptor& layer : layers) diff_ids.push_back(layer.digest.text());
  return dump_json(
      {{"descriptor", descriptor}, {"config", config}, {"modelfs", {{"type", "layers"}, {"diffIds", diff_ids}}}});
}

Result<std::vector<std::string>> file_names_of(const Manifest& manifest) {
  if (manifest.layers.empty()) return error(Code::invalid_argument, "the pack has no files");
  std::vector<std::string> names;
  for (const Descriptor& layer : manifest.layers) {
    if (!layer.media_type.ends_with(".raw"))
      return error(Code::unimplemented,
                   "layer {} has the type {}; archived or compressed layers cannot be installed yet: make the pack "
                   "with raw layers",
                   names.size(), clean(layer.media_type));
    std::string name = layer.annotation(kFilePath);
    if (name.empty()) return error(Code::invalid_argument, "layer {} has no annotation {}", names.size(), kFilePath);
    names.push_back(std::move(name));
  }
  TRY(check_file_names(names));
  return names;
}

std::string_view media_type_for(std::string_view name) {
  auto is_doc = [&] {
    return name.ends_with(".md") || name.starts_with("README") || name.starts_with("LICENSE") ||
           name.starts_with("NOTICE");
  };
  if (name.ends_with(".safetensors") || name.ends_with(".gguf")) return kWeightType;
  return is_doc() ? kDocType : kWeightConfigType;
}

std::string param_size_text(uint64_t n_params) {
  constexpr std::pair<double, char> kScales[] = {{1e12, 'T'}, {1e9, 'B'}, {1e6, 'M'}, {1e3, 'K'}};
  for (auto [scale, letter] : kScales)
    if (static_cast<double>(n_params) >= scale)
      return fmt::format("{:.1f}{}", static_cast<double>(n_params) / scale, letter);
  return n_params == 0 ? "" : fmt::format("{:.1f}K", static_cast<double>(n_params) / 1e3);
}

}  // namespace hearth::store::oci
