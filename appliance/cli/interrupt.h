// Ctrl-C and SIGTERM stop what is under way, politely; with nothing under way they end the program.
#pragma once

#include <stop_token>

namespace hearth::cli {

// Call before any thread is made: the signals are taken by a thread of their own.
void take_interrupts();

// Something that can be stopped is under way for as long as this lives. One at a time.
class Interruptible {
 public:
  Interruptible();
  ~Interruptible();
  std::stop_token token() const { return source_.get_token(); }

 private:
  std::stop_source source_;
};

}  // namespace hearth::cli
