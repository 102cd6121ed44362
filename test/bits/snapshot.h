/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Writes what a training leaves; snapshot.py reads it. */
#ifndef BITS_SNAPSHOT_H
#define BITS_SNAPSHOT_H

#include "aprt.h"

/* The memory of an entry's inputs and results. */
typedef struct bits_arguments {
  int64_t *shapes; /* of the inputs, then of the results */
  char **inputs, **results;
  size_t *input_elements, *result_elements;
} bits_arguments;

typedef struct bits_view {
  const aprt_model *model;
  const bits_arguments *memory; /* per entry */
  const char *state;
  char *const *gradients; /* per train block */
} bits_view;

/* One line per tensor (what, dtype, shape), an empty line, and the bytes of all of them. False
 * where the file cannot be written. */
int bits_write(const bits_view *view, const char *path);

#endif
