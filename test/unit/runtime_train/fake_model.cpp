// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "fake_model.h"

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace {

struct State {
  double w[2];
  char pad0[48];
  double b;
  char pad1[56];
  std::int64_t seed;
  char pad2[56];
  std::int64_t steps;
  char pad3[56];
};

struct Gradients {
  double w[2];
  char pad0[48];
  double b;
  char pad1[56];
};

struct Hyper {
  std::uint32_t size;
  std::uint32_t reserved0;
  double lr;
  std::int32_t power;
  std::uint32_t reserved1;
  std::uint64_t reserved[2];
};

const aprt_dim two[] = {{2, -1, 0}};
const aprt_dim rowsByTwo[] = {{0, 0, 0}, {2, -1, 0}};
const aprt_dim rows[] = {{0, 0, 0}};

const aprt_tensor tensors[] = {
    {"w", two, 1, APRT_F64, APRT_PARAMETER, 0, offsetof(State, w), 16, 0, {0}},
    {"b", nullptr, 0, APRT_F64, APRT_PARAMETER, 0, offsetof(State, b), 8, 0, {0}},
    {"seed", nullptr, 0, APRT_I64, APRT_COUNTER, 0, offsetof(State, seed), 8, 0, {0}},
    {"step.steps", nullptr, 0, APRT_I64, APRT_COUNTER, 0, offsetof(State, steps), 8, 0, {0}}};
const aprt_tensor gradientTensors[] = {
    {"w", two, 1, APRT_F64, APRT_PARAMETER, 0, offsetof(Gradients, w), 16, 0, {0}},
    {"b", nullptr, 0, APRT_F64, APRT_PARAMETER, 0, offsetof(Gradients, b), 8, 0, {0}}};
const aprt_hyper hypers[] = {{"step.lr", APRT_F64, offsetof(Hyper, lr), 0.1, {0}},
                             {"step.power", APRT_I32, offsetof(Hyper, power), 1, {0}}};
const aprt_train_block blocks[] = {{"step", gradientTensors, 2, 0, sizeof(Gradients), {0}}};

const char *const dimNames[] = {"B"};
const aprt_tensor seedInput[] = {{"seed", nullptr, 0, APRT_I64, 0, 0, 0, 8, 0, {0}}};
const aprt_tensor trainInputs[] = {{"x", rowsByTwo, 2, APRT_F64, 0, 0, 0, 0, 0, {0}},
                                   {"y", rows, 1, APRT_F64, 0, 0, 0, 0, 0, {0}}};
const aprt_tensor stepResults[] = {{"loss", nullptr, 0, APRT_F64, APRT_SCALAR, 0, 0, 8, 0, {0}},
                                   {"rows", nullptr, 0, APRT_I64, APRT_SUM, 0, 0, 8, 0, {0}}};
const aprt_tensor evalResults[] = {{"loss", rows, 1, APRT_F64, APRT_ROWS, 0, 0, 0, 0, {0}},
                                   {"rows", nullptr, 0, APRT_I64, APRT_SUM, 0, 0, 8, 0, {0}}};
const aprt_tensor predictResults[] = {{"y", rows, 1, APRT_F64, APRT_TENSOR, 0, 0, 0, 0, {0}}};

double output(const State &state, const double *x) {
  return state.w[0] * x[0] + state.w[1] * x[1] + state.b;
}

double lossAndGradients(const aprt_call *call, Gradients &gradients) {
  const auto &state = *static_cast<const State *>(call->state);
  const auto *x = static_cast<const double *>(call->inputs[0]);
  const auto *y = static_cast<const double *>(call->inputs[1]);
  const std::int64_t n = call->dims[0];
  double loss = 0;
  std::memset(&gradients, 0, sizeof gradients);
  for (std::int64_t i = 0; i < n; ++i) {
    const double error = output(state, x + 2 * i) - y[i];
    loss += error * error;
    gradients.w[0] += 2 * error * x[2 * i] / static_cast<double>(n);
    gradients.w[1] += 2 * error * x[2 * i + 1] / static_cast<double>(n);
    gradients.b += 2 * error / static_cast<double>(n);
  }
  return loss / static_cast<double>(n);
}

void report(const aprt_call *call, double loss) {
  *static_cast<double *>(call->results[0]) = loss;
  *static_cast<std::int64_t *>(call->results[1]) = call->dims[0];
}

aprt_status checked(const aprt_call *call) {
  if (call->size != sizeof(aprt_call))
    return APRT_BAD_STRUCT_SIZE;
  if (call->dims[0] < 1)
    return APRT_BAD_DIMENSION;
  if (!call->exec || call->exec->workspace_bytes < 64)
    return APRT_WORKSPACE_TOO_SMALL;
  return APRT_OK;
}

aprt_status init(const aprt_call *call) {
  auto &state = *static_cast<State *>(call->state);
  std::memset(&state, 0, sizeof state);
  std::memcpy(&state.seed, call->inputs[0], sizeof state.seed);
  return APRT_OK;
}

aprt_status grad(const aprt_call *call) {
  if (const aprt_status status = checked(call))
    return status;
  report(call, lossAndGradients(call, *static_cast<Gradients *>(call->gradients)));
  return APRT_OK;
}

aprt_status apply(const aprt_call *call) {
  auto &state = *static_cast<State *>(call->state);
  const auto &gradients = *static_cast<const Gradients *>(call->gradients);
  const double lr = static_cast<const Hyper *>(call->hyper)->lr;
  state.w[0] -= lr * gradients.w[0];
  state.w[1] -= lr * gradients.w[1];
  state.b -= lr * gradients.b;
  ++state.steps;
  return APRT_OK;
}

aprt_status step(const aprt_call *call) {
  if (const aprt_status status = checked(call))
    return status;
  Gradients gradients;
  report(call, lossAndGradients(call, gradients));
  aprt_call second = *call;
  second.gradients = &gradients;
  return apply(&second);
}

aprt_status eval(const aprt_call *call) {
  if (const aprt_status status = checked(call))
    return status;
  const auto &state = *static_cast<const State *>(call->state);
  const auto *x = static_cast<const double *>(call->inputs[0]);
  const auto *y = static_cast<const double *>(call->inputs[1]);
  for (std::int64_t i = 0; i < call->dims[0]; ++i) {
    const double error = output(state, x + 2 * i) - y[i];
    static_cast<double *>(call->results[0])[i] = error * error;
  }
  *static_cast<std::int64_t *>(call->results[1]) = call->dims[0];
  return APRT_OK;
}

aprt_status predict(const aprt_call *call) {
  if (const aprt_status status = checked(call))
    return status;
  const auto *x = static_cast<const double *>(call->inputs[0]);
  for (std::int64_t i = 0; i < call->dims[0]; ++i)
    static_cast<double *>(call->results[0])[i] =
        output(*static_cast<const State *>(call->state), x + 2 * i);
  return APRT_OK;
}

size_t workspace(std::uint32_t, const std::int64_t *) { return 64; }
size_t noWorkspace(std::uint32_t, const std::int64_t *) { return 0; }

aprt_status noShapes(const std::int64_t *, std::int64_t *) { return APRT_OK; }
aprt_status stepShapes(const std::int64_t *dims, std::int64_t *out) {
  if (dims[0] < 1)
    return APRT_BAD_DIMENSION;
  out[0] = dims[0], out[1] = 2, out[2] = dims[0];
  return APRT_OK;
}
aprt_status evalShapes(const std::int64_t *dims, std::int64_t *out) {
  out[3] = dims[0];
  return stepShapes(dims, out);
}
aprt_status predictShapes(const std::int64_t *dims, std::int64_t *out) {
  out[0] = dims[0], out[1] = 2, out[2] = dims[0];
  return APRT_OK;
}

constexpr std::uint32_t none = 0xffffffffu;
const aprt_entry entries[] = {{"init",
                               APRT_INIT,
                               none,
                               0,
                               1,
                               0,
                               0,
                               nullptr,
                               seedInput,
                               nullptr,
                               init,
                               noWorkspace,
                               noShapes,
                               {0}},
                              {"step",
                               APRT_STEP,
                               0,
                               1,
                               2,
                               2,
                               0,
                               dimNames,
                               trainInputs,
                               stepResults,
                               step,
                               workspace,
                               stepShapes,
                               {0}},
                              {"step.grad",
                               APRT_GRAD,
                               0,
                               1,
                               2,
                               2,
                               0,
                               dimNames,
                               trainInputs,
                               stepResults,
                               grad,
                               workspace,
                               stepShapes,
                               {0}},
                              {"step.apply",
                               APRT_APPLY,
                               0,
                               0,
                               0,
                               0,
                               0,
                               nullptr,
                               nullptr,
                               nullptr,
                               apply,
                               noWorkspace,
                               noShapes,
                               {0}},
                              {"step.eval",
                               APRT_EVAL,
                               0,
                               1,
                               2,
                               2,
                               0,
                               dimNames,
                               trainInputs,
                               evalResults,
                               eval,
                               workspace,
                               evalShapes,
                               {0}},
                              {"predict",
                               APRT_ENTRY,
                               none,
                               1,
                               1,
                               1,
                               0,
                               dimNames,
                               trainInputs,
                               predictResults,
                               predict,
                               workspace,
                               predictShapes,
                               {0}}};

const aprt_model model = {sizeof(aprt_model),
                          APRT_ABI_VERSION,
                          0,
                          4,
                          "fake",
                          "by hand",
                          "any",
                          "0123",
                          "{}",
                          sizeof(State),
                          sizeof(Hyper),
                          tensors,
                          hypers,
                          entries,
                          blocks,
                          2,
                          6,
                          1,
                          0,
                          nullptr,
                          {0}};

} // namespace

const aprt_model *fake_model(void) { return &model; }
