/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Reads the digits: 64 pixels from 0 to 16 and the class in each line. Every fifth row, from the
 * first, is kept for validation. */
#ifndef DIGITS_DATA_H
#define DIGITS_DATA_H

#include <stdint.h>
#include <stdio.h>

enum { DIGITS_MAX_ROWS = 1800 };

typedef struct DigitsRows {
  int64_t count;
  float x[DIGITS_MAX_ROWS][64];
  int32_t y[DIGITS_MAX_ROWS];
} DigitsRows;

/* Returns 0 where the file cannot be opened or a line is not as described. */
static int digits_read(const char *path, DigitsRows *train, DigitsRows *validation) {
  FILE *file = fopen(path, "r");
  if (!file)
    return 0;
  train->count = validation->count = 0;
  int ok = 1;
  for (int row = 0; ok; ++row) {
    float values[65];
    int read = 0;
    while (read < 65 && fscanf(file, read == 0 ? " %f" : ",%f", &values[read]) == 1)
      ++read;
    if (read == 0 && feof(file))
      break;
    DigitsRows *rows = row % 5 == 0 ? validation : train;
    ok = read == 65 && rows->count < DIGITS_MAX_ROWS;
    if (ok) {
      for (int i = 0; i < 64; ++i)
        rows->x[rows->count][i] = values[i] / 16;
      rows->y[rows->count++] = (int32_t)values[64];
    }
  }
  fclose(file);
  return ok && train->count > 0 && validation->count > 0;
}

/* The fraction of rows whose largest probability is that of their class. */
static double digits_accuracy(const DigitsRows *rows, const float (*probabilities)[10]) {
  int64_t hits = 0;
  for (int64_t row = 0; row < rows->count; ++row) {
    int best = 0;
    for (int i = 1; i < 10; ++i)
      if (probabilities[row][i] > probabilities[row][best])
        best = i;
    hits += best == rows->y[row];
  }
  return (double)hits / (double)rows->count;
}

#endif
