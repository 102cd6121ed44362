// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/aprun/explanation.h"

#include "tools/aprun/locate_op.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace apr::aprun {

void Explanation::run(const ModelRequest &own) {
  judge();
  std::vector<CompiledSide> wrong;
  std::optional<Meaning> other;
  const std::size_t ops = function_.graph.ops().size();
  if (!areOursRight_)
    wrong.push_back({"this program", own, &meaning_, ops});
  const bool isOther = !areTheirsRight_ && against_.kind == Against::Kind::Compiled;
  std::optional<std::size_t> otherOp;
  if (isOther) {
    other = readMeaning(against_.request);
    otherOp = firstOtherOp(function_, *other->module().findFunction(function_.name));
    wrong.push_back({against_.name, against_.request, &*other, otherOp.value_or(ops)});
  }
  const auto located =
      wrong.empty() ? std::vector<std::string>{} : locateOp(meaning_, call_, wrong);
  lockstep_.add(located);
  if (!located.empty())
    return;
  if (otherOp)
    describeOtherOp(*other, *otherOp);
  narrow();
}

/// Compares both sides with the interpreter, output by output.
void Explanation::judge() {
  const auto results = interpretFunction(function_, call_.arguments, call_.dims);
  if (!results)
    throw train::Error(train::ErrorKind::Data,
                       fmt::format("the interpreter stopped: {}", results.error()));
  for (std::size_t i = 0; i < results->size(); ++i) {
    const auto output = std::find_if(
        lockstep_.outputs().begin(), lockstep_.outputs().end(), [&](const KeptOutput &kept) {
          return kept.role == function_.results[i].role && kept.name == function_.results[i].name;
        });
    if (output == lockstep_.outputs().end())
      continue;
    areOursRight_ = areOursRight_ && isSame(output->ours, (*results)[i].data);
    areTheirsRight_ = areTheirsRight_ && isSame(output->theirs, (*results)[i].data);
    (isSame(output->ours, output->theirs) ? equal_ : differing_).push_back(i);
  }
  if (against_.kind != Against::Kind::Interpreter)
    lockstep_.add({fmt::format("the interpreter agrees with {}", areOursRight_     ? "this program"
                                                                 : areTheirsRight_ ? against_.name
                                                                                   : "neither")});
}

/// A model of other ops can only be compared op by op as far as these are the same.
void Explanation::describeOtherOp(const Meaning &other, std::size_t index) {
  const auto described = [&](const Meaning &meaning, const Graph &graph) {
    return index < graph.ops().size() ? describeOp(meaning, graph, graph.ops()[index].result())
                                      : std::string("nothing");
  };
  const Graph &theirs = other.module().findFunction(function_.name)->graph;
  lockstep_.add(
      {fmt::format("first op that is another one: {}", described(meaning_, function_.graph)),
       fmt::format("in its place {} has: {}", against_.name, described(other, theirs))});
}

/// Without a look at the values between, the outputs have to tell.
void Explanation::narrow() {
  const Graph &graph = function_.graph;
  const auto order = [&](std::size_t result) {
    return graph.definitionIndex(graph.results[result]).value_or(0);
  };
  const auto earliest =
      std::min_element(differing_.begin(), differing_.end(),
                       [&](std::size_t a, std::size_t b) { return order(a) < order(b); });
  if (earliest == differing_.end())
    return;
  lockstep_.add({fmt::format("first op with a value that can be seen and differs: {}",
                             describeOp(meaning_, graph, graph.results[*earliest]))});
  const auto suspects = suspectOps(meaning_, function_, differing_, equal_);
  if (!suspects.empty())
    lockstep_.add({"the values between cannot be seen; all that differs depends on these ops:"});
  for (const std::string &suspect : suspects)
    lockstep_.add({"  " + suspect});
}

} // namespace apr::aprun
