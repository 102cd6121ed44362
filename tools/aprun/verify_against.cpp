// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/aprun/verify_against.h"

#include "tools/aprun/commands.h"
#include "tools/aprun/explanation.h"

#include <fmt/format.h>

#include <optional>

namespace apr::aprun {

int compareInLockstep(Session &session, const CommandLine &line, Rerun &rerun,
                      const Against &against, std::uint64_t steps) {
  const bool hasSource = !session.settings.model.ends_with(".o");
  if (!hasSource && against.kind != Against::Kind::Object)
    throw train::Error(train::ErrorKind::Usage, {session.settings.model},
                       "the run was made with an object; name the model's source by --model");
  train::Trainer &trainer = *rerun.trainer;
  std::optional<Meaning> meaning;
  if (hasSource)
    meaning = readMeaning({session.settings.model, session.settings.set, "native", ""});
  auto other =
      against.kind == Against::Kind::Interpreter
          ? interpreterSide(*meaning, trainer, rerun.loaded.data)
          : objectSide(loadModel(against.request), against.name, trainer, rerun.loaded.data);
  Lockstep lockstep(trainer, rerun.loaded.data, *other);
  other->initialise(session.settings.trainer.seed);
  if (!session.record->startHash.empty())
    for (const aprt_tensor &tensor : trainer.instance().model().tensors())
      other->setState(tensor.name, {trainer.instance().values(tensor), stateBytes(tensor)});
  lockstep.compareStart();
  RerunReport repeated;
  if (!lockstep.differs())
    repeated = repeatTraining(session, rerun, steps, &lockstep);
  const bool areDifferent = lockstep.differs() || !repeated.differences.empty();
  const Function *step =
      meaning ? meaning->module().findFunction(trainer.stepEntry().name) : nullptr;
  if (step && !lockstep.outputs().empty())
    Explanation(*meaning, *step, against, lockstep).run(requestOf(session, line));
  for (const std::string &text : lockstep.lines())
    fmt::print("{}\n", text);
  for (const std::string &text : repeated.differences)
    fmt::print("different: {}\n", text);
  fmt::print("{} against {}: identical through step {} of {}; to the record through step {}\n",
             session.folder, against.name, lockstep.steps(), session.record->steps, repeated.steps);
  if (areDifferent)
    return OtherBits;
  return repeated.isInterrupted ? Interrupted : Success;
}

} // namespace apr::aprun
