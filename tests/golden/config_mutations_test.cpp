// config.json with every key in turn deleted, null or changed: our logits follow those of the transformers library, or
// the model is refused. mutate_configs.py wrote what the library makes of them.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <map>

#include "base/files.h"
#include "base/json.h"
#include "base/sanitizers.h"
#include "inference/encoder.h"
#include "inference/logits.h"
#include "model_store/formats/model_config.h"
#include "model_store/formats/safetensors.h"
#include "runtime/architectures/architecture.h"

namespace hearth::config_mutations_test {
namespace {

namespace fs = std::filesystem;
using Outcome = std::optional<std::vector<double>>;  // nothing: refused; else the largest |logit| and six logits

fs::path golden() {
  return fs::path(HEARTH_SOURCE_DIR) / "tests/golden";
}

Json read_json(const fs::path& path) {
  return *parse_json(*read_file(path));
}

std::vector<std::string> cases() {
  std::vector<std::string> out;
  for (const auto& entry : fs::directory_iterator(golden()))
    if (fs::exists(entry.path() / "case.json")) out.push_back(entry.path().filename().string());
  std::sort(out.begin(), out.end());
  return out;
}

// Deletes what has no value. "" stands for the whole document.
Json edited(Json config, const Json& edits) {
  for (const Json& edit : edits) {
    const Json::json_pointer at(edit[0].get<std::string>());
    if (edit.size() > 1)
      config[at] = edit[1];
    else
      config[at.parent_pointer()].erase(at.back());
  }
  return config;
}

// One golden, loaded with other configurations.
class Subject {
 public:
  Subject(const std::string& name, int prompt) : folder_(*TempFolder::create("mutations")) {
    const fs::path from = golden() / name;
    for (const auto& entry : fs::directory_iterator(from)) {
      const std::string file = entry.path().filename().string();
      if (file.starts_with("model") && file.find(".safetensors") != std::string::npos)
        fs::create_symlink(entry.path(), folder_.path() / file);
    }
    const TensorFile file = *open_safetensors(from / "expected_logits.safetensors");
    const StoredTensor& ids = *file.find(fmt::format("ids_{}", prompt));
    const auto* begin = reinterpret_cast<const int32_t*>(ids.bytes.data());
    ids_.assign(begin, begin + ids.n_elements());
  }

  // Configurations that mean the same are run once.
  const Outcome& outcome(const Json& config) {
    auto meaning = config_from_hf(dump_json(config));
    if (!meaning) {
      why_ = meaning.error().to_string();
      return refused_;
    }
    const Json stored = config.value("quantization_config", Json());
    for (const Known& known : known_)
      if (known.meaning == *meaning && known.stored == stored) {
        why_ = known.why;
        return known.outcome;
      }
    auto logits = run(config);
    why_ = logits ? "" : logits.error().to_string();
    known_.push_back({*meaning, stored, why_, logits ? Outcome(std::move(*logits)) : Outcome()});
    return known_.back().outcome;
  }
  const std::string& why_refused() const { return why_; }

 private:
  struct Known {
    ModelConfig meaning;
    Json stored;
    std::string why;
    Outcome outcome;
  };

  Result<std::vector<double>> run(const Json& config) {
    TRY(write_file(folder_.path() / "config.json", dump_json(config)));
    auto model = std::make_shared<const LoadedModel>(TRY(load_model(folder_.path())));
    const Tensor rows = TRY(outputs(model));
    const int64_t n = rows.type().shape[0], width = rows.type().shape[1];
    std::vector<double> out = {0};
    for (int64_t i = 0; i < n * width; ++i) out[0] = std::max(out[0], std::fabs(static_cast<double>(rows.f32()[i])));
    for (const int64_t row : {n / 2, n - 1})
      for (const int64_t column : {int64_t{0}, width / 3, 2 * width / 3})
        out.push_back(rows.f32()[row * width + column]);
    return out;
  }

  Result<Tensor> outputs(const std::shared_ptr<const LoadedModel>& model) const {
    const ModelTask task = TRY(find_architecture(model->config.family))->task();
    if (task == ModelTask::generate) return whole_logits(*model, ids_, 1);
    auto encoder = TRY(Encoder::create(model, 1));
    EncoderText text{ids_, {}};
    for (size_t t = 0; t < ids_.size(); ++t) text.types.push_back(t >= (ids_.size() + 1) / 2);
    if (task == ModelTask::embed) return std::move(TRY(encoder->hidden({&text, 1}))[0]);
    Tensor score({Dtype::f32, {1, 1}});
    score.f32()[0] = TRY(encoder->score({&text, 1}))[0];
    return score;
  }

  TempFolder folder_;
  std::vector<int32_t> ids_;
  std::deque<Known> known_;
  std::string why_;
  const Outcome refused_;
};

// The largest distance between logits, as a share of the largest logit.
double distance(const std::vector<double>& got, const std::vector<double>& want) {
  double worst = 0;
  for (size_t i = 0; i < want.size(); ++i) {
    const double apart = std::fabs(got[i] - want[i]);
    worst = std::isfinite(apart) ? std::max(worst, apart) : INFINITY;
  }
  return worst == 0 ? 0 : worst / want[0];
}

class ConfigMutations : public testing::TestWithParam<std::string> {};

TEST_P(ConfigMutations, FollowTransformersOrAreRefused) {
  const Json expected = read_json(golden() / "config_mutations" / (GetParam() + ".json"));
  const Json config = read_json(golden() / GetParam() / "config.json");
  const bool is_loud = std::getenv("HEARTH_SHOW_REFUSALS") != nullptr;
  Subject subject(GetParam(), expected["prompt"]);
  std::map<std::string, int> counts;
  constexpr size_t kStride = HEARTH_HAS_ASAN ? 4 : 1;
  for (size_t i = 0; i < expected["mutations"].size(); i += kStride) {
    const Json& mutation = expected["mutations"][i];
    const Json& want = expected["outcomes"][mutation[0].get<size_t>()];
    const Json &edits = mutation[1], changed = edited(config, edits);
    const Outcome& got = subject.outcome(changed);
    const std::string what = dump_json(edits);
    ASSERT_TRUE(got || !edits.empty()) << subject.why_refused();
    counts[got              ? want.is_null() ? "run here only" : "as the library"
           : want.is_null() ? "refused"
                            : "refused here only"]++;
    const double apart = got && !want.is_null() ? distance(*got, want.get<std::vector<double>>()) : 0;
    EXPECT_LE(apart, 1e-4) << what;
    if (is_loud && !got && !want.is_null())
      std::printf("  refused: %s: %s\n", what.c_str(), subject.why_refused().c_str());
    if (is_loud && got && want.is_null()) std::printf("  only here: %s\n", what.c_str());
  }
  for (const auto& [name, n] : counts) std::printf("    %d %s", n, name.c_str());
  std::printf("\n");
  EXPECT_GT(counts["as the library"], 10 / static_cast<int>(kStride));
}

INSTANTIATE_TEST_SUITE_P(Cases, ConfigMutations, testing::ValuesIn(cases()),
                         [](const testing::TestParamInfo<std::string>& info) { return info.param; });

}  // namespace
}  // namespace hearth::config_mutations_test
