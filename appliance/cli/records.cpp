// Records to JSON: the fields of the API's Model and PackInfo, and what only the store knows.
#include "appliance/cli/records.h"

namespace hearth::cli {

Json record_json(const store::ModelRecord& m) {
  Json files = Json::array();
  for (const store::ModelFile& f : m.files)
    files.push_back({{"name", f.name}, {"digest", f.digest}, {"size_bytes", f.size_bytes}});
  return {{"name", m.name},
          {"display_name", m.display_name},
          {"digest", m.digest},
          {"kind", m.kind},
          {"version", m.version},
          {"family", m.family},
          {"dtype", m.dtype},
          {"license", m.license},
          {"description", m.description},
          {"source", in_words(m.origin)},
          {"signer", m.signer},
          {"parent", m.parent ? Json(*m.parent) : Json(nullptr)},
          {"files", std::move(files)},
          {"size_bytes", m.size_bytes},
          {"n_params", m.n_params},
          {"max_seq_len", m.max_seq_len},
          {"has_chat_template", m.has_chat_template},
          {"bundled", m.bundled},
          {"installed_at", m.installed_at}};
}

Json pack_json(const store::PackSummary& p) {
  return {{"name", p.name},
          {"display_name", p.display_name},
          {"version", p.version},
          {"description", p.description},
          {"license", p.license},
          {"digest", p.digest},
          {"path", p.layout.string()},
          {"size_bytes", p.size_bytes},
          {"installed", p.installed},
          {"status", store::trust_name(p.trust)},
          {"signer", p.signer},
          {"problem", p.problem}};
}

}  // namespace hearth::cli
