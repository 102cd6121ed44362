/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The floating-point environment that changes most bits of a program that trusts it: subnormals are
 * flushed, where a machine can, and results rounded towards zero. On other machines it is plain. */
#ifndef HOSTILE_ENVIRONMENT_H
#define HOSTILE_ENVIRONMENT_H

#include <stdint.h>

static void setHostileEnvironment(void) {
#if defined(__x86_64__)
  const uint32_t mxcsr = 0xffc0;
  __asm__ volatile("ldmxcsr %0" ::"m"(mxcsr));
#elif defined(__aarch64__)
  const uint64_t fpcr = 0x1c00000;
  __asm__ volatile("msr fpcr, %0" ::"r"(fpcr));
#elif defined(__riscv)
  __asm__ volatile("fsrmi 1");
#endif
}

/* Whether the environment is still that one; flags that instructions raise do not count. */
static int isHostileEnvironment(void) {
#if defined(__x86_64__)
  uint32_t mxcsr;
  __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
  return (mxcsr & 0xffc0) == 0xffc0;
#elif defined(__aarch64__)
  uint64_t fpcr;
  __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
  return fpcr == 0x1c00000;
#elif defined(__riscv)
  uint64_t rounding;
  __asm__ volatile("frrm %0" : "=r"(rounding));
  return rounding == 1;
#else
  return 1;
#endif
}

#endif
