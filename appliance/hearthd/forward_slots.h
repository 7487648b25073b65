// How many requests may be under way at an engine at once: fewer than it has workers, and all engines together fewer
// than this service has, so that both always answer for themselves. Any thread.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace hearth {

class ForwardSlots {
 public:
  ForwardSlots(int max_per_model, int max_in_all) : state_(std::make_shared<State>()) {
    state_->max_per_model = max_per_model;
    state_->max_in_all = max_in_all;
  }
  // A slot, given back when the last copy of the pointer goes; null when there is none.
  std::shared_ptr<void> take(const std::string& model) {
    std::lock_guard lock(state_->mutex);
    int& n = state_->n_of[model];
    if (n >= state_->max_per_model || state_->n_in_all >= state_->max_in_all) {
      if (n == 0) state_->n_of.erase(model);
      return nullptr;
    }
    ++n, ++state_->n_in_all;
    return {this, [state = state_, model](void*) { state->give_back(model); }};
  }

 private:
  struct State {
    int max_per_model = 0, max_in_all = 0, n_in_all = 0;
    std::mutex mutex;
    std::map<std::string, int> n_of;  // models without a request are not in it
    void give_back(const std::string& model) {
      std::lock_guard lock(mutex);
      --n_in_all;
      if (--n_of[model] == 0) n_of.erase(model);
    }
  };
  std::shared_ptr<State> state_;
};

}  // namespace hearth
