/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Trains the digit classifier inside a C program that links nothing but libc:
 *
 *   aprc ../digits/digits.apr -o digits.o
 *   cc train_digits.c digits.o -o train_digits
 *   ./train_digits ../data/digits.csv
 */
#include "digits.h"
#include "digits_data.h"

#include <stdlib.h>

enum { batch = 32, epochs = 25 };

static DigitsRows train, validation;
static float probabilities[DIGITS_MAX_ROWS][10];

/* The caller owns all memory; every block starts at a multiple of 64 bytes. */
static void *newBlock(size_t bytes) {
  return aligned_alloc(DIGITS_ALIGNMENT, (bytes / DIGITS_ALIGNMENT + 1) * DIGITS_ALIGNMENT);
}

static int check(aprt_status status) {
  if (status != APRT_OK)
    fprintf(stderr, "train_digits: %s\n", digits_status_text(status));
  return status == APRT_OK;
}

int main(int argc, char **argv) {
  if (argc != 2 || !digits_read(argv[1], &train, &validation)) {
    fprintf(stderr, "usage: train_digits digits.csv\n");
    return 2;
  }
  const size_t bytes = digits_workspace_bytes(1, validation.count);
  void *state = newBlock(digits_state_bytes());
  void *workspace = newBlock(bytes);
  if (!state || !workspace)
    return 1;
  const aprt_exec serial = {.size = sizeof serial, .workers = 1, .workspace_bytes = bytes};
  digits_step_out out = DIGITS_STEP_OUT_INIT;

  if (!check(digits_init(state, 1)))
    return 1;
  for (int epoch = 1; epoch <= epochs; ++epoch) {
    double loss = 0;
    int64_t steps = 0;
    for (int64_t row = 0; row + batch <= train.count; row += batch, ++steps) {
      if (!check(digits_step(&serial, state, workspace, batch, train.x[row], &train.y[row], NULL,
                             &out)))
        return 1;
      loss += out.loss;
    }
    if (!check(digits_predict(&serial, state, workspace, validation.count, validation.x[0],
                              probabilities[0])))
      return 1;
    if (epoch % 5 == 0)
      printf("epoch %2d  loss %.6f  validation accuracy %.4f\n", epoch, loss / (double)steps,
             digits_accuracy(&validation, probabilities));
  }
  free(workspace);
  free(state);
  return 0;
}
