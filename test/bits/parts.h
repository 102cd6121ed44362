/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Gradients and figures of parts of a batch, and how they combine ("Parts of a batch" in abi.md).
 */
#ifndef BITS_PARTS_H
#define BITS_PARTS_H

#include "snapshot.h"

typedef struct bits_part {
  char *gradients;
  char **results;
  size_t *result_bytes;
} bits_part;

/* Copies what grad has just written. */
bits_part bits_copy_part(const aprt_train_block *block, const aprt_entry *grad,
                         const bits_arguments *memory, const char *gradients);
/* Combines by the binary tree over the parts into parts[0] and frees the others. */
void bits_combine(const aprt_train_block *block, const aprt_entry *grad, bits_part *parts,
                  size_t count);
void bits_free_part(bits_part *part, const aprt_entry *grad);

#endif
