// The model that an engine serves, by the names that requests may call it.
#pragma once

#include <string>

#include "model_store/model_names.h"

namespace hearth::openai {

struct ServedName {
  std::string name;          // in the store, and in answers
  std::string display_name;  // for people; may be empty

  bool is(std::string_view asked) const {
    return asked == name ||
           (!display_name.empty() && store::same_display_name(store::display_name_of(asked), display_name));
  }
};

}  // namespace hearth::openai
