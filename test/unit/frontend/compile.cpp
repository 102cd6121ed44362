// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/unit/frontend/compile.h"

#include "ir/text.h"
#include "ir/verifier.h"

#include <algorithm>
#include <gtest/gtest.h>

namespace apr::testing {

std::vector<Tensor> Compiled::run(const std::string &function, const std::vector<Tensor> &arguments,
                                  const DimBindings &dims) const {
  if (!module) {
    ADD_FAILURE() << messages;
    return {};
  }
  const Function *found = module->findFunction(function);
  if (!found) {
    ADD_FAILURE() << "no function " << function;
    return {};
  }
  Result<std::vector<Tensor>> results = interpretFunction(*found, arguments, dims);
  if (!results) {
    ADD_FAILURE() << results.error() << "\n" << print(*found);
    return {};
  }
  return *results;
}

Compiled compile(const std::string &text, const FrontendOptions &options) {
  Compiled compiled;
  SourceManager sources;
  Diagnostics diagnostics;
  FileId file = sources.add("test.apr", text);
  compiled.module = compileModel(sources, file, diagnostics, options);
  EXPECT_EQ(compiled.module.has_value(), !diagnostics.hasErrors());
  for (const Diagnostic &diagnostic : diagnostics.all()) {
    compiled.messages += renderText(diagnostic, sources, ColorMode::Plain);
    compiled.codes.emplace_back(diagnosticInfo(diagnostic.kind).code);
  }
  Diagnostics violations;
  if (compiled.module && !verify(*compiled.module, violations))
    for (const Diagnostic &violation : violations.all())
      ADD_FAILURE() << renderText(violation, sources, ColorMode::Plain) << text;
  return compiled;
}

namespace {

template <typename T>
Tensor tensorOf(DType dtype, std::vector<int64_t> shape, const std::vector<T> &values) {
  Tensor tensor = Tensor::zeros(dtype, std::move(shape));
  EXPECT_EQ(tensor.elements<T>().size(), values.size());
  std::copy(values.begin(), values.end(), tensor.elements<T>().begin());
  return tensor;
}

} // namespace

Tensor f32s(std::vector<int64_t> shape, std::vector<float> values) {
  return tensorOf(DType::F32, std::move(shape), values);
}
Tensor f64s(std::vector<int64_t> shape, std::vector<double> values) {
  return tensorOf(DType::F64, std::move(shape), values);
}
Tensor i32s(std::vector<int64_t> shape, std::vector<int32_t> values) {
  return tensorOf(DType::I32, std::move(shape), values);
}

Tensor evaluate(const std::string &entry, const std::vector<Tensor> &arguments) {
  Compiled compiled = compile("model M {\n  entry f" + entry + "\n}\n");
  std::vector<Tensor> results = compiled.run("f", arguments);
  return results.empty() ? Tensor() : results[0];
}

} // namespace apr::testing
