// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Our side of the benchmark: runs an entry of the model it is linked with as often as it is told.
//
//   worker --entry=NAME | --block=NAME  [--workers=N] [--dim=NAME=N]…
//
// Prints one line of JSON when it is warm. Then each line "N" on standard input makes N calls, and
// the answer is their time in seconds. `bench_model` is defined by the linker.
#include "runtime/train/error.h"
#include "runtime/train/instance.h"

#include <chrono>
#include <cstring>
#include <fmt/format.h>
#include <iostream>
#include <map>
#include <sys/resource.h>

extern "C" const aprt_model *bench_model();

namespace {

using namespace apr::train;

struct Options {
  std::string entry, block;
  std::uint32_t workers = 1;
  std::map<std::string, std::int64_t> dims;
};

Options parse(int count, char **arguments) {
  Options options;
  for (int i = 1; i < count; ++i) {
    const std::string_view text = arguments[i];
    const std::size_t equals = text.find('=');
    const std::string flag(text.substr(0, equals));
    const std::string value(equals == text.npos ? "" : text.substr(equals + 1));
    const std::size_t middle = value.find('=');
    if (flag == "--entry")
      options.entry = value;
    else if (flag == "--block")
      options.block = value;
    else if (flag == "--workers")
      options.workers = static_cast<std::uint32_t>(std::stoul(value));
    else if (flag == "--dim" && middle != value.npos)
      options.dims[value.substr(0, middle)] = std::stoll(value.substr(middle + 1));
    else
      throw Error(ErrorKind::Usage, {}, fmt::format("unknown argument '{}'", text));
  }
  return options;
}

const aprt_entry &entryOf(const Model &model, const Options &options) {
  if (!options.entry.empty())
    return model.entry(options.entry);
  return *model.blockEntry(model.block(options.block), APRT_STEP);
}

std::vector<std::int64_t> dimsOf(const aprt_entry &entry, const Options &options) {
  std::vector<std::int64_t> dims;
  for (std::uint32_t d = 0; d < entry.dim_count; ++d) {
    const auto found = options.dims.find(entry.dims[d]);
    if (found == options.dims.end())
      throw Error(ErrorKind::Usage, {}, fmt::format("--dim={}=N is missing", entry.dims[d]));
    dims.push_back(found->second);
  }
  return dims;
}

/// Numbers of both signs like those of standardised data; indices below their limit.
std::vector<std::vector<std::uint64_t>> dataOf(const EntryCall &call) {
  std::vector<std::vector<std::uint64_t>> blocks;
  std::uint64_t random = 1;
  for (std::uint32_t i = 0; i < call.entry().input_count; ++i) {
    const aprt_tensor &input = call.entry().inputs[i];
    std::size_t elements = 1;
    for (std::int64_t size : call.inputShape(i))
      elements *= static_cast<std::size_t>(size);
    auto &block = blocks.emplace_back(elements + 1);
    for (std::size_t e = 0; e < elements; ++e) {
      random = random * 6364136223846793005u + 1442695040888963407u;
      const std::uint64_t bits = random >> 33;
      const bool isIndex = input.dtype != APRT_F32 && input.dtype != APRT_F64;
      const double value =
          isIndex ? static_cast<double>(bits % static_cast<std::uint64_t>(
                                                   input.index_limit > 0 ? input.index_limit : 2))
                  : static_cast<double>(bits) / 1073741824.0 - 1.0;
      setElement(reinterpret_cast<std::byte *>(block.data()), input.dtype, e, value);
    }
  }
  return blocks;
}

/// Peak resident memory of this process so far, in bytes.
std::uint64_t peakMemory() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

int serve(const Options &options) {
  Instance instance(*bench_model(), options.workers);
  instance.initialise(1);
  const aprt_entry &entry = entryOf(instance.model(), options);
  EntryCall first(instance, entry);
  const std::vector<std::int64_t> dims = dimsOf(entry, options);
  first.setDims(dims);
  const auto data = dataOf(first);
  std::vector<const void *> inputs;
  for (const auto &block : data)
    inputs.push_back(block.data());
  first.run(inputs, 0); // throws where anything is wrong
  std::vector<AlignedBlock> resultBlocks;
  std::vector<void *> results;
  for (std::size_t i = 0; i < first.resultCount(); ++i)
    results.push_back(resultBlocks.emplace_back(first.result(i).elements * 8).data());
  // From here on as an application calls it, with everything prepared.
  const std::size_t bytes = entry.workspace(instance.workers(), dims.data());
  const aprt_exec exec = instance.exec(bytes, 0);
  aprt_call call{};
  call.size = sizeof call;
  call.exec = &exec;
  call.state = instance.state();
  call.workspace = instance.workspace(bytes);
  call.dims = dims.data();
  call.inputs = inputs.data();
  call.hyper = instance.hyperBlock();
  call.results = results.data();
  std::cout << fmt::format("{{\"state\": {}, \"workspace\": {}, \"memory\": {}}}",
                           instance.model().table().state_bytes, bytes, peakMemory())
            << std::endl;
  for (std::uint64_t calls = 0; std::cin >> calls;) {
    const auto begin = std::chrono::steady_clock::now();
    aprt_status status = APRT_OK;
    for (std::uint64_t i = 0; i < calls && status == APRT_OK; ++i)
      status = entry.call(&call);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    if (status != APRT_OK)
      throw Error(ErrorKind::Data, statusText(instance.model(), status));
    std::cout << fmt::format("{:.9f}", seconds.count()) << std::endl;
  }
  return 0;
}

} // namespace

int main(int count, char **arguments) {
  try {
    return serve(parse(count, arguments));
  } catch (const std::exception &error) {
    std::cerr << "bench: " << error.what() << '\n';
    return 1;
  }
}
