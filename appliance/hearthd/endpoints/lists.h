// The documents that hold lists: {"models": [...]} and so on.
#pragma once

#include "appliance/api/types.h"

namespace hearth {

struct ModelList {
  std::vector<api::Model> models;
  static constexpr auto kFields = std::tuple{field("models", &ModelList::models, "by name")};
};
struct PackSourceList {
  std::vector<api::PackSource> sources;
  static constexpr auto kFields = std::tuple{field("sources", &PackSourceList::sources, "media that hold packs now")};
};
struct DeploymentList {
  std::vector<api::Deployment> deployments;
  static constexpr auto kFields = std::tuple{field("deployments", &DeploymentList::deployments, "by name of the model")};
};
struct DatasetList {
  std::vector<api::Dataset> datasets;
  static constexpr auto kFields = std::tuple{field("datasets", &DatasetList::datasets, "newest first")};
};
struct PresetList {
  std::vector<api::TrainPreset> presets;
  static constexpr auto kFields = std::tuple{field("presets", &PresetList::presets, "for people")};
};
struct JobList {
  std::vector<api::Job> jobs;
  static constexpr auto kFields = std::tuple{field("jobs", &JobList::jobs, "newest first")};
};
struct MetricList {
  std::vector<api::MetricPoint> points;
  static constexpr auto kFields = std::tuple{field("points", &MetricList::points, "in order")};
};
struct SampleList {
  std::vector<api::BeforeAfter> samples;
  static constexpr auto kFields = std::tuple{field("samples", &SampleList::samples, "held-out questions")};
};

}  // namespace hearth
