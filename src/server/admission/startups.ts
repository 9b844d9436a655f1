/** The option `maxStartups`: how many connections may be there without a login. */
export interface StartupLimits {
  /** Connections without a login from which on some are refused. */
  readonly start: number;
  /** Per cent of new connections that are refused then. */
  readonly rate: number;
  /** Connections without a login at which all are refused. */
  readonly full: number;
}

/**
 * Whether random early drop refuses one connection more: MaxStartups of sshd_config(5), in whole per cent as sshd has it.
 *
 * @param startups connections on which nobody has logged in, without the new one
 * @param draw a random integer from 0 to 99
 */
export function dropsStartup(startups: number, { start, rate, full }: StartupLimits, draw: () => number): boolean {
  if (startups < start) return false;
  if (startups >= full || rate === 100) return true;
  const probability = rate + Math.floor(((100 - rate) * (startups - start)) / (full - start));
  return draw() < probability;
}
