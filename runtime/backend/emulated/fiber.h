// A stack of its own to run code on (Boost.Context), with what the sanitizers must be told about it.
//
//   Fiber here;                                  // the calling thread's own stack
//   Fiber other(64 << 10, here, [&] { ...; Fiber::jump(other, here); ... });
//   Fiber::jump(here, other);                    // returns when somebody jumps back
//
// Fibers that jump to each other belong to one thread. One that has ended cannot be jumped to.
#pragma once

#include <boost/context/fiber.hpp>
#include <cstddef>
#include <functional>

namespace hearth::emulator {

class Fiber {
 public:
  Fiber();
  // `main` runs at the first jump here; when it returns, the fiber has ended and `home` goes on.
  Fiber(size_t stack_bytes, Fiber& home, std::function<void()> main);
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  static void jump(Fiber& from, Fiber& to);

 private:
  void leave(Fiber& to, bool for_ever = false);
  void arrive(boost::context::fiber from);

  boost::context::fiber context_;  // where it waits; empty while it runs
  const void* stack_ = nullptr;    // its lowest address and size, and the sanitizers' own
  size_t stack_bytes_ = 0;
  void* fake_stack_ = nullptr;
  void* tsan_ = nullptr;
  Fiber* came_from_ = nullptr;
};

}  // namespace hearth::emulator
