// How an operation of the store is watched and stopped as a job: progress goes to the job, and either the user's cancel
// or the service's end stops it.
#pragma once

#include "appliance/hearthd/jobs/job_run.h"

namespace hearth {

// Stops on either token, for as long as it lives.
class AnyStop {
 public:
  AnyStop(const std::stop_token& a, const std::stop_token& b) : on_a_(a, Ask{&source_}), on_b_(b, Ask{&source_}) {}
  std::stop_token token() const { return source_.get_token(); }

 private:
  struct Ask {
    std::stop_source* source;
    void operator()() const { source->request_stop(); }
  };
  std::stop_source source_;
  std::stop_callback<Ask> on_a_, on_b_;
};

// `run` and `stop` must outlive it. `doing`: a literal, "copying".
store::Control control_for(const JobRun& run, const AnyStop& stop, std::string_view doing);

}  // namespace hearth
