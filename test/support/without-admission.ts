import type { SSHServerManagerOptions } from "../../src/index.js";

/** For servers whose tests are about something else: one address may connect, and fail to log in, as often as it likes. */
export const withoutAdmission = {
  maxStartups: false,
  perSourceMaxStartups: false,
  perSourcePenalties: false,
  maxSessions: 65_536,
} as const satisfies Partial<SSHServerManagerOptions>;
