/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Linked with -ffast-math, which gives a shared library a constructor that lets the thread that
 * loads it flush subnormals. Newer compilers have stopped doing that; this one does it always, and
 * with -DROUND_UPWARD changes the rounding of that thread, too. */
#include "float_registers.h"

__attribute__((constructor)) static void flushLikeFastMath(void) {
  FloatRegisters registers = readRegisters();
#if defined(__x86_64__)
  registers.control |= 0x8040;
#ifdef ROUND_UPWARD
  registers.control |= 0x4000;
#endif
#else
  registers.control |= 0x1000000;
#endif
  setRegisters(&registers);
}
