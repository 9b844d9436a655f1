#define _GNU_SOURCE
#include "entries.h"

#ifdef __linux__
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

static double milliseconds_of(clockid_t clock) {
  struct timespec time = {0, 0};
  clock_gettime(clock, &time);
  return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

/* How often this thread had to wait for something other than a processor. */
static long waits(void) {
  struct rusage usage = {0};
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nvcsw;
}

size_t entries_look(int descriptor, const char *names, size_t count, double *fields, double milliseconds) {
  double end = milliseconds_of(CLOCK_MONOTONIC) + milliseconds;
  double end_of_work = milliseconds_of(CLOCK_THREAD_CPUTIME_ID) + milliseconds;
  long waits_before = waits();
  for (size_t index = 0; index < count; index++) {
    struct statx entry;
    if (statx(descriptor, names, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_BASIC_STATS, &entry) != 0) memset(&entry, 0, sizeof entry);
    const double found[ENTRY_FIELDS] = {
        entry.stx_mode,
        entry.stx_nlink,
        entry.stx_uid,
        entry.stx_gid,
        (double)entry.stx_size,
        (double)entry.stx_atime.tv_sec,
        entry.stx_atime.tv_nsec,
        (double)entry.stx_mtime.tv_sec,
        entry.stx_mtime.tv_nsec,
    };
    memcpy(fields + index * ENTRY_FIELDS, found, sizeof found);
    names += strlen(names) + 1;
    if (milliseconds_of(CLOCK_MONOTONIC) < end) continue;
    if (waits() != waits_before || milliseconds_of(CLOCK_THREAD_CPUTIME_ID) >= end_of_work) return index;
  }
  return count;
}
#endif
