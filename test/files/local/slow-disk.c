/*
 * In the place of the C library's statx: waits, or works, as long as the name of the entry says, as a disk that has to be asked and a
 * busy kernel do: "wait 5", "work 5", milliseconds.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static double cpu_milliseconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

int statx(int directory, const char *name, int flags, unsigned int mask, struct statx *entry) {
  int milliseconds;
  if (sscanf(name, "wait %d", &milliseconds) == 1) {
    nanosleep(&(struct timespec){.tv_nsec = milliseconds * 1000000L}, NULL);
  } else if (sscanf(name, "work %d", &milliseconds) == 1) {
    for (double end = cpu_milliseconds() + milliseconds; cpu_milliseconds() < end;) continue;
  }
  return (int)syscall(SYS_statx, directory, name, flags, mask, entry);
}
