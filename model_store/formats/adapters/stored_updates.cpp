#include "model_store/formats/adapters/stored_updates.h"

#include <cstring>

#include "model_store/formats/storage_read.h"

namespace hearth {
namespace {

struct RoleUpdate {
  const ParameterSpec* spec;
  const LowRankUpdate* update;
};

Result<void> check_role(const ParameterSpec& spec, const Storage& storage, const LowRankUpdate& update) {
  const int64_t rank = update.a.dim(0);
  if (spec.kind != ParameterKind::matrix || spec.shape.rank() != 2 || storage.n_parts > 0 || storage.changes_values() ||
      !storage.name.ends_with(".weight") || update.magnitude)
    return error(Code::unimplemented, "an adapter of \"{}\" has no form in files of this kind; merge it into its base",
                 spec.role);
  if (!(update.a.type == TensorType{Dtype::f32, {rank, spec.shape[1]}}) ||
      !(update.b.type == TensorType{Dtype::f32, {spec.shape[0], rank}}))
    return error(Code::invalid_argument, "the update of \"{}\" is {} and {}, expected f32[rank, {}] and f32[{}, rank]",
                 spec.role, update.a.type.to_string(), update.b.type.to_string(), spec.shape[1], spec.shape[0]);
  return {};
}

// A of all roles, one below the other; B of each in its own rows and ranks.
StoredUpdate join_roles(const std::string& name, const std::vector<RoleUpdate>& pieces,
                        Storage ParameterSpec::*member) {
  const ParameterSpec& first = *pieces[0].spec;
  int64_t rank = 0, at = 0;
  for (const RoleUpdate& piece : pieces) rank += piece.update->a.dim(0);
  const int64_t n_in = first.shape[1], n_out = (first.*member).n_rows > 0 ? (first.*member).n_rows : first.shape[0];
  StoredUpdate out{name, static_cast<int>(pieces.size()), pieces[0].update->scale, Tensor({Dtype::f32, {rank, n_in}}),
                   Tensor({Dtype::f32, {n_out, rank}})};
  for (const RoleUpdate& piece : pieces) {
    const TensorView &a = piece.update->a, &b = piece.update->b;
    std::memcpy(out.a.f32() + at * n_in, a.data, static_cast<size_t>(a.type.bytes()));
    const std::vector<int64_t> map = (piece.spec->*member).row_map(piece.spec->shape[0]);
    const float factor = out.scale == piece.update->scale ? 1 : piece.update->scale / out.scale;
    for (size_t i = 0; i < map.size(); ++i)
      for (int64_t r = 0; r < a.dim(0); ++r)
        out.b.f32()[map[i] * rank + at + r] = factor * b.f32()[static_cast<int64_t>(i) * a.dim(0) + r];
    at += a.dim(0);
  }
  return out;
}

}  // namespace

Result<std::vector<StoredUpdate>> stored_updates(const std::vector<ParameterSpec>& specs,
                                                 Storage ParameterSpec::*member,
                                                 const std::map<std::string, LowRankUpdate, std::less<>>& updates) {
  std::vector<std::string> names;
  std::map<std::string, std::vector<RoleUpdate>> by_name;
  size_t n_found = 0;
  for (const ParameterSpec& spec : specs) {
    const auto it = updates.find(spec.role);
    if (it == updates.end()) continue;
    TRY(check_role(spec, spec.*member, it->second));
    auto& pieces = by_name[(spec.*member).name];
    if (pieces.empty()) names.push_back((spec.*member).name);
    pieces.push_back({&spec, &it->second});
    ++n_found;
  }
  if (n_found == 0 || n_found != updates.size())
    return error(Code::invalid_argument, "the adapter holds weights for roles that the base model does not have");
  std::vector<StoredUpdate> out;
  for (const std::string& name : names) out.push_back(join_roles(name, by_name.at(name), member));
  return out;
}

}  // namespace hearth
