/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
#include "parts.h"

#include "data.h"

#include <stdlib.h>
#include <string.h>

static void *allocate(size_t bytes) {
  void *memory = malloc(bytes + 1);
  if (!memory)
    abort();
  return memory;
}

bits_part bits_copy_part(const aprt_train_block *block, const aprt_entry *grad,
                         const bits_arguments *memory, const char *gradients) {
  bits_part part;
  part.gradients = allocate(block->gradient_bytes);
  memcpy(part.gradients, gradients, block->gradient_bytes);
  part.results = allocate(grad->result_count * sizeof *part.results);
  part.result_bytes = allocate(grad->result_count * sizeof *part.result_bytes);
  for (uint32_t i = 0; i < grad->result_count; ++i) {
    const size_t bytes = memory->result_elements[i] * bits_element_bytes(grad->results[i].dtype);
    part.result_bytes[i] = bytes;
    part.results[i] = allocate(bytes);
    memcpy(part.results[i], memory->results[i], bytes);
  }
  return part;
}

void bits_free_part(bits_part *part, const aprt_entry *grad) {
  for (uint32_t i = 0; i < grad->result_count; ++i)
    free(part->results[i]);
  free(part->results);
  free(part->result_bytes);
  free(part->gradients);
}

/* to += from; marks of rows combine by `or`. Tensors of blocks are aligned, copies of results too.
 */
static void add(int32_t dtype, char *to, const char *from, size_t bytes) {
  const size_t count = bytes / bits_element_bytes(dtype);
  for (size_t i = 0; i < count; ++i)
    switch (dtype) {
    case APRT_F32:
      ((float *)to)[i] += ((const float *)from)[i];
      break;
    case APRT_F64:
      ((double *)to)[i] += ((const double *)from)[i];
      break;
    case APRT_I32:
      ((uint32_t *)to)[i] += ((const uint32_t *)from)[i];
      break;
    case APRT_I64:
      ((uint64_t *)to)[i] += ((const uint64_t *)from)[i];
      break;
    case APRT_BOOL:
      to[i] |= from[i];
      break;
    default: /* no gradient and no sum has another dtype */
      abort();
    }
}

/* One value per row: the rows of the right part follow those of the left one. */
static void append(bits_part *left, const bits_part *right, uint32_t result) {
  const size_t bytes = left->result_bytes[result], more = right->result_bytes[result];
  char *both = allocate(bytes + more);
  memcpy(both, left->results[result], bytes);
  memcpy(both + bytes, right->results[result], more);
  free(left->results[result]);
  left->results[result] = both;
  left->result_bytes[result] = bytes + more;
}

static void combine_two(const aprt_train_block *block, const aprt_entry *grad, bits_part *left,
                        const bits_part *right) {
  for (uint32_t i = 0; i < block->gradient_count; ++i) {
    const aprt_tensor *tensor = &block->gradients[i];
    add(tensor->dtype, left->gradients + tensor->offset, right->gradients + tensor->offset,
        tensor->bytes);
  }
  for (uint32_t i = 0; i < grad->result_count; ++i) {
    const aprt_tensor *result = &grad->results[i];
    if (result->role == APRT_ROWS)
      append(left, right, i);
    else if (result->role != APRT_SCALAR)
      add(result->dtype, left->results[i], right->results[i], left->result_bytes[i]);
  }
}

void bits_combine(const aprt_train_block *block, const aprt_entry *grad, bits_part *parts,
                  size_t count) {
  while (count > 1) {
    for (size_t i = 0; i + 1 < count; i += 2) {
      combine_two(block, grad, &parts[i], &parts[i + 1]);
      bits_free_part(&parts[i + 1], grad);
      parts[i / 2] = parts[i];
    }
    if (count % 2 != 0)
      parts[count / 2] = parts[count - 1];
    count = (count + 1) / 2;
  }
}
