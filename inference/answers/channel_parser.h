// The parser of answers in channels: analysis, commentary (with a recipient: a call), final.
#pragma once

#include <memory>

#include "inference/answers/answer_parser.h"

namespace hearth::answers {

std::unique_ptr<AnswerParser> make_channel_parser(AnswerOptions options);

}  // namespace hearth::answers
