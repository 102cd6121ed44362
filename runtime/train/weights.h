// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/instance.h"
#include "runtime/train/safetensors.h"

#include <map>
#include <string>
#include <vector>

namespace apr::train {

/// SHA-256, in hexadecimal, over the whole logical state in table order: for each tensor its name,
/// a NUL byte, its type's name, a NUL byte, its rank and sizes as 64-bit little-endian numbers and
/// its row-major values with canonical NaNs. Padding between tensors does not count.
std::string stateHash(const Instance &instance);

/// The same over parameters and buffers alone, which are what a file of weights holds.
std::string weightHash(const Instance &instance);

/// The same over one tensor, and over the results of a call.
std::string tensorHash(const Instance &instance, const aprt_tensor &tensor);
std::string resultHash(const EntryCall &call);

/// The same over a tensor of a file, and over all tensors of a file in their order: that of
/// state.safetensors is the state's hash, that of weights.safetensors the weights'.
std::string tensorHash(const SafetensorsFile &file, const StoredTensor &tensor);
std::string fileHash(const SafetensorsFile &file);
/// What `fileHash` is of a file with these tensors.
std::string tensorsHash(const std::vector<TensorSource> &tensors);

/// The tensors of the whole state in table order, and what every file of weights says of its model:
/// name, source hash, compiler, semantics version. `state` is the instance's or a copy of one.
std::vector<TensorSource> stateTensors(const Model &model, const std::byte *state);
std::map<std::string, std::string> modelMetadata(const Model &model);

/// Whether a tensor belongs to a checkpoint and not to the model.
bool isCheckpointTensor(const std::string &name);

/// Writes parameters and buffers to a safetensors file; `metadata` is added to model name, source
/// hash, compiler and semantics version.
void saveWeights(const Instance &instance, const std::string &path,
                 const std::map<std::string, std::string> &metadata);

/// Writes the whole state in the same form: optimizer state, counters and seed too.
void saveState(const Instance &instance, const std::string &path,
               const std::map<std::string, std::string> &metadata);

/// Reads a file of weights, or of a whole state; f32 values are widened where the model's are f64,
/// as in a gradient check. Missing, mismatching and superfluous tensors are all listed in one
/// `Error` of kind Data, and then nothing is changed.
void loadWeights(Instance &instance, const std::string &path);

/// The parameters and buffers as JSON: {"model": …, "weights": {name: nested arrays}}, numbers with
/// the fewest digits that read back exactly.
std::string weightsJson(const Instance &instance);
/// The most elements that `weightsJson` is meant for.
constexpr std::size_t largestJsonElements = 1'000'000;
std::size_t weightElements(const Instance &instance);

} // namespace apr::train
