// Jumps between stacks. ASan is told the bounds of the stack that is entered, else it takes it for an overrun; TSan,
// that calls from here on are another fiber's.
#include "runtime/backend/emulated/fiber.h"

#include <boost/context/protected_fixedsize_stack.hpp>

#include "base/sanitizers.h"

#if HEARTH_HAS_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if HEARTH_HAS_TSAN
#include <sanitizer/tsan_interface.h>
#endif

namespace hearth::emulator {

Fiber::Fiber() {
#if HEARTH_HAS_TSAN
  tsan_ = __tsan_get_current_fiber();
#endif
}

Fiber::~Fiber() {
#if HEARTH_HAS_TSAN
  if (stack_ != nullptr) __tsan_destroy_fiber(tsan_);
#endif
}

Fiber::Fiber(size_t stack_bytes, Fiber& home, std::function<void()> main) {
  boost::context::protected_fixedsize_stack allocator(stack_bytes);
  const boost::context::stack_context memory = allocator.allocate();
  stack_ = static_cast<const char*>(memory.sp) - memory.size;
  stack_bytes_ = memory.size;
#if HEARTH_HAS_TSAN
  tsan_ = __tsan_create_fiber(0);
#endif
  context_ = boost::context::fiber(std::allocator_arg, boost::context::preallocated(memory.sp, memory.size, memory),
                                   allocator, [this, &home, main = std::move(main)](boost::context::fiber&& from) {
                                     arrive(std::move(from));
                                     main();
                                     leave(home, true);
                                     return std::move(home.context_);
                                   });
}

void Fiber::jump(Fiber& from, Fiber& to) {
  from.leave(to);
  boost::context::fiber waiting = std::move(to.context_);
  from.arrive(std::move(waiting).resume());
}

void Fiber::leave([[maybe_unused]] Fiber& to, [[maybe_unused]] bool for_ever) {
  to.came_from_ = this;
#if HEARTH_HAS_ASAN
  __sanitizer_start_switch_fiber(for_ever ? nullptr : &fake_stack_, to.stack_, to.stack_bytes_);
#endif
#if HEARTH_HAS_TSAN
  __tsan_switch_to_fiber(to.tsan_, 0);
#endif
}

void Fiber::arrive(boost::context::fiber from) {
#if HEARTH_HAS_ASAN
  // Whoever was left says where its stack is: that is how a thread's own stack becomes known.
  __sanitizer_finish_switch_fiber(fake_stack_, &came_from_->stack_, &came_from_->stack_bytes_);
  // A stack that is gone takes the guards between its variables along: its addresses will be others'.
  if (!from) __asan_unpoison_memory_region(came_from_->stack_, came_from_->stack_bytes_);
#endif
  came_from_->context_ = std::move(from);
}

}  // namespace hearth::emulator
