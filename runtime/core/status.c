/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
#include "aprt.h"

const char *aprt_status_text(aprt_status status) {
  switch (status) {
  case APRT_OK:
    return "success";
  case APRT_NULL_ARGUMENT:
    return "a required pointer is null";
  case APRT_BAD_STRUCT_SIZE:
    return "a struct's size field does not match the model's header";
  case APRT_MISALIGNED:
    return "the state, workspace or gradient block is not aligned to 64 bytes";
  case APRT_BAD_DIMENSION:
    return "a dimension is negative, too large, or breaks a constraint of the model";
  case APRT_INDEX_OUT_OF_RANGE:
    return "an index input, such as a class label, is out of range";
  case APRT_WORKSPACE_TOO_SMALL:
    return "the workspace is smaller than the entry point needs";
  case APRT_UNSUPPORTED_CPU:
    return "the CPU lacks instructions that the model was compiled for";
  default:
    break;
  }
  return status >= APRT_FIRST_MODEL_STATUS ? "a status of the model; its own status text says which"
                                           : "unknown status";
}
