/* Makes system calls on files in one folder fail, to be preloaded into a program.

   FAULT_FOLDER  only files below this folder are touched
   FAULT_CALL    open, write, fsync, rename, truncate, mkdir, unlink or flock
   FAULT_FIRST   the first call to fail, counted from 1
   FAULT_TIMES   how many calls fail in a row
   FAULT_ERRNO   the error number
   FAULT_HALF    if set, the first write writes half of its bytes, and only the next ones fail */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static long calls;

static long number(const char *name) {
    const char *value = getenv(name);
    return value ? atol(value) : 0;
}

/* Whether a path, taken from the folder of a descriptor if it is relative, is below the folder. */
static int below(int folder, const char *path) {
    char place[PATH_MAX] = "", link[64], whole[2 * PATH_MAX + 2];
    const char *wanted = getenv("FAULT_FOLDER");
    if (!wanted || !path)
        return 0;
    if (path[0] != '/') {
        ssize_t length;
        if (folder == AT_FDCWD)
            snprintf(link, sizeof link, "/proc/self/cwd");
        else
            snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
        length = readlink(link, place, sizeof place - 1);
        if (length < 0)
            return 0;
        place[length] = 0;
    }
    snprintf(whole, sizeof whole, "%s/%s", place, path);
    return strstr(whole, wanted) != NULL;
}

static int below_descriptor(int descriptor) {
    char link[64], place[PATH_MAX];
    ssize_t length;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    length = readlink(link, place, sizeof place - 1);
    if (length < 0)
        return 0;
    place[length] = 0;
    return below(AT_FDCWD, place);
}

/* Whether this call is one of those that fail; then errno is set. */
static int fails(const char *name, int touched) {
    const char *call = getenv("FAULT_CALL");
    long first = number("FAULT_FIRST"), count;
    if (!touched || !call || strcmp(call, name))
        return 0;
    count = __sync_add_and_fetch(&calls, 1);
    if (count < first || count >= first + number("FAULT_TIMES"))
        return 0;
    errno = (int)number("FAULT_ERRNO");
    return 1;
}

#define OPEN(name)                                                                                 \
    int name(const char *path, int flags, ...) {                                                   \
        mode_t mode;                                                                               \
        va_list rest;                                                                              \
        va_start(rest, flags);                                                                     \
        mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;                           \
        va_end(rest);                                                                              \
        return fails("open", below(AT_FDCWD, path)) ? -1 : REAL(name)(path, flags, mode);          \
    }
#define OPENAT(name)                                                                               \
    int name(int folder, const char *path, int flags, ...) {                                       \
        mode_t mode;                                                                               \
        va_list rest;                                                                              \
        va_start(rest, flags);                                                                     \
        mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;                           \
        va_end(rest);                                                                              \
        return fails("open", below(folder, path)) ? -1 : REAL(name)(folder, path, flags, mode);    \
    }
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

ssize_t write(int descriptor, const void *bytes, size_t size) {
    if (!fails("write", below_descriptor(descriptor)))
        return REAL(write)(descriptor, bytes, size);
    if (getenv("FAULT_HALF") && size > 1 && calls == number("FAULT_FIRST"))
        return REAL(write)(descriptor, bytes, size / 2);
    return -1;
}

#define PWRITE(name, offset_type)                                                                  \
    ssize_t name(int descriptor, const void *bytes, size_t size, offset_type offset) {             \
        return fails("write", below_descriptor(descriptor))                                        \
                   ? -1                                                                            \
                   : REAL(name)(descriptor, bytes, size, offset);                                  \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

#define ON_DESCRIPTOR(name, call)                                                                  \
    int name(int descriptor) {                                                                     \
        return fails(call, below_descriptor(descriptor)) ? -1 : REAL(name)(descriptor);            \
    }
ON_DESCRIPTOR(fsync, "fsync")
ON_DESCRIPTOR(fdatasync, "fsync")

int ftruncate(int descriptor, off_t size) {
    return fails("truncate", below_descriptor(descriptor)) ? -1 : REAL(ftruncate)(descriptor, size);
}
int ftruncate64(int descriptor, off64_t size) {
    return fails("truncate", below_descriptor(descriptor)) ? -1
                                                           : REAL(ftruncate64)(descriptor, size);
}
int flock(int descriptor, int operation);
int flock(int descriptor, int operation) {
    return fails("flock", below_descriptor(descriptor)) ? -1 : REAL(flock)(descriptor, operation);
}
int rename(const char *from, const char *to) {
    return fails("rename", below(AT_FDCWD, to)) ? -1 : REAL(rename)(from, to);
}
int renameat(int from_folder, const char *from, int to_folder, const char *to) {
    return fails("rename", below(to_folder, to)) ? -1
                                                 : REAL(renameat)(from_folder, from, to_folder, to);
}
int mkdir(const char *path, mode_t mode) {
    return fails("mkdir", below(AT_FDCWD, path)) ? -1 : REAL(mkdir)(path, mode);
}
int mkdirat(int folder, const char *path, mode_t mode) {
    return fails("mkdir", below(folder, path)) ? -1 : REAL(mkdirat)(folder, path, mode);
}
int unlink(const char *path) {
    return fails("unlink", below(AT_FDCWD, path)) ? -1 : REAL(unlink)(path);
}
int unlinkat(int folder, const char *path, int flags) {
    return fails("unlink", below(folder, path)) ? -1 : REAL(unlinkat)(folder, path, flags);
}
