// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Compares the compiled models with loops written by hand from the IR that `aprc
// --emit=ir-after-fix-reduction-orders` prints: every parameter and every loss, bit for bit, after
// each of 200 epochs, five times over.
#include "line.h"
#include "orders.h"
#include "plane.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

struct Data {
  std::vector<Vector> columns; // features
  Vector y;
  Vector rowMajor() const {
    Vector x;
    for (size_t row = 0; row < y.size(); ++row)
      for (const Vector &column : columns)
        x.push_back(column[row]);
    return x;
  }
};

struct Model {
  Vector w;
  double b = 0;
};

// Gradient descent as both blocks compute it; returns the mean squared error before the update.
enum class Block { Step, Descent };

Vector errorsOfLine(const Model &model, const Data &data) {
  Vector errors;
  for (size_t row = 0; row < data.y.size(); ++row)
    errors.push_back(model.w[0] * data.columns[0][row] + model.b - data.y[row]);
  return errors;
}

Vector errorsOfPlane(const Model &model, const Data &data) {
  Vector errors;
  for (size_t row = 0; row < data.y.size(); ++row) {
    Vector features;
    for (const Vector &column : data.columns)
      features.push_back(column[row]);
    errors.push_back(dot(features, model.w) + model.b - data.y[row]);
  }
  return errors;
}

double meanSquare(const Vector &errors) {
  Vector squares;
  for (double error : errors)
    squares.push_back(error * error);
  return sumByLanes(squares) / static_cast<double>(errors.size());
}

// w <- w - lr * mean(error * x); the line sums by lanes (the last axis), the plane in chunks.
void step(Model &model, const Data &data, const Vector &errors, double lr) {
  const double n = static_cast<double>(errors.size());
  for (size_t k = 0; k < model.w.size(); ++k) {
    Vector terms;
    for (size_t row = 0; row < errors.size(); ++row)
      terms.push_back(errors[row] * data.columns[k][row]);
    const double sum = model.w.size() == 1 ? sumByLanes(terms) : sumInChunks(terms);
    model.w[k] = model.w[k] - lr * (sum / n);
  }
  model.b = model.b - lr * (sumByLanes(errors) / n);
}

// The derivative of 0.5 * mse; both uses of the error in its square contribute.
void descend(Model &model, const Data &data, const Vector &errors, double lr) {
  const double scale = 1.0 * 0.5 / static_cast<double>(errors.size());
  Vector gradient;
  for (double error : errors)
    gradient.push_back(scale * error + scale * error);
  for (size_t k = 0; k < model.w.size(); ++k) {
    Vector terms;
    for (size_t row = 0; row < errors.size(); ++row)
      terms.push_back(gradient[row] * data.columns[k][row]);
    const double d = model.w.size() == 1 ? sumByLanes(terms) : dot(data.columns[k], gradient);
    model.w[k] = model.w[k] - lr * d;
  }
  model.b = model.b - lr * sumByLanes(gradient);
}

void require(bool condition, const char *what, int epoch) {
  if (!condition) {
    std::fprintf(stderr, "%s differs after epoch %d\n", what, epoch);
    std::exit(1);
  }
}

bool sameBits(const void *native, double value) { return std::memcmp(native, &value, 8) == 0; }

alignas(64) unsigned char state[1024], first[200][1024], workspace[1 << 20];

const aprt_exec *serial() {
  static aprt_exec exec{};
  exec.size = sizeof exec;
  exec.workers = 1;
  exec.workspace_bytes = sizeof workspace;
  return &exec;
}

double lineEpoch(Block block, const Data &data, const Vector &x) {
  const int64_t n = static_cast<int64_t>(data.y.size());
  if (block == Block::Step) {
    line_step_out out = LINE_STEP_OUT_INIT;
    require(line_step(serial(), state, workspace, n, x.data(), data.y.data(), nullptr, &out) == 0,
            "status", 0);
    return out.mse;
  }
  line_descent_out out = LINE_DESCENT_OUT_INIT;
  require(line_descent(serial(), state, workspace, n, x.data(), data.y.data(), nullptr, &out) == 0,
          "status", 0);
  return out.loss;
}

double planeEpoch(Block block, const Data &data, const Vector &x) {
  const int64_t n = static_cast<int64_t>(data.y.size());
  if (block == Block::Step) {
    plane_step_out out = PLANE_STEP_OUT_INIT;
    require(plane_step(serial(), state, workspace, n, x.data(), data.y.data(), nullptr, &out) == 0,
            "status", 0);
    return out.mse;
  }
  plane_descent_out out = PLANE_DESCENT_OUT_INIT;
  require(plane_descent(serial(), state, workspace, n, x.data(), data.y.data(), nullptr, &out) == 0,
          "status", 0);
  return out.loss;
}

void compare(const char *name, Block block, const Data &data, double lr) {
  const bool isLine = data.columns.size() == 1;
  const size_t offsetOfB = isLine ? LINE_OFFSET_B : PLANE_OFFSET_B;
  const size_t stateBytes = isLine ? LINE_STATE_BYTES : PLANE_STATE_BYTES;
  const Vector x = data.rowMajor();
  for (int run = 0; run < 5; ++run) {
    require((isLine ? line_init(state, 1) : plane_init(state, 1)) == 0, "init", 0);
    Model model{Vector(data.columns.size(), 0.0)};
    for (int epoch = 1; epoch <= 200; ++epoch) {
      const double loss = isLine ? lineEpoch(block, data, x) : planeEpoch(block, data, x);
      const Vector errors = isLine ? errorsOfLine(model, data) : errorsOfPlane(model, data);
      const double mse = meanSquare(errors);
      if (block == Block::Step)
        step(model, data, errors, lr);
      else
        descend(model, data, errors, lr);
      require(sameBits(&loss, block == Block::Step ? mse : 0.5 * mse), "the loss", epoch);
      for (size_t k = 0; k < model.w.size(); ++k)
        require(sameBits(state + k * sizeof(double), model.w[k]), "w", epoch);
      require(sameBits(state + offsetOfB, model.b), "b", epoch);
      if (run == 0)
        std::memcpy(first[epoch - 1], state, stateBytes);
      require(std::memcmp(first[epoch - 1], state, stateBytes) == 0, "a later run", epoch);
    }
    if (run == 4)
      std::printf("%s: w[0] = %.17g, b = %.17g\n", name, model.w[0], model.b);
  }
}

// Uniform in [-1, 1).
double draw() {
  static uint64_t bits = 1;
  bits = bits * 6364136223846793005u + 1442695040888963407u;
  return static_cast<double>(bits >> 11) * 0x1p-52 - 1;
}

Data noisyRows() {
  Data data{std::vector<Vector>(3), {}};
  const double truth[] = {1.5, -2, 0.25};
  for (int row = 0; row < 1000; ++row) {
    double y = 0.75 + 0.1 * draw();
    for (size_t k = 0; k < 3; ++k) {
      data.columns[k].push_back(draw());
      y += truth[k] * data.columns[k].back();
    }
    data.y.push_back(y);
  }
  return data;
}

} // namespace

int main() {
  const Data five{{{1, 2, 3, 4, 5}}, {3, 5, 7, 9, 11}};
  const Data noisy = noisyRows();
  compare("five points, step", Block::Step, five, 0.1);
  compare("five points, descent", Block::Descent, five, 0.1);
  compare("noisy rows, step", Block::Step, noisy, 0.05);
  compare("noisy rows, descent", Block::Descent, noisy, 0.05);
  return 0;
}
