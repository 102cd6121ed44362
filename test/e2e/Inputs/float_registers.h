/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The floating-point registers of a thread, and states in which a host may have left them. */
#ifndef FLOAT_REGISTERS_H
#define FLOAT_REGISTERS_H

#include <stdint.h>

typedef struct {
  const char *name;
  uint64_t control;  /* MXCSR with its flags, FPCR, or frm */
  uint64_t flags;    /* FPSR or fflags */
  uint16_t x87;      /* the x87 control word */
  uint16_t x87Flags; /* the x87 status word, which is only read */
} FloatRegisters;

#if defined(__x86_64__)

/* MXCSR: flags 0x3f, DAZ 0x40, masks 0x1f80, rounding 0x6000, FTZ 0x8000. The x87 control word
 * 0x37f is what a process starts with; 0x07f computes in f32, 0x340 traps. */
static const FloatRegisters kPlain = {"plain", 0x1f80, 0, 0x37f, 0};
static const FloatRegisters kHostile[] = {
    {"flushing", 0x9fc0, 0, 0x37f, 0},   {"downward", 0x3f80, 0, 0x77f, 0},
    {"upward", 0x5f80, 0, 0xb7f, 0},     {"towards zero", 0x7f80, 0, 0xf7f, 0},
    {"trapping", 0x0000, 0, 0x340, 0},   {"trapping, flags set", 0x003f, 0, 0x340, 0},
    {"flags set", 0x1fbf, 0, 0x37f, 0},  {"trapping, upward, flushing", 0xc040, 0, 0x840, 0},
    {"x87 in f32", 0x1f80, 0, 0x07f, 0}, {"everything", 0xe07f, 0, 0xc40, 0},
};

static void setRegisters(const FloatRegisters *to) {
  const uint32_t control = (uint32_t)to->control;
  __asm__ volatile("ldmxcsr %0\n\tfldcw %1" ::"m"(control), "m"(to->x87) : "memory");
}

static FloatRegisters readRegisters(void) {
  FloatRegisters found = {"found", 0, 0, 0, 0};
  uint32_t control;
  __asm__ volatile("stmxcsr %0\n\tfnstcw %1\n\tfnstsw %2"
                   : "=m"(control), "=m"(found.x87), "=m"(found.x87Flags)::"memory");
  found.control = control;
  return found;
}

static int isFlushing(void) { return (readRegisters().control & 0x8000) != 0; }

#elif defined(__aarch64__)

/* FPCR: rounding 0xc00000, FZ 0x1000000, DN 0x2000000, AHP 0x4000000, FZ16 0x80000, traps 0x9f00,
 * which most CPUs lack. FPSR: flags 0x9f, QC 0x8000000. */
static const FloatRegisters kPlain = {"plain", 0, 0, 0, 0};
static const FloatRegisters kHostile[] = {
    {"flushing", 0x1000000, 0, 0, 0},
    {"upward", 0x400000, 0, 0, 0},
    {"downward", 0x800000, 0, 0, 0},
    {"towards zero", 0xc00000, 0, 0, 0},
    {"default NaN", 0x2000000, 0, 0, 0},
    {"flags set", 0, 0x800009f, 0, 0},
    {"everything", 0x7c00000, 0x800009f, 0, 0},
};

static void setRegisters(const FloatRegisters *to) {
  __asm__ volatile("msr fpcr, %0\n\tmsr fpsr, %1" ::"r"(to->control), "r"(to->flags) : "memory");
}

static FloatRegisters readRegisters(void) {
  FloatRegisters found = {"found", 0, 0, 0, 0};
  __asm__ volatile("mrs %0, fpcr\n\tmrs %1, fpsr"
                   : "=r"(found.control), "=r"(found.flags)::"memory");
  return found;
}

static int isFlushing(void) { return (readRegisters().control & 0x1000000) != 0; }

#elif defined(__riscv)

/* frm: to nearest 0, towards zero 1, down 2, up 3, to nearest with ties away 4; with others every
 * instruction that rounds is illegal. fflags 0x1f. There is no flushing and there are no traps. */
static const FloatRegisters kPlain = {"plain", 0, 0, 0, 0};
static const FloatRegisters kHostile[] = {
    {"towards zero", 1, 0, 0, 0},       {"downward", 2, 0, 0, 0},      {"upward", 3, 0, 0, 0},
    {"ties away", 4, 0, 0, 0},          {"reserved", 5, 0, 0, 0},      {"flags set", 0, 0x1f, 0, 0},
    {"upward, one flag", 3, 0x4, 0, 0}, {"everything", 7, 0x1f, 0, 0},
};

static void setRegisters(const FloatRegisters *to) {
  __asm__ volatile("fsrm %0\n\tfsflags %1" ::"r"(to->control), "r"(to->flags) : "memory");
}

static FloatRegisters readRegisters(void) {
  FloatRegisters found = {"found", 0, 0, 0, 0};
  __asm__ volatile("frrm %0\n\tfrflags %1" : "=&r"(found.control), "=r"(found.flags)::"memory");
  return found;
}

static int isFlushing(void) { return 0; }

#else
#error "the floating-point registers of this machine are not known"
#endif

enum { kHostileCount = sizeof kHostile / sizeof kHostile[0] };

static int areSameRegisters(const FloatRegisters *a, const FloatRegisters *b) {
  return a->control == b->control && a->flags == b->flags && a->x87 == b->x87 &&
         a->x87Flags == b->x87Flags;
}

#endif
