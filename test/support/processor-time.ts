/** Milliseconds of the processor's time that something takes: other programs do not make them more. */
export function processorTime(action: () => unknown): number {
  const start = process.cpuUsage();
  action();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}
