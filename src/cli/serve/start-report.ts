import type { BoundAddress } from "../../index.js";
import { printableText } from "../printable-text.js";
import type { ForwardingChoice } from "./forwarding-options.js";
import { describeForwarding } from "./forwarding-report.js";

/** The facts that a person or a script needs to connect. */
export interface StartReport {
  readonly addresses: readonly BoundAddress[];
  /** The fingerprint of the host key, or the first of them. */
  readonly fingerprint: string;
  /** The fingerprints of the others. */
  readonly otherFingerprints?: readonly string[];
  readonly packetsSealedBy: string;
  /** Processes that serve, if there are several. */
  readonly workers?: number;
  /** One of the users who may log in. */
  readonly user: string;
  /** The folder of the disk that is served. */
  readonly folder?: {
    readonly path: string;
    readonly readOnly: boolean;
    /** Bytes. */
    readonly quota?: number;
    readonly atomicUploads?: boolean;
    readonly homes?: boolean;
    /** Folders in all homes. */
    readonly shared?: readonly { readonly path: string }[];
    /** The file that they are in. */
    readonly rules?: string;
  };
  readonly forwarding?: ForwardingChoice;
  /** The command that shows that it works; a shell when absent. */
  readonly trial?: string;
  /** Present when the server made one. */
  readonly password?: string;
}

/** The report as lines of text. */
export function formatStartReport(report: StartReport): string {
  const { addresses, fingerprint, otherFingerprints = [], folder, forwarding, password } = report;
  const lines = [`Listening on ${addresses.map(describeAddress).join(", ")}`];
  if (folder !== undefined) lines.push(`Serving:   ${describeFolder(folder)}`);
  for (const forwarded of forwarding ? describeForwarding(forwarding) : []) lines.push(`Forwards:  ${forwarded}`);
  for (const shown of [fingerprint, ...otherFingerprints]) lines.push(`Host key:  ${shown}`);
  lines.push(`Packets:   sealed by ${report.packetsSealedBy}`);
  if (report.workers !== undefined) lines.push(`Workers:   ${report.workers}`);
  lines.push(`Connect:   ${connectCommand(report)}`);
  if (report.trial !== undefined) lines.push(`Or:        ${sftpCommand(report)} (files in memory)`);
  if (password !== undefined) lines.push(`Password:  ${password} (until the server stops)`);
  return `${lines.join("\n")}\n`;
}

/** The report as one line of JSON. */
export function formatStartReportAsJson(report: StartReport): string {
  const { addresses, fingerprint, otherFingerprints = [], user, folder, forwarding, password, workers } = report;
  const command = connectCommand(report);
  const fingerprints = otherFingerprints.length === 0 ? undefined : [fingerprint, ...otherFingerprints];
  const hostKeys = { fingerprint, fingerprints };
  const others = { user, folder, forwarding, workers, password, command, packetsSealedBy: report.packetsSealedBy };
  // A single port stands for itself.
  const [first] = addresses;
  const more = addresses.length > 1 || !isPort(first) ? { addresses } : {};
  return `${JSON.stringify({ ...addresses.find(isPort), ...more, ...hostKeys, ...others })}\n`;
}

function describeFolder(folder: NonNullable<StartReport["folder"]>): string {
  const { path, readOnly, quota, atomicUploads, homes, shared = [], rules } = folder;
  const limits = [
    ...(homes ? ["a home for each user"] : []),
    ...shared.map((inHomes) => `${printableText(inHomes.path)} in all homes`),
    ...(readOnly ? ["read-only"] : []),
    ...(quota === undefined ? [] : [`at most ${formatSize(quota)}${homes ? " each" : ""}`]),
    ...(atomicUploads ? ["whole uploads only"] : []),
    ...(rules === undefined ? [] : [`rules of ${printableText(rules)}`]),
  ];
  const shownPath = printableText(path);
  return limits.length === 0 ? shownPath : `${shownPath} (${limits.join(", ")})`;
}

function formatSize(bytes: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  let [size, unit] = [bytes, 0];
  while (size > 0 && size % 1024 === 0 && unit < units.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${size} ${units[unit]}`;
}

function connectCommand(report: StartReport): string {
  const { user, folder, trial } = report;
  if (folder !== undefined) return sftpCommand(report);
  const { way, host } = wayTo(report.addresses, "-p");
  const words = ["ssh", ...way, quoteForShell(`${user}@${host}`)];
  if (trial !== undefined) words.push(trial);
  return words.join(" ");
}

function sftpCommand({ user, addresses }: StartReport): string {
  const { way, host } = wayTo(addresses, "-P");
  const target = `${user}@${isIpv6(host) ? `[${host}]` : host}`;
  return ["sftp", ...way, quoteForShell(target)].join(" ");
}

/** The options and the name by which a client comes to the first port, or else to a socket of the file system. */
function wayTo(addresses: readonly BoundAddress[], portOption: string) {
  const first = addresses.find(isPort);
  if (first === undefined) {
    const socket = addresses.find((address) => "path" in address);
    const proxy = `nc -U ${quoteForShell(socket?.path ?? "SOCKET")}`;
    return { way: ["-o", quoteForShell(`ProxyCommand=${proxy}`)], host: "localhost" };
  }
  const { address, port } = first;
  const host = address === "0.0.0.0" || address === "::" ? "localhost" : address;
  return { way: [portOption, String(port)], host };
}

function isPort(address: BoundAddress | undefined): address is Extract<BoundAddress, { readonly port: number }> {
  return address !== undefined && "port" in address;
}

function describeAddress(bound: BoundAddress): string {
  if ("path" in bound) return printableText(bound.path);
  if ("fd" in bound) return bound.name === undefined ? `file descriptor ${bound.fd}` : printableText(bound.name);
  const { address, port } = bound;
  return `${isIpv6(address) ? `[${address}]` : address}:${port}`;
}

function quoteForShell(word: string): string {
  return /^[\w.@:%+/-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

function isIpv6(address: string): boolean {
  return address.includes(":");
}
