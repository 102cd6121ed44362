/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
#include "snapshot.h"

#include "data.h"

#include <inttypes.h>
#include <stdio.h>

static void write_line(FILE *file, const char *what, const aprt_tensor *tensor,
                       const int64_t *shape) {
  fprintf(file, "%s%s\t%s\t", what, tensor->name, bits_dtype_name(tensor->dtype));
  for (uint32_t d = 0; d < tensor->rank; ++d)
    fprintf(file, "%s%" PRId64, d > 0 ? "," : "", shape ? shape[d] : tensor->dims[d].value);
  fprintf(file, "\n");
}

static void write_results(FILE *file, const bits_view *view, uint32_t e, int header) {
  const aprt_entry *entry = &view->model->entries[e];
  const int64_t *shape = view->memory[e].shapes;
  for (uint32_t i = 0; i < entry->input_count; ++i)
    shape += entry->inputs[i].rank;
  char what[256];
  snprintf(what, sizeof what, "%s: ", entry->name);
  for (uint32_t i = 0; i < entry->result_count; ++i) {
    if (header)
      write_line(file, what, &entry->results[i], shape);
    else
      fwrite(view->memory[e].results[i], bits_element_bytes(entry->results[i].dtype),
             view->memory[e].result_elements[i], file);
    shape += entry->results[i].rank;
  }
}

static void write_block(FILE *file, const char *what, const aprt_tensor *tensors, uint32_t count,
                        const char *bytes, int header) {
  for (uint32_t t = 0; t < count; ++t)
    if (header)
      write_line(file, what, &tensors[t], NULL);
    else
      fwrite(bytes + tensors[t].offset, 1, tensors[t].bytes, file);
}

static void write_all(FILE *file, const bits_view *view, int header) {
  write_block(file, "state: ", view->model->tensors, view->model->tensor_count, view->state,
              header);
  for (uint32_t e = 0; e < view->model->entry_count; ++e)
    if (view->model->entries[e].kind != APRT_INIT)
      write_results(file, view, e, header);
  for (uint32_t b = 0; b < view->model->train_block_count; ++b) {
    char what[256];
    snprintf(what, sizeof what, "%s gradient: ", view->model->train_blocks[b].name);
    write_block(file, what, view->model->train_blocks[b].gradients,
                view->model->train_blocks[b].gradient_count, view->gradients[b], header);
  }
}

int bits_write(const bits_view *view, const char *path) {
  FILE *file = fopen(path, "wb");
  if (!file)
    return 0;
  write_all(file, view, 1);
  fputc('\n', file);
  write_all(file, view, 0);
  return fclose(file) == 0;
}
