/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Takes one step on five points of y = 2x + 1 with a pool of two workers; the error is 57. */
#include "line.h"

#include <aprt.h>
#include <stdio.h>
#include <stdlib.h>

int main(void) {
  const double x[] = {1, 2, 3, 4, 5}, y[] = {3, 5, 7, 9, 11};
  aprt_pool *pool = aprt_pool_create(2);
  const size_t bytes = line_step_workspace_bytes(2, 5);
  aprt_exec exec = aprt_pool_exec(pool, bytes);
  void *state = aligned_alloc(64, line_state_bytes());
  void *workspace = aligned_alloc(64, (bytes + 63) / 64 * 64);
  line_step_out out = LINE_STEP_OUT_INIT;

  aprt_status status = line_init(state, 1);
  if (status == APRT_OK)
    status = line_step(&exec, state, workspace, 5, x, y, NULL, &out);
  printf("%s: mse = %g\n", aprt_status_text(status), out.mse);

  free(workspace);
  free(state);
  aprt_pool_destroy(pool);
  return status;
}
