/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Writes a text with a trained model: weights that aprun saved, used by a C program.
 *
 *   aprun train gpt.run.toml --data tinyshakespeare.txt
 *   aprc gpt.apr -o gpt.o
 *   cc sample.c gpt.o -lm -o sample
 *   ./sample runs/gpt/weights.safetensors tinyshakespeare.txt 500
 *
 * The text tells which bytes are symbols, and its first symbols begin the sample.
 */
#include "gpt.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { context = 64, vocabulary = 65 };

static int check(aprt_status status) {
  if (status != APRT_OK)
    fprintf(stderr, "sample: %s\n", gpt_status_text(status));
  return status == APRT_OK;
}

static void *newBlock(size_t bytes) {
  return aligned_alloc(GPT_ALIGNMENT, (bytes / GPT_ALIGNMENT + 1) * GPT_ALIGNMENT);
}

static char *readFile(const char *path, size_t *size) {
  FILE *file = fopen(path, "rb");
  if (!file)
    return NULL;
  fseek(file, 0, SEEK_END);
  const long bytes = ftell(file);
  rewind(file);
  char *content = bytes < 0 ? NULL : calloc(1, (size_t)bytes + 1);
  if (content && fread(content, 1, (size_t)bytes, file) != (size_t)bytes) {
    free(content);
    content = NULL;
  }
  fclose(file);
  *size = (size_t)bytes;
  return content;
}

/* Copies each parameter of the model from the file: eight bytes of header size, a JSON header that
 * gives each tensor's place, the tensors. */
static int loadWeights(const char *path, char *state) {
  size_t size = 0;
  char *file = readFile(path, &size);
  uint64_t header = 0;
  if (!file || size < sizeof header)
    return 0;
  memcpy(&header, file, sizeof header);
  if (header > size - sizeof header)
    return 0;
  const char *tensors = file + sizeof header + header;
  const uint64_t bytes = size - sizeof header - header;
  char *text = calloc(1, header + 1);
  memcpy(text, file + sizeof header, header);
  const aprt_model *model = gpt_model();
  int found = 1;
  for (uint32_t i = 0; found && i < model->tensor_count; ++i) {
    const aprt_tensor *tensor = &model->tensors[i];
    if (tensor->role != APRT_PARAMETER)
      continue;
    char key[256];
    snprintf(key, sizeof key, "\"%s\":", tensor->name);
    const char *entry = strstr(text, key);
    const char *place = entry ? strstr(entry, "\"data_offsets\":[") : NULL;
    uint64_t begin = 0, end = 0;
    found = place &&
            sscanf(place, "\"data_offsets\":[%" SCNu64 ",%" SCNu64, &begin, &end) == 2 &&
            begin <= end && end <= bytes && end - begin == tensor->bytes;
    if (found)
      memcpy(state + tensor->offset, tensors + begin, end - begin);
    else
      fprintf(stderr, "sample: %s holds no fitting %s\n", path, tensor->name);
  }
  free(text);
  free(file);
  return found;
}

/* Draws a symbol with the probabilities exp(score) / sum. */
static int draw(const float *scores, uint64_t *random) {
  double largest = scores[0], sum = 0, weights[vocabulary];
  for (int i = 1; i < vocabulary; ++i)
    largest = scores[i] > largest ? scores[i] : largest;
  for (int i = 0; i < vocabulary; ++i)
    sum += weights[i] = exp(scores[i] - largest);
  *random = *random * 6364136223846793005u + 1442695040888963407u;
  double left = (double)(*random >> 11) * 0x1p-53 * sum;
  int symbol = 0;
  while (symbol < vocabulary - 1 && (left -= weights[symbol]) >= 0)
    ++symbol;
  return symbol;
}

int main(int argc, char **argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: sample weights.safetensors text.txt length\n");
    return 2;
  }
  size_t size = 0;
  char *text = readFile(argv[2], &size);
  char *state = newBlock(gpt_state_bytes());
  const size_t bytes = gpt_workspace_bytes(1, 1, context);
  void *workspace = newBlock(bytes);
  float(*scores)[vocabulary] = malloc(sizeof *scores * context);
  if (!text || !state || !workspace || !scores || size < context)
    return 1;
  if (!check(gpt_init(state, 1)) || !loadWeights(argv[1], state))
    return 1;

  int symbolOf[256] = {0};
  unsigned char byteOf[256] = {0};
  for (size_t i = 0; i < size; ++i)
    symbolOf[(unsigned char)text[i]] = 1;
  int count = 0;
  for (int byte = 0; byte < 256; ++byte)
    if (symbolOf[byte]) {
      byteOf[count] = (unsigned char)byte;
      symbolOf[byte] = count++;
    }
  if (count != vocabulary) {
    fprintf(stderr, "sample: the text has %d symbols, the model %d\n", count, vocabulary);
    return 1;
  }

  const aprt_exec serial = {.size = sizeof serial, .workers = 1, .workspace_bytes = bytes};
  int32_t window[context];
  for (int i = 0; i < context; ++i)
    window[i] = symbolOf[(unsigned char)text[i]];
  uint64_t random = 1;
  for (int i = 0; i < atoi(argv[3]); ++i) {
    if (!check(gpt_predict(&serial, state, workspace, 1, context, window, scores[0])))
      return 1;
    const int next = draw(scores[context - 1], &random);
    memmove(window, window + 1, sizeof window - sizeof *window);
    window[context - 1] = next;
    putchar(byteOf[next]);
  }
  putchar('\n');
  free(scores);
  free(workspace);
  free(state);
  free(text);
  return 0;
}
