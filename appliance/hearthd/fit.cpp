// The fit estimate.
#include "appliance/hearthd/fit.h"

namespace hearth {

Result<api::Fit> predict_fit(const store::ModelRecord& model, const std::filesystem::path&, double) {
  return error(Code::unimplemented, "no estimate for {} in this build", model.name);
}

}  // namespace hearth
