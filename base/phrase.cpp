#include "base/phrase.h"

#include <algorithm>

namespace hearth {
namespace {

constexpr PhraseWords kPhrases[] = {
    {"waiting", "waiting"},
    {"waiting_to_start", "waiting to start"},
    {"starting", "starting"},
    {"starting_again", "starting again in {seconds} s"},
    {"stopping", "stopping"},
    {"stopping_engine", "stopping the engine"},
    {"stopped", "stopped"},
    {"answering", "answering"},
    {"done", "done"},
    {"failed", "failed"},
    {"cannot_be_served", "it cannot be served as it is; deploy it again when the cause is gone"},
    {"gave_up", "gave up after {starts} starts; deploy it again when the cause is gone"},
    {"cancelled", "cancelled"},
    {"cancelled_before_it_began", "cancelled before it began"},
    {"taken_up_again", "taken up again after a restart of the service"},
    {"goes_on_later", "goes on when the service starts again"},
    {"checking_pack", "checking the pack"},
    {"waiting_for_stick", "waiting for the stick to be mounted for writing"},
    {"installing", "copying and checking ({done} of {total} MiB)"},
    {"importing", "copying ({done} of {total} MiB)"},
    {"exporting", "writing ({done} of {total} MiB)"},
    {"adding_to_store", "adding the model to the store"},
    {"adding_to_store_copy", "adding the model to the store ({done} of {total} MiB)"},
    {"loading_model", "loading the model"},
    {"reading_data", "reading the data"},
    {"preparing", "preparing weights and optimizer"},
    {"measuring_before", "measuring the model before training"},
    {"training", "training: step {step} of {of}"},
    {"trainer_died", "{death}; starting again from the last checkpoint"},
    {"measuring_after", "measuring the trained model"},
    {"writing_result", "writing the result"},
    {"comparing", "comparing the trainer's answers with the server's"},
    {"answering_held_out", "answering the held-out questions"},
    {"from_pack", "from the pack {from}"},
    {"imported", "imported from {from}"},
    {"trained_here", "trained here, job {job}"},
    {"came_with_box", "came with the box"},
    // Why something failed, and what to do.
    {"out_of_memory", "the memory of the box was used up; use a smaller model, a shorter context or shorter rows"},
    {"too_little_memory",
     "{needed} MiB of memory are needed, {available} MiB are free; stop a running model, or use a smaller one"},
    {"disk_full", "the disk is full; free some space and start it again"},
    {"disk_full_at", "the disk that holds {path} is full; free some space there and start it again"},
    {"diverged", "training diverged at step {step}: the loss became {loss}; start it again with a lower learning rate"},
    {"worker_crashed", "the program that did the work crashed ({signal})"},
    {"worker_killed", "something outside of Hearth ended the program that did the work"},
    {"worker_failed", "the program that did the work gave up: {words}"},
    {"worker_hangs", "the program that did the work did not answer any more, and was stopped"},
    {"base_not_here", "the adapter's base model is not known here; choose the one it belongs to, or add it first"},
    {"no_such_model", "there is no model named {model} any more"},
};

void fill_in(std::string& text, const std::string& name, const std::string& value) {
  const std::string place = "{" + name + "}";
  if (const size_t at = text.find(place); at != std::string::npos) text.replace(at, place.size(), value);
}

}  // namespace

std::span<const PhraseWords> phrases() {
  return kPhrases;
}

const char* english_of(std::string_view code) {
  const auto* known =
      std::find_if(std::begin(kPhrases), std::end(kPhrases), [&](const auto& p) { return p.code == code; });
  return known == std::end(kPhrases) ? nullptr : known->english;
}

std::string words(const Phrase& phrase) {
  const char* english = english_of(phrase.code);
  if (!english) return phrase.code;
  std::string out = english;
  for (const auto& [name, value] : phrase.values) fill_in(out, name, value);
  return out;
}

}  // namespace hearth
