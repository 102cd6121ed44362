/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Trains two nets against each other: the program decides whose turn it is.
 *
 *   aprc gan.apr -o gan.o
 *   cc train_gan.c gan.o -lm -o train_gan
 *   ./train_gan 3000
 */
#include "gan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { batch = 128, samples = 1000 };

static float points[samples][2];

static void *newBlock(size_t bytes) {
  return aligned_alloc(GAN_ALIGNMENT, (bytes / GAN_ALIGNMENT + 1) * GAN_ALIGNMENT);
}

static int check(aprt_status status) {
  if (status != APRT_OK)
    fprintf(stderr, "train_gan: %s\n", gan_status_text(status));
  return status == APRT_OK;
}

/* Mean and deviation of the samples' distance from the centre; the data have 1.00 and 0.05. */
static void radius(double *mean, double *deviation) {
  double sum = 0, squares = 0;
  for (int i = 0; i < samples; ++i) {
    const double r = hypot(points[i][0], points[i][1]);
    sum += r;
    squares += r * r;
  }
  *mean = sum / samples;
  *deviation = sqrt(squares / samples - *mean * *mean);
}

int main(int argc, char **argv) {
  const int steps = argc > 1 ? atoi(argv[1]) : 3000;
  const size_t bytes = gan_workspace_bytes(1, samples);
  void *state = newBlock(gan_state_bytes());
  void *workspace = newBlock(bytes);
  if (!state || !workspace)
    return 1;
  const aprt_exec serial = {.size = sizeof serial, .workers = 1, .workspace_bytes = bytes};
  gan_d_step_out d = GAN_D_STEP_OUT_INIT;
  gan_g_step_out g = GAN_G_STEP_OUT_INIT;

  if (!check(gan_init(state, 1)))
    return 1;
  for (int step = 1; step <= steps; ++step) {
    if (!check(gan_d_step(&serial, state, workspace, batch, NULL, &d)) ||
        !check(gan_g_step(&serial, state, workspace, batch, NULL, &g)))
      return 1;
    if (step % (steps < 6 ? 1 : steps / 6) != 0)
      continue;
    double mean, deviation;
    if (!check(gan_sample(&serial, state, workspace, samples, 7, points[0])))
      return 1;
    radius(&mean, &deviation);
    printf("step %5d  discriminator %.4f  generator %.4f  radius %.3f +- %.3f\n", step, d.loss,
           g.loss, mean, deviation);
  }
  free(workspace);
  free(state);
  return 0;
}
