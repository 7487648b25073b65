// /hearth/v1/jobs: training, and everything else that takes long.
#include "appliance/hearthd/endpoints/endpoints.h"
#include "appliance/hearthd/endpoints/lists.h"

namespace hearth {

void add_jobs(Endpoints& table, Service& service) {
  table.push_back(endpoint_with_body<api::TrainRequest, api::TrainEstimate>(
      "POST", "/hearth/v1/jobs/estimate", "What a training would take",
      [&](http::Request& r, const api::TrainRequest& request) { return service.jobs.estimate(request, r.stop); }));
  table.push_back(endpoint_with_body<api::TrainRequest, api::Job>(
      "POST", "/hearth/v1/jobs", "Train a model",
      [&](http::Request&, const api::TrainRequest& request) { return service.train(request); }, 202));
  table.push_back(endpoint<JobList>("GET", "/hearth/v1/jobs", "Jobs of all kinds",
                                    [&](http::Request&) -> Result<JobList> { return JobList{service.jobs.list()}; }));
  table.back().options.quick = true;
  table.push_back(endpoint<api::Job>("GET", "/hearth/v1/jobs/{id}", "One job",
                                     [&](http::Request& r) { return service.jobs.find(r.params["id"]); }));
  table.back().options.quick = true;
  table.push_back(endpoint<MetricList>("GET", "/hearth/v1/jobs/{id}/metrics", "A training job's loss and speed by step",
                                       [&](http::Request& r) -> Result<MetricList> {
                                         MetricList out;
                                         out.points = TRY(service.jobs.metrics(r.params["id"]));
                                         return out;
                                       }));
  table.push_back(endpoint<SampleList>("GET", "/hearth/v1/jobs/{id}/samples", "Answers before and after training",
                                       [&](http::Request& r) -> Result<SampleList> {
                                         SampleList out;
                                         out.samples = TRY(service.jobs.samples(r.params["id"]));
                                         return out;
                                       }));
  table.push_back(endpoint<api::Job>("POST", "/hearth/v1/jobs/{id}/cancel", "Stop a job",
                                     [&](http::Request& r) { return service.jobs.cancel(r.params["id"]); }));
  table.back().options.quick = true;
  table.push_back(endpoint<Nothing>("DELETE", "/hearth/v1/jobs/{id}",
                                    "Remove a job that is over, with its files; a model it made stays",
                                    [&](http::Request& r) -> Result<Nothing> {
                                      TRY(service.jobs.remove(r.params["id"]));
                                      return Nothing();
                                    }));
}

}  // namespace hearth
