/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Calls the tiny classifier in every wrong way; each must be refused with its status and leave the
 * state as it was. */
#include "tiny.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { rows = 8 };

static _Alignas(64) unsigned char state[TINY_STATE_BYTES], before[TINY_STATE_BYTES];
static _Alignas(64) unsigned char gradients[TINY_GRADIENTS_BYTES];
static _Alignas(64) unsigned char workspace[1 << 20];
static float x[rows + 1][64];
static int32_t y[rows];
static int failures;

static void expect(const char *what, aprt_status expected, aprt_status found) {
  if (found != expected) {
    printf("%s: expected status %d (%s), found %d (%s)\n", what, expected,
           tiny_status_text(expected), found, tiny_status_text(found));
    ++failures;
  }
  if (memcmp(state, before, sizeof state) != 0) {
    printf("%s: the state was written\n", what);
    ++failures;
    memcpy(state, before, sizeof state);
  }
}

static const aprt_entry *findEntry(const char *name) {
  const aprt_model *model = tiny_model();
  for (uint32_t i = 0; i < model->entry_count; ++i)
    if (strcmp(model->entries[i].name, name) == 0)
      return &model->entries[i];
  printf("no entry '%s' in the reflection table\n", name);
  exit(1);
}

static void misuseTypedFunctions(void) {
  aprt_exec exec = {.size = sizeof exec, .workers = 1, .workspace_bytes = sizeof workspace};
  tiny_hyper hyper = TINY_HYPER_INIT;
  tiny_step_out out = TINY_STEP_OUT_INIT;
  const float *in = x[0];
  float p[rows][10];
#define STEP(exec, state, workspace, B, x, y, hyper, out)                                          \
  tiny_step(exec, state, workspace, B, x, y, hyper, out)

  expect("null state", APRT_NULL_ARGUMENT, STEP(&exec, NULL, workspace, rows, in, y, NULL, &out));
  expect("null workspace", APRT_NULL_ARGUMENT, STEP(&exec, state, NULL, rows, in, y, NULL, &out));
  expect("null input", APRT_NULL_ARGUMENT,
         STEP(&exec, state, workspace, rows, NULL, y, NULL, &out));
  expect("null labels", APRT_NULL_ARGUMENT,
         STEP(&exec, state, workspace, rows, in, NULL, NULL, &out));
  expect("null out", APRT_NULL_ARGUMENT, STEP(&exec, state, workspace, rows, in, y, NULL, NULL));
  expect("null result", APRT_NULL_ARGUMENT, tiny_predict(&exec, state, workspace, rows, in, NULL));
  expect("null gradients", APRT_NULL_ARGUMENT, tiny_apply(&exec, state, workspace, NULL, NULL));
  expect("null gradients", APRT_NULL_ARGUMENT,
         tiny_grad(&exec, state, workspace, rows, in, y, NULL, NULL,
                   &(tiny_grad_out)TINY_GRAD_OUT_INIT));
  expect("init of null", APRT_NULL_ARGUMENT, tiny_init(NULL, 1));

  out.size = 4;
  expect("size of out", APRT_BAD_STRUCT_SIZE,
         STEP(&exec, state, workspace, rows, in, y, NULL, &out));
  out.size = sizeof out;
  hyper.size = 0;
  expect("size of hyper", APRT_BAD_STRUCT_SIZE,
         STEP(&exec, state, workspace, rows, in, y, &hyper, &out));
  hyper.size = sizeof hyper;
  exec.size = 1;
  expect("size of exec", APRT_BAD_STRUCT_SIZE,
         STEP(&exec, state, workspace, rows, in, y, NULL, &out));
  exec.size = sizeof exec;

  expect("misaligned state", APRT_MISALIGNED,
         STEP(&exec, state + 8, workspace, rows, in, y, NULL, &out));
  expect("misaligned workspace", APRT_MISALIGNED,
         STEP(&exec, state, workspace + 32, rows, in, y, NULL, &out));
  expect("misaligned gradients", APRT_MISALIGNED,
         tiny_apply(&exec, state, workspace, gradients + 4, NULL));
  expect("misaligned init", APRT_MISALIGNED, tiny_init(state + 1, 1));
  expect("misaligned input", APRT_MISALIGNED,
         STEP(&exec, state, workspace, rows, (const float *)((const char *)in + 1), y, NULL, &out));

  const int64_t bad[] = {-1, INT64_MIN, INT64_MAX, (int64_t)1 << 41, (int64_t)1 << 40};
  for (int i = 0; i < 5; ++i)
    expect("bad dimension", APRT_BAD_DIMENSION,
           STEP(&exec, state, workspace, bad[i], in, y, NULL, &out));
  expect("a condition of the model", TINY_STATUS_0,
         tiny_predict(&exec, state, workspace, 100001, in, p[0]));
  if (tiny_step_workspace_bytes(1, -1) != SIZE_MAX ||
      tiny_workspace_bytes(1, INT64_MAX) != SIZE_MAX)
    printf("workspace of a bad dimension\n"), ++failures;

  const int32_t wrong[] = {-1, 10, INT32_MAX, INT32_MIN};
  for (int i = 0; i < 4; ++i) {
    y[rows - 1] = wrong[i];
    expect("label", APRT_INDEX_OUT_OF_RANGE,
           STEP(&exec, state, workspace, rows, in, y, NULL, &out));
    y[rows - 1] = 9;
  }

  exec.workspace_bytes = tiny_step_workspace_bytes(1, rows) - 1;
  expect("workspace", APRT_WORKSPACE_TOO_SMALL,
         STEP(&exec, state, workspace, rows, in, y, NULL, &out));
  exec.workspace_bytes = tiny_step_workspace_bytes(1, rows);
  exec.workers = 1000000;
  if (tiny_step_workspace_bytes(1000000, rows) > exec.workspace_bytes)
    expect("workspace of many workers", APRT_WORKSPACE_TOO_SMALL,
           STEP(&exec, state, workspace, rows, in, y, NULL, &out));
}

static void misuseGenericCall(void) {
  const aprt_entry *step = findEntry("step");
  const int64_t dims[] = {rows};
  const void *inputs[] = {x[0], y};
  void *results[2] = {NULL, NULL};
  aprt_call call = {.size = sizeof call,
                    .state = state,
                    .workspace = workspace,
                    .dims = dims,
                    .inputs = inputs,
                    .results = results};
  expect("null call", APRT_NULL_ARGUMENT, step->call(NULL));
  call.size = 8;
  expect("size of call", APRT_BAD_STRUCT_SIZE, step->call(&call));
  call.size = sizeof call;
  call.dims = NULL;
  expect("null dims", APRT_NULL_ARGUMENT, step->call(&call));
  call.dims = dims;
  call.inputs = NULL;
  expect("null inputs", APRT_NULL_ARGUMENT, step->call(&call));
  call.inputs = inputs;
  call.results = NULL;
  expect("null results", APRT_NULL_ARGUMENT, step->call(&call));
  int64_t shapes[8];
  const int64_t negative = -5;
  expect("shapes", APRT_BAD_DIMENSION, step->shapes(&negative, shapes));
  expect("shapes", APRT_OK, step->shapes(dims, shapes));
  const int64_t expected[] = {rows, 64, rows, rows};
  if (memcmp(shapes, expected, sizeof expected) != 0)
    printf("shapes are wrong\n"), ++failures;
  call.results = results;
  if (step->call(&call) != APRT_OK)
    printf("a good call fails\n"), ++failures;
}

int main(void) {
  if (tiny_init(state, 1) != APRT_OK)
    return 1;
  memcpy(before, state, sizeof state);
  misuseTypedFunctions();
  misuseGenericCall();
  /* Nothing to do is not wrong. */
  tiny_step_out out = TINY_STEP_OUT_INIT;
  if (tiny_step(NULL, state, workspace, 0, NULL, NULL, NULL, &out) != APRT_OK)
    printf("an empty batch is refused\n"), ++failures;
  printf("%d failures\n", failures);
  return failures != 0;
}
