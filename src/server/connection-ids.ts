let next = 1;

/** An `id` for a connection that no other of this process has. */
export function takeConnectionId(): number {
  return next++;
}

/** For a process beside others: each begins where no other comes to. */
export function beginConnectionIds(first: number): void {
  next = first;
}
