/** The levels of a log, the one that tells most first. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

/** From which level on lines are written. */
export type LogLevel = (typeof LOG_LEVELS)[number];
