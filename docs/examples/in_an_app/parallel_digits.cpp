// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Data-parallel training inside a C++ program: the gradients of the four parts of a batch, which
// the model declares by `shards 4`, are computed at the same time from one state, added by the
// binary tree, and applied.
//
//   aprc parallel_digits.apr -o parallel_digits.o
//   c++ -std=c++20 parallel_digits.cpp parallel_digits.o -laprt -pthread -o parallel_digits
//   ./parallel_digits ../data/digits.csv 4
//
// The weights do not depend on the number of workers, and are those of the model's own step on
// whole batches, which 0 workers stand for; the program prints their hash.
#include "parallel_digits.h"
#include "digits_data.h"

#include <aprt.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

namespace {

constexpr int64_t kParts = 4, kRowsPerPart = 16, kBatch = kParts * kRowsPerPart;

struct Free {
  void operator()(void *block) const { std::free(block); }
};
using Block = std::unique_ptr<void, Free>;

Block newBlock(size_t bytes) {
  const size_t rounded = (bytes / PARALLEL_DIGITS_ALIGNMENT + 1) * PARALLEL_DIGITS_ALIGNMENT;
  void *block = std::aligned_alloc(PARALLEL_DIGITS_ALIGNMENT, rounded);
  if (!block)
    throw std::bad_alloc();
  return Block(block);
}

// One part of a batch: the memory that its gradient computation may use.
struct Part {
  Block workspace = newBlock(parallel_digits_grad_workspace_bytes(1, kBatch));
  Block gradients = newBlock(parallel_digits_gradients_bytes());
  parallel_digits_grad_out out = PARALLEL_DIGITS_GRAD_OUT_INIT;
  aprt_status status = APRT_OK;
};

struct Batch {
  const void *state;
  const float *x;
  const int32_t *y;
  std::vector<Part> parts = std::vector<Part>(kParts);
};

// A task of the pool. The state is only read, so any number of them may run at a time. The call
// names the rows of the whole batch and gets those of the part; the row offset makes random draws,
// where a model has any, those of the whole batch.
void computeGradients(void *arg, int64_t index, uint32_t) {
  Batch &batch = *static_cast<Batch *>(arg);
  Part &part = batch.parts[index];
  const int64_t row = index * kRowsPerPart;
  aprt_exec exec{};
  exec.size = sizeof exec;
  exec.workers = 1;
  exec.workspace_bytes = parallel_digits_grad_workspace_bytes(1, kBatch);
  exec.row_offset = row;
  part.status =
      parallel_digits_grad(&exec, batch.state, part.workspace.get(), kBatch, batch.x + row * 64,
                           batch.y + row, nullptr, part.gradients.get(), &part.out);
}

// What the parts give adds up. The reflection table says where the gradients lie.
void addGradients(Part &to, Part &from) {
  const aprt_train_block &block = parallel_digits_model()->train_blocks[0];
  for (uint32_t i = 0; i < block.gradient_count; ++i) {
    const aprt_tensor &tensor = block.gradients[i];
    auto values = [&](Part &part) {
      return reinterpret_cast<float *>(static_cast<char *>(part.gradients.get()) + tensor.offset);
    };
    for (uint64_t e = 0; e < tensor.bytes / sizeof(float); ++e)
      values(to)[e] += values(from)[e];
  }
}

aprt_status stepByParts(const aprt_exec &exec, Batch &batch, void *state, void *workspace) {
  exec.par_for(exec.ctx, kParts, computeGradients, &batch);
  for (const Part &part : batch.parts)
    if (part.status != APRT_OK)
      return part.status;
  // The binary tree: (0 + 1) + (2 + 3).
  addGradients(batch.parts[0], batch.parts[1]);
  addGradients(batch.parts[2], batch.parts[3]);
  addGradients(batch.parts[0], batch.parts[2]);
  return parallel_digits_apply(&exec, state, workspace, batch.parts[0].gradients.get(), nullptr);
}

aprt_status stepAtOnce(const aprt_exec &exec, const Batch &batch, void *state, void *workspace) {
  parallel_digits_step_out out = PARALLEL_DIGITS_STEP_OUT_INIT;
  return parallel_digits_step(&exec, state, workspace, kBatch, batch.x, batch.y, nullptr, &out);
}

uint64_t hash(const void *bytes, size_t size) {
  uint64_t hash = 0xcbf29ce484222325;
  for (size_t i = 0; i < size; ++i)
    hash = (hash ^ static_cast<const unsigned char *>(bytes)[i]) * 0x100000001b3;
  return hash;
}

int report(aprt_status status) {
  std::fprintf(stderr, "parallel_digits: %s\n", parallel_digits_status_text(status));
  return 1;
}

enum class Steps { ByParts, AtOnce };

int run(const DigitsRows &train, const DigitsRows &validation, aprt_pool *pool, Steps steps) {
  const int64_t rows = std::max<int64_t>(validation.count, kBatch);
  const size_t bytes = parallel_digits_workspace_bytes(aprt_pool_workers(pool), rows);
  const aprt_exec exec = aprt_pool_exec(pool, bytes);
  const Block workspace = newBlock(bytes);
  const Block state = newBlock(parallel_digits_state_bytes());
  if (aprt_status status = parallel_digits_init(state.get(), 1); status != APRT_OK)
    return report(status);

  Batch batch;
  batch.state = state.get();
  for (int epoch = 1; epoch <= 50; ++epoch) {
    for (int64_t row = 0; row + kBatch <= train.count; row += kBatch) {
      batch.x = train.x[row];
      batch.y = &train.y[row];
      const aprt_status status = steps == Steps::ByParts
                                     ? stepByParts(exec, batch, state.get(), workspace.get())
                                     : stepAtOnce(exec, batch, state.get(), workspace.get());
      if (status != APRT_OK)
        return report(status);
    }
  }

  std::vector<float> probabilities(validation.count * 10);
  if (aprt_status status =
          parallel_digits_predict(&exec, state.get(), workspace.get(), validation.count,
                                  validation.x[0], probabilities.data());
      status != APRT_OK)
    return report(status);
  std::printf(
      "validation accuracy %.4f, state %016llx\n",
      digits_accuracy(&validation, reinterpret_cast<const float(*)[10]>(probabilities.data())),
      static_cast<unsigned long long>(hash(state.get(), parallel_digits_state_bytes())));
  return 0;
}

} // namespace

int main(int argc, char **argv) {
  const auto train = std::make_unique<DigitsRows>(), validation = std::make_unique<DigitsRows>();
  if (argc != 3 || !digits_read(argv[1], train.get(), validation.get())) {
    std::fprintf(stderr, "usage: parallel_digits digits.csv <workers>\n");
    return 2;
  }
  const auto workers = static_cast<uint32_t>(std::atoi(argv[2]));
  const std::unique_ptr<aprt_pool, void (*)(aprt_pool *)> pool(
      aprt_pool_create(std::max(workers, 1u)), aprt_pool_destroy);
  if (!pool) {
    std::fprintf(stderr, "parallel_digits: cannot start %s workers\n", argv[2]);
    return 1;
  }
  return run(*train, *validation, pool.get(), workers == 0 ? Steps::AtOnce : Steps::ByParts);
}
