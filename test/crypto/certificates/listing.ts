import { execFileSync } from "node:child_process";
import type { PKey } from "../../../src/crypto/pkey/pkey.js";
import { Reader } from "../../../src/protocol/reader.js";

const SHORT_NAMES: Readonly<Record<string, string>> = {
  "ssh-ed25519": "ED25519",
  "ecdsa-sha2-nistp256": "ECDSA",
  "ecdsa-sha2-nistp384": "ECDSA",
  "ecdsa-sha2-nistp521": "ECDSA",
  "ssh-rsa": "RSA",
  "sk-ssh-ed25519@openssh.com": "ED25519-SK",
  "sk-ecdsa-sha2-nistp256@openssh.com": "ECDSA-SK",
};
const CRITICAL_TEXTS: readonly string[] = ["force-command", "source-address"];
const CRITICAL_FLAGS: readonly string[] = ["verify-required"];
const EXTENSIONS: readonly string[] = [
  "no-touch-required",
  "permit-X11-forwarding",
  "permit-agent-forwarding",
  "permit-port-forwarding",
  "permit-pty",
  "permit-user-rc",
];
const INDENT = "        ";

/** What `ssh-keygen -L` prints of the certificates in a file, without the file's name. Times are in UTC. */
export function listed(path: string): string {
  const text = execFileSync("ssh-keygen", ["-L", "-f", path], {
    encoding: "utf8",
    env: { ...process.env, TZ: "UTC", LC_ALL: "C.UTF-8" },
  });
  return text.slice(text.indexOf("\n") + 1);
}

/** The same, from what this library has read. */
export function listing(key: PKey): string {
  const { certificate } = key;
  if (certificate === undefined) throw new Error("this is no certificate");
  const { publicKey, signatureKey } = certificate;
  const lines = [
    `Type: ${key.keyType} ${certificate.type} certificate`,
    `Public key: ${SHORT_NAMES[publicKey.keyType]}-CERT ${key.fingerprint()}`,
    `Signing CA: ${SHORT_NAMES[signatureKey.keyType]} ${signatureKey.fingerprint()} (using ${certificate.signatureAlgorithm})`,
    `Key ID: "${certificate.keyId}"`,
    `Serial: ${certificate.serial}`,
    `Valid: ${validity(certificate.validAfterDate, certificate.validBeforeDate)}`,
    ...block("Principals", certificate.validPrincipals),
    ...block("Critical Options", optionLines(certificate.criticalOptions, CRITICAL_TEXTS, CRITICAL_FLAGS)),
    ...block("Extensions", optionLines(certificate.extensions, [], EXTENSIONS)),
  ];
  return `${lines.map((line) => `${INDENT}${line}`).join("\n")}\n`;
}

function validity(from: Date | undefined, to: Date | undefined): string {
  if (from === undefined && to === undefined) return "forever";
  if (to === undefined) return `after ${timeOf(from)}`;
  return from === undefined ? `before ${timeOf(to)}` : `from ${timeOf(from)} to ${timeOf(to)}`;
}

function timeOf(date: Date | undefined): string | undefined {
  return date
    ?.toISOString()
    .replace(/^\+0*/, "")
    .replace(/\.000Z$/, "");
}

function block(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [`${title}: (none)`] : [`${title}: `, ...lines.map((line) => `${INDENT}${line}`)];
}

function optionLines(
  options: ReadonlyMap<string, Buffer>,
  texts: readonly string[],
  flags: readonly string[],
): string[] {
  return Array.from(options, ([name, data]) => {
    if (texts.includes(name)) return `${name} ${new Reader(data).readText()}`;
    if (flags.includes(name)) return name;
    if (data.length === 0) return `${name} UNKNOWN FLAG OPTION`;
    return `${name} UNKNOWN OPTION: ${data.toString("hex")} (len ${data.length})`;
  });
}
