/** As syslog calls it. */
export type Severity = "err" | "info" | "debug";

/** Where lines go. */
export interface LineLog {
  write(severity: Severity, line: string): void;
  close(): void;
}
