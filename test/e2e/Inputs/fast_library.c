/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Linked with -ffast-math, which gives a shared library a constructor that lets the thread that
 * loads it flush subnormals. Newer compilers have stopped doing that; this one does it always. */
#include "float_registers.h"

__attribute__((constructor)) static void flushLikeFastMath(void) {
  FloatRegisters registers = readRegisters();
#if defined(__x86_64__)
  registers.control |= 0x8040;
#else
  registers.control |= 0x1000000;
#endif
  setRegisters(&registers);
}
