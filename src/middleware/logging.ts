import { loggedPath, loggedText } from "../base/logged-text.js";
import type { Session } from "../session/session.js";
import { tellOf } from "../session/session.js";
import type { Middleware } from "../session/session-handler.js";

/**
 * Logs each session at its start and at its end, at info level: kind and command, and then status, duration in seconds and
 * bytes. What clients have sent is escaped and cut. Without a logger the lines go to standard error.
 */
export function logging(): Middleware {
  return async function logging(session, next) {
    const tell = tellOf(session);
    const begun = performance.now();
    tell("a session has begun", asked(session));
    try {
      await next();
    } finally {
      const seconds = Math.round(performance.now() - begun) / 1000;
      tell("a session has ended", { ...asked(session), ...session.outcome, seconds, ...bytes(session) });
    }
  };
}

function asked({ command, subsystem, originalCommand }: Session): object {
  return {
    ...(command !== undefined && { command: loggedPath(command) }),
    ...(subsystem !== undefined && { subsystem: loggedText(subsystem) }),
    ...(originalCommand !== undefined && { originalCommand: loggedPath(originalCommand) }),
  };
}

function bytes({ channel }: Session): object {
  const { bytesReceived, bytesSent } = channel;
  return { bytesReceived, bytesSent };
}
