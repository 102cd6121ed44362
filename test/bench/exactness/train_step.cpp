// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/bench/exactness/train_step.h"

#include "codegen/compile.h"
#include "ir/frontend/frontend.h"
#include "passes/pass_manager.h"
#include "passes/pipeline.h"

#include <cstdio>
#include <fstream>
#include <new>
#include <sstream>
#include <stdexcept>

namespace apr::bench {
namespace {

Module planned(const std::string &path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  SourceManager sources;
  Diagnostics diagnostics;
  auto module = compileModel(sources, sources.add(path, text.str()), diagnostics);
  const auto passes = makePipeline(OptimizationLevel::Default);
  if (!module ||
      !runPasses(*module, passes, makePassOptions(OptimizationLevel::Default), {}, diagnostics))
    throw std::runtime_error("cannot compile " + path);
  return std::move(*module);
}

double elements(const Type &type, const DimBindings &dims) {
  return static_cast<double>(elementCount(type.shape).evaluate(dims).value_or(0));
}

/// Adds what `graph` evaluates when it runs so often.
void addWork(Work &work, const Graph &graph, const DimBindings &dims, double times) {
  for (const Op &op : graph.ops()) {
    const Type &type = graph.type(op.result());
    if (op.kind == OpKind::Kernel)
      work.tasks += times;
    if (op.kind == OpKind::Scan)
      addWork(work, *op.region, dims,
              times * double(op.attributes.dims(AttrKey::Length)[0].evaluate(dims).value_or(0)));
    else if (op.region)
      addWork(work, *op.region, dims, times);
    if (type.dtype == DType::F32 || op.kind == OpKind::RandomBits)
      work.elements[op.kind] += times * elements(type, dims);
    if (op.kind == OpKind::Sum && type.dtype == DType::F32)
      work.summed += times * elements(graph.type(op.operands[0]), dims);
  }
}

template <typename T> void fill(void *block, size_t bytes, T (*value)(size_t)) {
  for (size_t i = 0; i < bytes / sizeof(T); ++i)
    static_cast<T *>(block)[i] = value(i);
}

void require(aprt_status status) {
  if (status != APRT_OK)
    throw std::runtime_error("a call was refused: " + std::to_string(status));
}

} // namespace

TrainStep::Block TrainStep::newBlock(size_t bytes) {
  Block block(std::aligned_alloc(64, (bytes / 64 + 1) * 64));
  if (!block)
    throw std::bad_alloc();
  return block;
}

TrainStep::TrainStep(const std::string &path, const std::string &cpu, const DimBindings &dims) {
  const Module module = planned(path);
  addWork(work_, module.findFunction("step")->graph, dims, 1);
  CompileOptions options;
  options.target.cpu = cpu;
  auto compiled = compileModule(module, options);
  if (!compiled)
    throw std::runtime_error(compiled.error());
  auto linked = linkObject(compiled->object, path);
  if (!linked)
    throw std::runtime_error(linked.error());
  object_ = std::move(*linked);
  prepare(object_->model(), dims);
}

void TrainStep::prepare(const aprt_model &model, const DimBindings &dims) {
  state_ = newBlock(model.state_bytes);
  for (uint32_t i = 0; i < model.entry_count; ++i) {
    const aprt_entry &entry = model.entries[i];
    if (entry.kind == APRT_STEP)
      step_ = &entry;
    if (entry.kind != APRT_INIT)
      continue;
    const Block workspace = newBlock(entry.workspace(1, nullptr));
    const int64_t seed = 1;
    const void *inputs[] = {&seed};
    aprt_call call{};
    call.size = sizeof(call);
    call.state = state_.get();
    call.workspace = workspace.get();
    call.inputs = inputs;
    require(entry.call(&call));
  }
  for (uint32_t i = 0; i < step_->dim_count; ++i)
    dims_.push_back(dims.at(step_->dims[i]));
  std::vector<int64_t> shapes(64);
  require(step_->shapes(dims_.data(), shapes.data()));
  size_t next = 0;
  for (uint32_t i = 0; i < step_->input_count; ++i) {
    const aprt_tensor &input = step_->inputs[i];
    size_t bytes = 4;
    for (uint32_t axis = 0; axis < input.rank; ++axis)
      bytes *= static_cast<size_t>(shapes[next++]);
    inputs_.push_back(newBlock(bytes));
    if (input.dtype == APRT_I32)
      fill<int32_t>(inputs_.back().get(), bytes, [](size_t k) { return int32_t(k * 7 % 10); });
    else
      fill<float>(inputs_.back().get(), bytes, [](size_t k) { return float(k * 7 % 17) / 16; });
    inputPointers_.push_back(inputs_.back().get());
  }
  resultPointers_.assign(step_->result_count, nullptr);
  workspace_ = newBlock(step_->workspace(1, dims_.data()));
}

void TrainStep::run() {
  aprt_call call{};
  call.size = sizeof(call);
  call.state = state_.get();
  call.workspace = workspace_.get();
  call.dims = dims_.data();
  call.inputs = inputPointers_.data();
  call.results = resultPointers_.data();
  require(step_->call(&call));
}

} // namespace apr::bench
