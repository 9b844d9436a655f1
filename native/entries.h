/* What the entries of a directory are. */
#ifndef SPINDLEX_ENTRIES_H
#define SPINDLEX_ENTRIES_H

#include <stddef.h>

/* Numbers of each entry: mode, links, user, group, size, and for access and change of content seconds and nanoseconds. */
#define ENTRY_FIELDS 9

/*
 * Looks at entries of the directory that `descriptor` holds, one after the other; no link is followed. The mode of one that cannot
 * be looked at is 0. Stops at the one with which `milliseconds` have gone by, be it the last: as work, or by the clock with a wait for
 * the disk. Where others had the processor meanwhile, stopping would help nobody.
 *
 * names: `count` of them, each with a NUL behind it
 * fields: room for ENTRY_FIELDS numbers of each
 * returns at how many it has looked before it stopped
 */
size_t entries_look(int descriptor, const char *names, size_t count, double *fields, double milliseconds);

#endif
