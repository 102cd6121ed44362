/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Two models, libaprt's header and the task pool in one program. */
#include "line.h"
#include "tiny.h"

#include <aprt.h>
#include <stdio.h>
#include <string.h>

static _Alignas(64) unsigned char tinyState[TINY_STATE_BYTES];
static _Alignas(64) unsigned char lineState[LINE_STATE_BYTES], again[LINE_STATE_BYTES];

int main(void) {
  const aprt_model *models[] = {tiny_model(), line_model()};
  for (int i = 0; i < 2; ++i) {
    const aprt_model *model = models[i];
    printf("%s: abi %u, semantics %u, %u tensors, %u entries, %u blocks, %llu bytes\n", model->name,
           model->abi_version, model->semantics_version, model->tensor_count, model->entry_count,
           model->train_block_count, (unsigned long long)model->state_bytes);
    for (uint32_t t = 0; t < model->tensor_count; ++t) {
      const aprt_tensor *tensor = &model->tensors[t];
      printf("  %s rank %u at %llu, %llu bytes\n", tensor->name, tensor->rank,
             (unsigned long long)tensor->offset, (unsigned long long)tensor->bytes);
    }
    for (uint32_t e = 0; e < model->entry_count; ++e)
      printf("  @%s takes %u dims, %u inputs, gives %u\n", model->entries[e].name,
             model->entries[e].dim_count, model->entries[e].input_count,
             model->entries[e].result_count);
    for (uint32_t h = 0; h < model->hyper_count; ++h)
      printf("  hyper %s = %g\n", model->hypers[h].name, model->hypers[h].default_value);
  }
  if (tiny_init(tinyState, 3) || line_init(lineState) || line_init(again))
    return 1;

  /* y = 2x + 1 from the explicit updates of an entry with two outputs and a scalar argument. */
  const double x[] = {1, 2, 3, 4, 5}, y[] = {3, 5, 7, 9, 11};
  aprt_pool *pool = aprt_pool_create(2);
  const size_t bytes = line_workspace_bytes(2, 5);
  static _Alignas(64) unsigned char workspace[1 << 16];
  if (bytes > sizeof workspace)
    return 1;
  aprt_exec exec = aprt_pool_exec(pool, sizeof workspace);
  line_step_out out = LINE_STEP_OUT_INIT;
  for (int64_t n = 0; n < 5; n += 4) {
    const aprt_status status = line_step(&exec, lineState, workspace, n, x, y, 0.05, NULL, &out);
    printf("%lld rows: %s\n", (long long)n, line_status_text(status));
  }
  for (int epoch = 0; epoch < 20; ++epoch)
    if (line_step(&exec, lineState, workspace, 5, x, y, 0.05, NULL, &out))
      return 1;
  double w, b;
  memcpy(&w, lineState + LINE_OFFSET_W, sizeof w);
  memcpy(&b, lineState + LINE_OFFSET_B, sizeof b);
  printf("mse %.6f w %.6f b %.6f\n", out.mse, w, b);
  printf("%s | %s\n", tiny_status_text(5), line_status_text(-3));
  aprt_pool_destroy(pool);
  return 0;
}
