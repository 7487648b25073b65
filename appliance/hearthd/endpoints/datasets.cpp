// /hearth/v1/datasets: data to train on.
#include "appliance/hearthd/endpoints/endpoints.h"
#include "appliance/hearthd/endpoints/lists.h"

namespace hearth {

constexpr uint64_t kMaxDatasetBytes = uint64_t{4} << 30;
constexpr std::chrono::seconds kUploadTimeLimit{600};

static Endpoint upload(Service& service) {
  Endpoint out = endpoint<api::Dataset>(
      "POST", "/hearth/v1/datasets", "Add a dataset: the body is the file, the query parameter `name` its name",
      [&service](http::Request& r) -> Result<api::Dataset> {
        auto name = r.query.find("name");
        return service.datasets.add(r.body_file, name == r.query.end() ? "" : name->second);
      });
  out.request_schema = Json{{"type", "string"}, {"format", "binary"}};
  out.options = {.max_body_bytes = kMaxDatasetBytes, .body_to_file = true, .time_limit = kUploadTimeLimit};
  return out;
}

void add_datasets(Endpoints& table, Service& service) {
  table.push_back(endpoint<DatasetList>(
      "GET", "/hearth/v1/datasets", "Datasets",
      [&](http::Request&) -> Result<DatasetList> { return DatasetList{service.datasets.list()}; }));
  table.push_back(upload(service));
  table.push_back(endpoint<Nothing>(
      "DELETE", "/hearth/v1/datasets/{id}",
      "Remove a dataset that no job uses, and the copies of its texts in jobs that are over",
      [&](http::Request& r) -> Result<Nothing> {
        if (service.jobs.uses_dataset(r.params["id"]))
          return error(Code::failed_precondition, "a training job still uses this dataset; wait for it or cancel it");
        TRY(service.datasets.find(r.params["id"]));
        TRY(service.jobs.forget_texts_of(r.params["id"]));
        TRY(service.datasets.remove(r.params["id"]));
        return Nothing();
      }));
  table.push_back(
      endpoint<api::DatasetPreview>("GET", "/hearth/v1/datasets/{id}/preview", "A dataset and its first examples",
                                    [&](http::Request& r) { return service.datasets.preview(r.params["id"]); }));
}

}  // namespace hearth
