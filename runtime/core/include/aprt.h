/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The C ABI of compiled models: status codes, execution context and reflection table.
 *
 * The header that `aprc` generates for a model repeats the types below under the same guards, so an
 * application may include any number of generated headers, this one, or both. Every struct starts
 * with its own size in bytes and ends with reserved fields that must be zero. */
#ifndef APRT_H
#define APRT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef APRT_TYPES_1
#define APRT_TYPES_1

/* Status of an entry point. Anything but APRT_OK means that nothing was written. */
typedef int32_t aprt_status;
enum {
  APRT_OK = 0,
  APRT_NULL_ARGUMENT = 1,   /* a required pointer is null */
  APRT_BAD_STRUCT_SIZE = 2, /* a struct's size field does not match this header */
  APRT_MISALIGNED = 3,      /* state, workspace or gradient block is not 64-byte aligned */
  APRT_BAD_DIMENSION = 4,   /* a dimension is negative, too large, or breaks a model constraint */
  APRT_INDEX_OUT_OF_RANGE = 5,  /* an index input, a class label say, is outside its range */
  APRT_WORKSPACE_TOO_SMALL = 6, /* exec->workspace_bytes is less than the entry point needs */
  APRT_UNSUPPORTED_CPU = 7,     /* the CPU lacks instructions the object was compiled for */
  APRT_FIRST_MODEL_STATUS = 64  /* model-specific statuses start here */
};

/* A task: `block` counts from 0 to n - 1, `worker` is below the worker count of the context. */
typedef void (*aprt_task)(void *arg, int64_t block, uint32_t worker);

/* Execution context of a call. A null context, or a null par_for, runs serially; results have the
 * same bits for every context. */
typedef struct aprt_exec {
  uint32_t size;    /* sizeof(aprt_exec) */
  uint32_t workers; /* how many different `worker` values par_for passes, at least 1 */
  void *ctx;        /* handed to par_for */
  /* Calls fn(arg, block, worker) once for every block in [0, n), in any order and in parallel, and
   * returns when all calls have returned. */
  void (*par_for)(void *ctx, int64_t n, aprt_task fn, void *arg);
  uint64_t workspace_bytes; /* size of the workspace passed beside this context */
  int64_t row_offset;       /* index of this call's first row in the whole batch (random streams) */
  uint64_t reserved[4];
} aprt_exec;

/* Element types, in the numbering of the reflection table. */
enum {
  APRT_F32 = 0,
  APRT_F64 = 1,
  APRT_I32 = 2,
  APRT_I64 = 3,
  APRT_BOOL = 4, /* one byte, 0 or 1 */
  APRT_U8 = 5,
  APRT_BF16 = 6 /* the upper half of an f32, as uint16_t */
};

/* What a state tensor is for. */
enum {
  APRT_PARAMETER = 0, /* trained */
  APRT_BUFFER = 1,    /* kept, not trained */
  APRT_OPTIMIZER = 2, /* belongs to an optimizer */
  APRT_COUNTER = 3    /* the seed and the step counters */
};

enum { APRT_ENTRY = 0, APRT_INIT = 1, APRT_STEP = 2, APRT_GRAD = 3, APRT_APPLY = 4, APRT_EVAL = 5 };

/* How a result is aggregated over batches. */
enum {
  APRT_TENSOR = 0, /* a plain result of an entry */
  APRT_SCALAR = 1, /* one value for the call; calls average with their rows as weights */
  APRT_ROWS = 2,   /* one value per row of the batch; the report is their mean in row order */
  APRT_SUM = 3,    /* counts, of any shape; they add up */
  APRT_RATIO = 4   /* a sum and a count, [2]; both add up, and the report is their quotient */
};

/* One dimension of a tensor. variable >= 0: dimension variable of the entry; -1: `value`;
 * -2: computed from the variables, ask aprt_entry.shapes. */
typedef struct aprt_dim {
  int64_t value;
  int32_t variable;
  uint32_t reserved;
} aprt_dim;

typedef struct aprt_tensor {
  const char *name; /* dotted name, e.g. "fc1.weight" */
  const aprt_dim *dims;
  uint32_t rank;
  int32_t dtype;
  int32_t role;        /* state tensors: APRT_PARAMETER …; results: APRT_TENSOR … */
  int32_t consumed;    /* inputs: 1 where the entry may overwrite it (never today) */
  uint64_t offset;     /* byte offset in the state or gradient block; 0 for inputs and results */
  uint64_t bytes;      /* size in bytes where all dims are constant, else 0 */
  int64_t index_limit; /* inputs: values must lie in [0, index_limit); 0: not checked here */
  uint64_t reserved[1];
} aprt_tensor;

typedef struct aprt_hyper {
  const char *name; /* dotted name, e.g. "step.lr" */
  int32_t dtype;    /* APRT_F64 or APRT_I32 */
  uint32_t offset;  /* byte offset in the hyperparameter struct */
  double default_value;
  uint64_t reserved[2];
} aprt_hyper;

/* Arguments of one call of any entry point, for generic callers; typed functions fill one. */
typedef struct aprt_call {
  uint32_t size; /* sizeof(aprt_call) */
  uint32_t reserved0;
  const aprt_exec *exec;     /* may be null */
  void *state;               /* not written unless the entry is init, step or apply */
  void *workspace;           /* may be null where workspace(…) is 0 */
  const int64_t *dims;       /* values of the entry's dimension variables */
  const void *const *inputs; /* one pointer per input */
  const void *hyper;         /* the model's hyperparameter struct; null means defaults */
  void *gradients;           /* grad writes it, apply reads it */
  void *const *results;      /* one pointer per result */
  uint64_t reserved[4];
} aprt_call;

typedef struct aprt_entry {
  const char *name;     /* "step", "step.grad", "predict" … */
  int32_t kind;         /* APRT_ENTRY … */
  uint32_t train_block; /* index among the model's train blocks; 0xffffffff: none */
  uint32_t dim_count;
  uint32_t input_count;
  uint32_t result_count;
  uint32_t reserved0;
  const char *const *dims; /* names of the dimension variables, in argument order */
  const aprt_tensor *inputs;
  const aprt_tensor *results;
  aprt_status (*call)(const aprt_call *call);
  /* Workspace bytes for these dims and worker count; SIZE_MAX where dims are out of range. */
  size_t (*workspace)(uint32_t workers, const int64_t *dims);
  /* Writes the shapes of all inputs, then of all results, one int64_t per dimension; returns
   * APRT_BAD_DIMENSION where dims are out of range. */
  aprt_status (*shapes)(const int64_t *dims, int64_t *out);
  uint64_t reserved[4];
} aprt_entry;

/* Everything about one gradient block: the tensors a train block's grad hands to its apply. */
typedef struct aprt_train_block {
  const char *name;
  const aprt_tensor *gradients; /* offset is the offset in the gradient block */
  uint32_t gradient_count;
  uint32_t reserved0;
  uint64_t gradient_bytes;
  uint64_t reserved[2];
} aprt_train_block;

/* The reflection table: what generic runners, checkpoints and bindings need to know. */
typedef struct aprt_model {
  uint32_t size;        /* sizeof(aprt_model) */
  uint32_t abi_version; /* APRT_ABI_VERSION */
  uint32_t semantics_version;
  uint32_t tensor_count;
  const char *name;
  const char *compiler;    /* version of aprc */
  const char *target;      /* triple and CPU level */
  const char *source_hash; /* SHA-256 of the model source, hexadecimal */
  const char *manifest;    /* the JSON manifest, zero terminated */
  uint64_t state_bytes;
  uint64_t hyper_bytes;       /* size of the hyperparameter struct */
  const aprt_tensor *tensors; /* the state, in offset order */
  const aprt_hyper *hypers;
  const aprt_entry *entries;
  const aprt_train_block *train_blocks;
  uint32_t hyper_count;
  uint32_t entry_count;
  uint32_t train_block_count;
  uint32_t reserved0;
  const char *(*status_text)(aprt_status status);
  uint64_t reserved[4];
} aprt_model;

#define APRT_ABI_VERSION 1u

#endif /* APRT_TYPES_1 */

/* ---- libaprt: the optional support library ---- */

/* A pool of worker threads; the calling thread is worker 0. */
typedef struct aprt_pool aprt_pool;

/* Creates a pool of `workers` workers, 0 meaning one per CPU; null when threads or memory lack, or
 * for more than 1024. In a forked child the pool goes on with the calling thread alone. */
aprt_pool *aprt_pool_create(uint32_t workers);
void aprt_pool_destroy(aprt_pool *pool);
uint32_t aprt_pool_workers(const aprt_pool *pool);

/* An execution context that runs on the pool. It may be used by several threads at a time and from
 * within tasks: a par_for that finds the pool busy runs its blocks on its own thread. */
aprt_exec aprt_pool_exec(aprt_pool *pool, uint64_t workspace_bytes);

/* The text of a status that every model shares; model statuses have texts of their own. */
const char *aprt_status_text(aprt_status status);

#ifdef __cplusplus
}
#endif

#endif /* APRT_H */
