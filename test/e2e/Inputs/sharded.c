/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Three grads, each on a third of the batch and under its row offset, combined by the binary tree
 * and applied, give the state and the figures of step bit for bit. */
#include "sharded.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { parts = 3, longest = 7 };

static void *newBlock(size_t bytes) {
  void *block = aligned_alloc(SHARDED_ALIGNMENT, (bytes / SHARDED_ALIGNMENT + 1) * SHARDED_ALIGNMENT);
  memset(block, 0, bytes);
  return block;
}

static void check(aprt_status status) {
  if (status != APRT_OK) {
    printf("failed: %s\n", sharded_status_text(status));
    exit(1);
  }
}

/* Adds the tensors of `from` to those of `to`; marks of rows combine by `or`. */
static void combine(char *to, const char *from) {
  const aprt_train_block *block = &sharded_model()->train_blocks[0];
  for (uint32_t i = 0; i < block->gradient_count; ++i) {
    const aprt_tensor *tensor = &block->gradients[i];
    if (tensor->dtype == APRT_BOOL)
      for (uint64_t e = 0; e < tensor->bytes; ++e)
        to[tensor->offset + e] |= from[tensor->offset + e];
    else
      for (uint64_t e = 0; e < tensor->bytes / sizeof(float); ++e)
        ((float *)(to + tensor->offset))[e] += ((const float *)(from + tensor->offset))[e];
  }
}

int main(void) {
  const int64_t B = parts * longest;
  int32_t x[parts * longest * 7], t[parts * longest], y[parts * longest];
  for (int i = 0; i < B * 7; ++i)
    x[i] = (i * 37 + 11) % 43;
  for (int i = 0; i < B; ++i) {
    t[i] = (i * i) % 13;
    y[i] = (i * 29 + 5) % 50;
  }
  void *whole = newBlock(SHARDED_STATE_BYTES), *parted = newBlock(SHARDED_STATE_BYTES);
  void *workspace = newBlock(sharded_workspace_bytes(1, B));
  check(sharded_init(whole, 7));
  check(sharded_init(parted, 7));
  char *gradients[parts];
  for (int part = 0; part < parts; ++part)
    gradients[part] = newBlock(sharded_gradients_bytes());

  for (int round = 0; round < 4; ++round) {
    double share[2], shares[parts][2];
    sharded_step_out out = SHARDED_STEP_OUT_INIT;
    out.share = share;
    check(sharded_step(NULL, whole, workspace, B, x, t, y, NULL, &out));
    sharded_grad_out outs[parts];
    for (int part = 0; part < parts; ++part) {
      outs[part] = (sharded_grad_out)SHARDED_GRAD_OUT_INIT;
      outs[part].share = shares[part];
      const int64_t row = part * longest;
      aprt_exec exec = {.size = sizeof exec, .workers = 1, .row_offset = row,
                        .workspace_bytes = sharded_grad_workspace_bytes(1, B)};
      check(sharded_grad(&exec, parted, workspace, B, x + row * 7, t + row, y + row, NULL,
                         gradients[part], &outs[part]));
    }
    /* The binary tree over three parts: (0 + 1) + 2. */
    combine(gradients[0], gradients[1]);
    combine(gradients[0], gradients[2]);
    check(sharded_apply(NULL, parted, workspace, gradients[0], NULL));
    const float loss = outs[0].loss + outs[1].loss + outs[2].loss;
    const float length = outs[0].length + outs[1].length + outs[2].length;
    printf("states %s, loss %s, length %s, hits %s, share %s\n",
           memcmp(whole, parted, SHARDED_STATE_BYTES) ? "differ" : "agree",
           loss == out.loss ? "agrees" : "differs", length == out.length ? "agrees" : "differs",
           outs[0].hits + outs[1].hits + outs[2].hits == out.hits ? "agree" : "differ",
           shares[0][0] + shares[1][0] + shares[2][0] == share[0] &&
                   shares[0][1] + shares[1][1] + shares[2][1] == share[1]
               ? "agrees"
               : "differs");
  }
  printf("one row too few: %s\n",
         sharded_status_text(
             sharded_step(NULL, whole, workspace, B - 1, x, t, y, NULL,
                          &(sharded_step_out)SHARDED_STEP_OUT_INIT)));

  /* Rows that no step read have the bits that init gave them. */
  void *fresh = newBlock(SHARDED_STATE_BYTES);
  check(sharded_init(fresh, 7));
  int changed = 0;
  for (int row = 0; row < 20; ++row) {
    const size_t at = SHARDED_OFFSET_TAGS_WEIGHT + (size_t)row * 24 * sizeof(float);
    changed += memcmp((char *)fresh + at, (char *)whole + at, 24 * sizeof(float)) != 0;
  }
  printf("rows changed: %d\n", changed);
  return 0;
}
