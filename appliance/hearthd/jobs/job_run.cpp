// What a job under way may do to the job list.
#include "appliance/hearthd/jobs/job_run.h"

namespace hearth {

const api::Job JobRun::job() const {
  std::lock_guard lock(jobs_.mutex_);
  return record_.job;
}
void JobRun::progress(const std::function<void(api::Job&)>& change) const {
  jobs_.update(record_, false, change);
}
void JobRun::commit(const std::function<void(api::Job&)>& change) const {
  jobs_.update(record_, true, change);
}
void JobRun::because(const Phrase& cause) const {
  progress([&](api::Job& job) { job.cause = cause; });
}
Result<void> JobRun::claim_name(const std::string& model, bool is_replacement) const {
  std::lock_guard lock(jobs_.mutex_);
  if (jobs_.makes_model(model))
    return error(Code::already_exists, "a training job will make a model named {}; give another name (--name)", model);
  if (!is_replacement) return {};
  for (const auto& [id, other] : jobs_.records_)
    if (other.get() != &record_ && !is_over(other->job) && other->job.model == model &&
        (other->job.kind == "train" || other->job.kind == "export"))
      return error(Code::failed_precondition,
                   "job {} ({}) still works with {}; install the update when it is over, or cancel it", id,
                   other->job.title, model);
  record_.replaces = model;
  return {};
}
Result<void> JobRun::installed(const std::string& model, bool was_replaced, bool deploy) const {
  return jobs_.on_installed ? jobs_.on_installed(model, was_replaced, deploy) : Result<void>();
}

}  // namespace hearth
