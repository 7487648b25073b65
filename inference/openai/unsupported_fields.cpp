#include "inference/openai/unsupported_fields.h"

#include <span>

namespace hearth::openai {
namespace {

struct Field {
  const char* name;
  const char* off;  // JSON that asks for nothing. So do null, and, but for kAlways and kTrue, false and what is empty
  const char* instead;
};

constexpr const char* kNoGrammar =
    "answers cannot be held to a schema or a grammar yet; describe the form in the prompt";
constexpr const char* kOneAnswer = "send several requests with different seeds and choose among the answers";
constexpr const char* kNoBias = "single tokens cannot be preferred or forbidden yet";
constexpr const char* kNoLogprobs = "log-probabilities are not computed yet";
constexpr const char* kOtherSampler = "use temperature, top_k, top_p, min_p and repetition_penalty";
constexpr const char* kThinking = "send it in chat_template_kwargs, under the name that the model's template knows";
constexpr const char *kOne = "1", *kZero = "0", *kMinusOne = "-1", *kAlways = "null", *kTrue = "true";

constexpr Field kFields[] = {
    {"grammar", kZero, kNoGrammar},
    {"json_schema", kAlways, kNoGrammar},
    {"guided_json", kAlways, kNoGrammar},
    {"guided_regex", kZero, kNoGrammar},
    {"guided_choice", kZero, kNoGrammar},
    {"guided_grammar", kZero, kNoGrammar},
    {"structured_outputs", kZero, kNoGrammar},
    {"regex", kZero, kNoGrammar},
    {"ebnf", kZero, kNoGrammar},
    {"structural_tag", kZero, kNoGrammar},
    {"format", kZero, kNoGrammar},
    {"response_format", R"({"type":"text"})", kNoGrammar},
    {"best_of", kOne, kOneAnswer},
    {"n", kOne, kOneAnswer},
    {"use_beam_search", kZero, kOneAnswer},
    {"length_penalty", kOne, kOneAnswer},
    {"logit_bias", kZero, kNoBias},
    {"bad_words", kZero, kNoBias},
    {"allowed_token_ids", kZero, kNoBias},
    {"logits_processors", kZero, kNoBias},
    {"logprobs", kMinusOne, kNoLogprobs},
    {"top_logprobs", kZero, kNoLogprobs},
    {"prompt_logprobs", kMinusOne, kNoLogprobs},
    {"n_probs", kZero, kNoLogprobs},
    {"presence_penalty", kZero, "use repetition_penalty"},
    {"frequency_penalty", kZero, "use repetition_penalty"},
    {"typical_p", kOne, kOtherSampler},
    {"top_a", kZero, kOtherSampler},
    {"tfs_z", kOne, kOtherSampler},
    {"top_n_sigma", kMinusOne, kOtherSampler},
    {"mirostat", kZero, kOtherSampler},
    {"xtc_probability", kZero, kOtherSampler},
    {"dry_multiplier", kZero, kOtherSampler},
    {"dynatemp_range", kZero, kOtherSampler},
    {"samplers", kZero, kOtherSampler},
    {"eta_cutoff", kZero, kOtherSampler},
    {"epsilon_cutoff", kZero, kOtherSampler},
    {"min_keep", kZero, kOtherSampler},
    {"no_repeat_ngram_size", kZero, kOtherSampler},
    {"include_stop_str_in_output", kZero, "add the stop string to the answer yourself"},
    {"truncate_prompt_tokens", kZero, "shorten the prompt before it is sent"},
    {"thinking_budget_tokens", kMinusOne, "limit the whole answer with max_tokens"},
    {"thinking_budget", kMinusOne, "limit the whole answer with max_tokens"},
    {"web_search_options", kAlways, "nothing is looked up on the network"},
    {"audio", kZero, "models here read and write text"},
    {"modalities", R"(["text"])", "models here read and write text"},
    {"skip_special_tokens", kTrue, "control tokens are never part of an answer's text"},
    {"lora", kZero, "start the adapter as a model of its own and name that"},
    {"options", kZero, "send temperature, max_tokens and their like beside \"model\""},
    {"num_predict", kAlways, "use max_tokens"},
};

constexpr Field kOfChat[] = {
    {"functions", kZero, "it is the older form of \"tools\"; send tools"},
    {"continue_final_message", kZero, "send the beginning of the answer with the whole prompt to /v1/completions"},
    {"chat_template", kZero, "the model's own chat template is used"},
    {"documents", kZero,
     "put the documents into a message, or into chat_template_kwargs where the template knows them"},
    {"suffix", kZero, "text can only be continued, not filled in"},
    {"echo", kZero, "it belongs to /v1/completions"},
    {"enable_thinking", kAlways, kThinking},
    {"thinking", kAlways, kThinking},
    {"reasoning", kAlways, "use reasoning_effort"},
    {"verbosity", R"("medium")", "say in the prompt how long the answer shall be"},
    {"add_special_tokens", kZero, "the model's own chat template writes them"},
};

constexpr Field kOfCompletion[] = {
    {"suffix", kZero, "text can only be continued, not filled in"},
    {"add_special_tokens", kTrue, "send the prompt as token ids"},
    {"tools", kZero, "tools belong to /v1/chat/completions"},
    {"messages", kZero, "messages belong to /v1/chat/completions"},
};

bool asks_for_nothing(const Json& value, const Json& off) {
  if (value.is_null() || value == off) return true;
  if (value.is_number() || off.is_null() || off == true) return false;
  return value == false || value == "" || (value.is_structured() && value.empty());
}

Result<void> refuse(const Json& body, std::span<const Field> fields) {
  for (const Field& field : fields) {
    auto it = body.find(field.name);
    if (it == body.end() || asks_for_nothing(*it, Json::parse(field.off))) continue;
    return error(Code::invalid_argument, "\"{}\" is not supported by this version: {}", field.name, field.instead);
  }
  return {};
}

}  // namespace

Result<void> refuse_unsupported(const Json& body, Endpoint endpoint) {
  TRY(refuse(body, kFields));
  if (endpoint == Endpoint::completion) return refuse(body, kOfCompletion);
  return refuse(body, kOfChat);
}

}  // namespace hearth::openai
