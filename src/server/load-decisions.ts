import { setLoggerOf } from "../base/connection-logger.js";
import { messageOf } from "../base/is-error.js";
import type { Logger } from "../base/logger.js";
import type { AuthenticationOptions } from "./authentication-options.js";

/** `revokedKeys` is not one of them: it reads its file, and tells the log, as soon as it is made. */
const LOADABLE = ["publicKey", "password", "keyboardInteractive"] as const;

/**
 * Reads what declared decisions can read before the first login. A fault is a warning, and not the end of the start: the
 * file may still come, and others may log in without it.
 */
export async function loadDecisions(authentication: AuthenticationOptions, logger: Logger): Promise<void> {
  // Stands for the connection of a login, so that the lines of these files are in this server's log.
  const start = {};
  setLoggerOf(start, logger);
  for (const name of LOADABLE) {
    const decision = authentication[name];
    if (decision === undefined || !("load" in decision) || typeof decision.load !== "function") continue;
    try {
      await decision.load(start);
    } catch (error) {
      const reason = messageOf(error);
      logger.warn({ option: `authentication.${name}`, reason }, "a login would be refused");
    }
  }
}
