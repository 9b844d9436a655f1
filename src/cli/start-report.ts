/** What a person or a script needs to connect. */
export interface StartReport {
  readonly address: string;
  readonly port: number;
  readonly fingerprint: string;
  readonly user: string;
  /** What to run to see that it works; a shell when absent. */
  readonly trial?: string;
  /** Present when the server made one. */
  readonly password?: string;
}

/** The report as lines of text. */
export function formatStartReport(report: StartReport): string {
  const lines = [
    `Listening on ${isIpv6(report.address) ? `[${report.address}]` : report.address}:${report.port}`,
    `Host key:  ${report.fingerprint}`,
    `Connect:   ${sshCommand(report)}`,
  ];
  if (report.password !== undefined) lines.push(`Password:  ${report.password} (until the server stops)`);
  return `${lines.join("\n")}\n`;
}

/** The report as one line of JSON. */
export function formatStartReportAsJson(report: StartReport): string {
  const { address, port, fingerprint, user, password } = report;
  return `${JSON.stringify({ address, port, fingerprint, user, password, command: sshCommand(report) })}\n`;
}

function sshCommand({ address, port, user, trial }: StartReport): string {
  const host = address === "0.0.0.0" || address === "::" ? "localhost" : address;
  const words = ["ssh", "-p", String(port), quoteForShell(`${user}@${host}`)];
  if (trial !== undefined) words.push(trial);
  return words.join(" ");
}

function quoteForShell(word: string): string {
  return /^[\w.@:%+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

function isIpv6(address: string): boolean {
  return address.includes(":");
}
