/** As syslog calls it. */
export type Severity = "err" | "info" | "debug";

/** A log that takes lines. */
export interface LineLog {
  write(severity: Severity, line: string): void;
  close(): void;
}
