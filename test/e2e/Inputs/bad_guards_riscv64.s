# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# As bad_guards.s, for RISC-V: calls and addresses in two instructions, one register for all flags.
  .attribute arch, "rv64gc"
  .text
bad.kernel0:
  fadd.s fa0, fa0, fa1
  ret

  .globl right
right:
  frcsr s0
  fscsr zero
  lla a0, bad.kernel0
  jalr a0
  call shared
  lla a2, bad.task
  jalr a4
  fscsr zero
  fsub.d fa0, fa0, fa1
  call hands_over
  fscsr s0
  ret

# Reached from inside the guard above, and from outside by `calls_shared`.
shared:
  fmul.s fa0, fa0, fa1
  ret
  .globl calls_shared
calls_shared:
  flw fa0, 0(a0)
  fsw fa0, 4(a0)
  fmv.x.w a1, fa0
  fneg.s fa0, fa0
  fence
  tail shared

  .globl calls
calls:
  frcsr s0
  fscsr zero
  call expf
  fscsr s0
  ret

  .globl converts_first
converts_first:
  fcvt.d.s fa0, fa0
  frcsr s0
  fscsr zero
  fscsr s0
  ret

  .globl compares_last
compares_last:
  frcsr s0
  fscsr zero
  fscsr s0
  flt.d a0, fa0, fa1
  ret

  .globl leaves_changed
leaves_changed:
  frcsr s0
  fscsr zero
  ret

# Without the flags, it is no guard.
  .globl rounds_only
rounds_only:
  frrm s0
  fsrm zero
  csrrc a0, fcsr, zero
  fmadd.s fa0, fa0, fa1, fa2
  fsflags zero
  ret

  .globl computes_after_tasks
computes_after_tasks:
  frcsr s0
  fscsr zero
  lla a2, bad.task
  jalr a4
  fadd.s fa0, fa0, fa1
  fscsr zero
  fscsr s0
  ret

hands_over:
  lla a2, bad.task
  jr a4

# What par_for is given, with its guard forgotten.
bad.task:
  fdiv.s fa0, fa0, fa1
  ret
