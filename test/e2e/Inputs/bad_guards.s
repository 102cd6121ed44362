# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# One entry point per mistake that check_code.py must find, and a right one.
  .text
bad.kernel0:
  addss %xmm1, %xmm0
  retq

  .globl right
right:
  stmxcsr -4(%rsp)
  ldmxcsr ours(%rip)
  leaq bad.kernel0(%rip), %rax
  callq *%rax
  callq shared
  ldmxcsr -4(%rsp)
  retq

# Reached from inside the guard above, and from outside by `calls_shared`.
shared:
  mulss %xmm1, %xmm0
  retq
  .globl calls_shared
calls_shared:
  movss (%rdi), %xmm0
  jmp shared

  .globl converts_first
converts_first:
  cvtss2sd %xmm0, %xmm0
  stmxcsr -4(%rsp)
  ldmxcsr ours(%rip)
  addsd %xmm0, %xmm0
  ldmxcsr -4(%rsp)
  retq

  .globl compares_last
compares_last:
  stmxcsr -4(%rsp)
  ldmxcsr ours(%rip)
  ldmxcsr -4(%rsp)
  ucomiss %xmm1, %xmm0
  retq

  .globl forgets_on_error
forgets_on_error:
  stmxcsr -4(%rsp)
  ldmxcsr ours(%rip)
  testq %rdi, %rdi
  je .Lerror
  ldmxcsr -4(%rsp)
.Lerror:
  retq

  .globl leaves_changed
leaves_changed:
  stmxcsr -4(%rsp)
  ldmxcsr ours(%rip)
  retq

  .globl uses_x87
uses_x87:
  flds (%rdi)
  fstps (%rdi)
  retq

  .globl approximates
approximates:
  stmxcsr -4(%rsp)
  ldmxcsr ours(%rip)
  rsqrtss %xmm0, %xmm0
  callq expf@PLT
  ldmxcsr -4(%rsp)
  retq

# What par_for is given, with its guard forgotten.
bad.task:
  divss %xmm1, %xmm0
  retq
  .globl starts_task
starts_task:
  leaq bad.task(%rip), %rdx
  retq

# The host's par_for may leave any environment behind: a right one, then two that forget it.
  .globl runs_tasks
runs_tasks:
  stmxcsr -4(%rsp)
  ldmxcsr ours(%rip)
  leaq bad.task(%rip), %rdx
  callq *%rax
  ldmxcsr ours(%rip)
  addss %xmm1, %xmm0
  callq hands_over
  ldmxcsr -4(%rsp)
  retq

  .globl computes_after_tasks
computes_after_tasks:
  stmxcsr -4(%rsp)
  ldmxcsr ours(%rip)
  leaq bad.task(%rip), %rdx
  callq *16(%rax)
  addss %xmm1, %xmm0
  ldmxcsr ours(%rip)
  ldmxcsr -4(%rsp)
  retq

hands_over:
  leaq bad.task(%rip), %rdx
  jmpq *%rax

nobody_calls:
  retq

  .section .rodata
ours:
  .long 0x1f80
