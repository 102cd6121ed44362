// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Preloaded before a program, makes one of its file operations below a folder fail. Environment:
// FAULT_FOLDER, an absolute path; FAULT_AT, which operation, from 1 (0: none); FAULT_KIND: enospc or
// eio (once), full (ENOSPC from there on), eintr (once, where the operation may be interrupted) or
// short (a write takes half); FAULT_COUNT, a file that receives the number of operations at the end.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static long operations;

static const char *setting(const char *name) {
  const char *value = getenv(name);
  return value ? value : "";
}

static int isKind(const char *kind) { return strcmp(setting("FAULT_KIND"), kind) == 0; }

static int isBelow(const char *path) {
  const char *folder = setting("FAULT_FOLDER");
  char absolute[4096];
  if (path[0] != '/') {
    if (!getcwd(absolute, sizeof absolute - strlen(path) - 2))
      return 0;
    strcat(strcat(absolute, "/"), path);
    path = absolute;
  }
  return *folder && strncmp(path, folder, strlen(folder)) == 0;
}

static int isFileBelow(int descriptor) {
  char name[64];
  char path[4096];
  snprintf(name, sizeof name, "/proc/self/fd/%d", descriptor);
  const ssize_t size = readlink(name, path, sizeof path - 1);
  if (size < 0)
    return 0;
  path[size] = 0;
  return isBelow(path);
}

enum Fault { None, Fails, Short };

// Counts an operation and says what happens to it.
static enum Fault next(int canBeInterrupted, int canBeShort) {
  const long at = atol(setting("FAULT_AT"));
  ++operations;
  if (at == 0 || operations < at || (operations > at && !isKind("full")))
    return None;
  if (isKind("short"))
    return canBeShort ? Short : None;
  if (isKind("eintr") && !canBeInterrupted)
    return None;
  errno = isKind("eintr") ? EINTR : isKind("eio") ? EIO : ENOSPC;
  return Fails;
}

ssize_t write(int descriptor, const void *bytes, size_t size) {
  static ssize_t (*real)(int, const void *, size_t);
  if (!real)
    *(void **)&real = dlsym(RTLD_NEXT, "write");
  if (!isFileBelow(descriptor))
    return real(descriptor, bytes, size);
  const enum Fault fault = next(1, 1);
  if (fault == Fails)
    return -1;
  return real(descriptor, bytes, fault == Short && size > 1 ? size / 2 : size);
}

int fsync(int descriptor) {
  static int (*real)(int);
  if (!real)
    *(void **)&real = dlsym(RTLD_NEXT, "fsync");
  return isFileBelow(descriptor) && next(1, 0) == Fails ? -1 : real(descriptor);
}

int ftruncate(int descriptor, off_t size) {
  static int (*real)(int, off_t);
  if (!real)
    *(void **)&real = dlsym(RTLD_NEXT, "ftruncate");
  return isFileBelow(descriptor) && next(1, 0) == Fails ? -1 : real(descriptor, size);
}

int rename(const char *from, const char *to) {
  static int (*real)(const char *, const char *);
  if (!real)
    *(void **)&real = dlsym(RTLD_NEXT, "rename");
  return isBelow(to) && next(0, 0) == Fails ? -1 : real(from, to);
}

int open(const char *path, int flags, ...) {
  static int (*real)(const char *, int, mode_t);
  if (!real)
    *(void **)&real = dlsym(RTLD_NEXT, "open");
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  if ((flags & O_CREAT) && isBelow(path) && next(1, 0) == Fails)
    return -1;
  return real(path, flags, mode);
}

__attribute__((destructor)) static void report(void) {
  const char *path = setting("FAULT_COUNT");
  if (!*path)
    return;
  FILE *file = fopen(path, "w");
  if (file) {
    fprintf(file, "%ld\n", operations);
    fclose(file);
  }
}
