// Recipes: TOML in, a checked Recipe out. toml++ stays in this file.
#include "trainer/recipe.h"

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include <algorithm>
#include <sstream>

#include "base/files.h"
#include "base/nearest.h"
#include "runtime/exec/devices.h"

namespace hearth::train {
namespace {

namespace fs = std::filesystem;
constexpr uint64_t kMaxRecipeBytes = uint64_t{1} << 20;
constexpr int kMaxTomlDepth = 16;

Result<Json> json_from_toml(const toml::node& node, int depth) {
  if (depth > kMaxTomlDepth)
    return error(Code::invalid_argument, "the recipe nests deeper than {} levels", kMaxTomlDepth);
  if (const auto* table = node.as_table()) {
    Json out = Json::object();
    for (const auto& [key, value] : *table) out[std::string(key.str())] = TRY(json_from_toml(value, depth + 1));
    return out;
  }
  if (const auto* array = node.as_array()) {
    Json out = Json::array();
    for (const auto& value : *array) out.push_back(TRY(json_from_toml(value, depth + 1)));
    return out;
  }
  if (const auto* text = node.as_string()) return Json(text->get());
  if (const auto* integer = node.as_integer()) return Json(integer->get());
  if (const auto* number = node.as_floating_point()) return Json(number->get());
  if (const auto* boolean = node.as_boolean()) return Json(boolean->get());
  return error(Code::invalid_argument, "dates and times have no place in a recipe");
}

Result<Json> parse_toml(std::string_view text, std::string_view name) {
  toml::parse_result parsed = toml::parse(text, name);
  if (!parsed)
    return error(Code::invalid_argument, "{}:{}: {}", name, parsed.error().source().begin.line,
                 parsed.error().description());
  return json_from_toml(parsed.table(), 0);
}

// Full names of all leaf keys below T, "optimizer.learning_rate".
template <class T>
void collect_keys(const std::string& path, std::vector<std::string>& out) {
  auto add = [&](const auto& f) {
    using M = std::remove_cvref_t<decltype(std::declval<T>().*f.member)>;
    const std::string name = detail::join_path(path, f.name);
    if constexpr (Described<M>)
      collect_keys<M>(name, out);
    else
      out.push_back(name);
  };
  std::apply([&](const auto&... f) { (add(f), ...); }, T::kFields);
}

const std::vector<std::string>& all_keys() {
  static const std::vector<std::string> keys = [] {
    std::vector<std::string> out;
    collect_keys<Recipe>("", out);
    return out;
  }();
  return keys;
}

// The known key that people most likely meant: its last part is near, in this section or in another one.
std::optional<std::string> nearest_key(const std::string& unknown) {
  const auto last_part = [](const std::string& key) { return key.substr(key.rfind('.') + 1); };
  std::optional<std::string> best;
  size_t best_distance = SIZE_MAX;
  for (const std::string& key : all_keys()) {
    if (!is_near(last_part(unknown), last_part(key))) continue;
    // First the last part, then the section.
    const size_t distance =
        edit_distance(last_part(unknown), last_part(key)) * 64 + std::min<size_t>(63, edit_distance(unknown, key));
    if (distance < best_distance) best_distance = distance, best = key;
  }
  return best;
}

// What may stand in the section of an unknown key; the sections, when it is in none that exists.
std::string keys_beside(const std::string& unknown) {
  const auto section_of = [](const std::string& key) {
    const size_t dot = key.rfind('.');
    return dot == std::string::npos ? std::string() : key.substr(0, dot);
  };
  std::vector<std::string> keys, sections;
  for (const std::string& key : all_keys()) {
    if (section_of(key) == section_of(unknown)) keys.push_back(key);
    if (sections.empty() || sections.back() != section_of(key)) sections.push_back(section_of(key));
  }
  std::erase(sections, "");
  if (!section_of(unknown).empty() && !keys.empty()) return fmt::format("known are {}", fmt::join(keys, ", "));
  return fmt::format("sections are {}", fmt::join(sections, ", "));
}

Error unknown_key(const std::string& key) {
  if (auto meant = nearest_key(key))
    return error(Code::invalid_argument, "unknown key \"{}\"; did you mean \"{}\"?", key, *meant);
  return error(Code::invalid_argument, "unknown key \"{}\"; {}", key, keys_beside(key));
}

template <class T>
Result<void> check_known(const Json& json, const std::string& path) {
  if (!json.is_object()) return {};  // from_json names the type error
  for (const auto& entry : json.items()) {
    const std::string& key = entry.key();
    const Json& value = entry.value();
    const std::string name = detail::join_path(path, key);
    bool known = false;
    Result<void> below;
    auto look = [&](const auto& f) {
      if (key != f.name) return;
      known = true;
      using M = std::remove_cvref_t<decltype(std::declval<T>().*f.member)>;
      if constexpr (Described<M>) below = check_known<M>(value, name);
    };
    std::apply([&](const auto&... f) { (look(f), ...); }, T::kFields);
    if (!known) return unknown_key(name);
    TRY(std::move(below));
  }
  return {};
}

// "a.b=value": the value is TOML when it parses as such, else a plain string.
Result<void> apply_override(Json& recipe, const std::string& text) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0)
    return error(Code::invalid_argument, "--set needs key=value, got \"{}\"", text);
  const std::string key = text.substr(0, equals), value_text = text.substr(equals + 1);
  Json value;
  if (auto parsed = parse_toml("v = " + value_text, "--set"); parsed && parsed->size() == 1)
    value = (*parsed)["v"];
  else
    value = value_text;
  Json* at = &recipe;
  std::istringstream parts(key);
  for (std::string part; std::getline(parts, part, '.');) {
    if (!at->is_object()) return unknown_key(key);
    at = &(*at)[part];
    if (at->is_null()) *at = Json::object();
  }
  *at = std::move(value);
  return {};
}

Result<Recipe> recipe_from_json(const Json& json) {
  TRY(check_known<Recipe>(json, ""));
  Recipe recipe = TRY(from_json<Recipe>(json));
  TRY(validate(recipe));
  return recipe;
}

Result<void> in_range(const char* key, double value, double low, double high) {
  if (value >= low && value <= high) return {};  // NaN is in no range
  return error(Code::invalid_argument, "{} must be between {} and {}, got {}", key, low, high, value);
}

Result<void> one_of(const char* key, const std::string& value, std::initializer_list<const char*> allowed) {
  for (const char* a : allowed)
    if (value == a) return {};
  return error(Code::invalid_argument, "{} must be one of {}, got \"{}\"", key, fmt::join(allowed, ", "), value);
}

Result<void> validate_data(const RecipeData& d) {
  if (d.path.empty()) return error(Code::invalid_argument, "data.path is missing: the file or folder to train on");
  TRY(one_of("data.format", d.format, {"auto", "messages", "alpaca", "sharegpt", "pairs", "text"}));
  TRY(one_of("data.overlong", d.overlong, {"drop", "truncate", "refuse"}));
  TRY(in_range("data.eval_fraction", d.eval_fraction, 0, 0.5));
  TRY(in_range("data.max_seq_len", d.max_seq_len, 8, 1 << 17));
  return {};
}

Result<void> validate_method(const RecipeMethod& m) {
  TRY(one_of("method.type", m.type, {"full", "lora"}));
  TRY(in_range("method.rank", m.rank, 1, 1024));
  TRY(in_range("method.alpha", m.alpha, 1e-3, 65536));
  for (const std::string& target : m.targets)
    TRY(one_of("method.targets", target, {"wq", "wk", "wv", "wo", "w_gate", "w_up", "w_down"}));
  return {};
}

Result<void> validate_optimizer(const RecipeOptimizer& o) {
  TRY(in_range("optimizer.learning_rate", o.learning_rate, 0, 10));
  TRY(in_range("optimizer.beta1", o.beta1, 0, 0.99999));
  TRY(in_range("optimizer.beta2", o.beta2, 0, 0.999999));
  TRY(in_range("optimizer.eps", o.eps, 1e-15, 1));
  TRY(in_range("optimizer.weight_decay", o.weight_decay, 0, 10));
  TRY(in_range("optimizer.grad_clip", o.grad_clip, 0, 1e6));
  return {};
}

Result<void> validate_course(const Recipe& r) {
  TRY(in_range("schedule.n_steps", r.schedule.n_steps, 0, 100'000'000));
  TRY(in_range("schedule.n_epochs", r.schedule.n_epochs, 1e-3, 10'000));
  TRY(in_range("schedule.warmup_ratio", r.schedule.warmup_ratio, 0, 0.5));
  TRY(in_range("schedule.warmup_steps", r.schedule.warmup_steps.value_or(0), 0, 100'000'000));
  TRY(in_range("schedule.min_lr_ratio", r.schedule.min_lr_ratio, 0, 1));
  TRY(in_range("batch.rows", r.batch.rows, 1, 4096));
  TRY(in_range("batch.gradient_accumulation", r.batch.gradient_accumulation, 1, 65536));
  TRY(in_range("batch.rows * data.max_seq_len", double(r.batch.rows) * r.data.max_seq_len, 8, 1 << 20));
  TRY(in_range("checkpoint.every_steps", r.checkpoint.every_steps, 0, 100'000'000));
  TRY(in_range("checkpoint.keep", r.checkpoint.keep, 1, 1000));
  TRY(in_range("eval.every_steps", r.eval.every_steps, 0, 100'000'000));
  TRY(in_range("eval.n_samples", r.eval.n_samples, 0, 1000));
  TRY(in_range("eval.max_rows", r.eval.max_rows, 1, 1'000'000));
  TRY(in_range("eval.max_answer_tokens", r.eval.max_answer_tokens, 1, 65536));
  TRY(in_range("n_threads", r.n_threads, 0, 256));
  TRY_WITH(check_device_name(r.device), "in the recipe's device");
  TRY(in_range("seed", r.seed, 0, 2147483647.0));
  return {};
}

Result<void> validate_output(const Recipe& r) {
  TRY(one_of("output.dtype", r.output.dtype, {"auto", "f32", "bf16", "f16", "q8_0"}));
  if (r.output.merge) return {};
  if (r.method.type != "lora")
    return error(Code::invalid_argument,
                 "output.merge = false leaves an adapter, which only method.type = \"lora\" makes; remove it");
  if (r.output.dtype != "auto")
    return error(Code::invalid_argument,
                 "output.dtype is of the merged model, which output.merge = false does not write; remove one of them");
  return {};
}

void resolve(std::string& path, const fs::path& folder, bool only_if_there) {
  if (path.empty() || fs::path(path).is_absolute()) return;
  const fs::path candidate = folder / path;
  std::error_code ec;
  if (only_if_there && !fs::exists(candidate, ec)) return;
  path = fs::absolute(candidate, ec).lexically_normal().string();
}

void write_toml_value(std::ostream& out, const Json& value) {
  if (value.is_string()) {
    out << toml::value<std::string>(value.get<std::string>());
  } else if (value.is_number_float()) {
    out << toml::value<double>(value.get<double>());
  } else if (value.is_array()) {
    out << '[';
    for (size_t i = 0; i < value.size(); ++i) {
      if (i > 0) out << ", ";
      write_toml_value(out, value[i]);
    }
    out << ']';
  } else {
    out << value.dump();  // integers and booleans read the same
  }
}

void write_toml_keys(std::ostream& out, const Json& object) {
  for (const auto& [key, value] : object.items()) {
    if (value.is_object() || value.is_null()) continue;
    out << key << " = ";
    write_toml_value(out, value);
    out << '\n';
  }
}

}  // namespace

Result<void> validate(const Recipe& recipe) {
  if (recipe.model.init.empty() == recipe.model.from_scratch.empty())
    return error(Code::invalid_argument, "exactly one of model.init and model.from_scratch must be set, got {}",
                 recipe.model.init.empty() ? "neither" : "both");
  TRY(validate_data(recipe.data));
  TRY(validate_method(recipe.method));
  if (!recipe.model.from_scratch.empty() && recipe.method.type == "lora")
    return error(Code::invalid_argument,
                 "method.type = \"lora\" needs a trained model: set model.init instead of model.from_scratch");
  TRY(validate_optimizer(recipe.optimizer));
  TRY(validate_course(recipe));
  return validate_output(recipe);
}

Result<Recipe> parse_recipe(std::string_view toml, const std::vector<std::string>& overrides,
                            std::string_view name_for_errors) {
  Json json = TRY(parse_toml(toml, name_for_errors));
  for (const std::string& text : overrides) TRY(apply_override(json, text));
  return TRY_WITH(recipe_from_json(json), "in recipe {}", name_for_errors);
}

Result<Recipe> load_recipe(const fs::path& file, const std::vector<std::string>& overrides) {
  const std::string text = TRY_WITH(read_file(file, kMaxRecipeBytes), "while reading the recipe");
  Recipe recipe = TRY(parse_recipe(text, overrides, file.string()));
  const fs::path folder = fs::absolute(file).parent_path();
  resolve(recipe.data.path, folder, false);
  resolve(recipe.data.eval_path, folder, false);
  resolve(recipe.model.from_scratch, folder, false);
  resolve(recipe.model.init, folder, true);
  resolve(recipe.output.folder, folder, false);
  if (recipe.output.folder.empty()) recipe.output.folder = (folder / (file.stem().string() + "-run")).string();
  return recipe;
}

std::string recipe_to_toml(const Recipe& recipe) {
  const Json json = to_json_value(recipe);
  std::ostringstream out;
  write_toml_keys(out, json);
  for (const auto& [section, value] : json.items()) {
    if (!value.is_object()) continue;
    out << "\n[" << section << "]\n";
    write_toml_keys(out, value);
  }
  return out.str();
}

Result<void> set_recipe_key(Recipe& recipe, std::string_view key, const Json& value) {
  if (std::find(all_keys().begin(), all_keys().end(), key) == all_keys().end()) return unknown_key(std::string(key));
  Json json = to_json_value(recipe);
  Json* at = &json;
  std::istringstream parts{std::string(key)};
  for (std::string part; std::getline(parts, part, '.');) at = &(*at)[part];
  *at = value;
  recipe = TRY(recipe_from_json(json));
  return {};
}

}  // namespace hearth::train
