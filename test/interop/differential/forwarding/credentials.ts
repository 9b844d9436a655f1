import { PKey } from "../../../../src/crypto/index.js";
import { USER } from "../cases/login-case.js";

/** A key or a certificate to log in with, and what the files of a server say of it. */
export interface Credential {
  readonly title: string;
  readonly key: PKey;
  /** For authorized_keys; ports stand in it by their names. */
  readonly line?: string;
  /** For AuthorizedPrincipalsFile. Only the server that has such a file takes the certificate. */
  readonly principalLine?: string;
}

const FORWARDING_EXTENSIONS = ["permit-port-forwarding", "permit-agent-forwarding", "permit-X11-forwarding"];

/** The authority of TrustedUserCAKeys. */
export const TRUSTED = PKey.generate({ keyType: "ed25519" });

/** Options in front of a key; `{open}` and the like are ports. */
const LINES = [
  "",
  "no-port-forwarding",
  "no-agent-forwarding",
  "no-x11-forwarding",
  "restrict",
  "restrict,port-forwarding",
  "restrict,Agent-Forwarding",
  "restrict,X11-forwarding",
  "port-forwarding,restrict",
  'command="true"',

  'permitopen="127.0.0.1:{open}"',
  'permitopen="localhost:{open}",permitopen="[::1]:*"',
  'permitopen="*:{open}"',
  'permitopen="127.0.0.1:*",permitopen="127.0.0.1:{dead}"',
  'permitopen="LOCALHOST:*",permitopen="localhost.:{open}"',
  'permitopen="127.0.0.?:*"',
  'permitopen="*:*"',
  'permitopen="[::ffff:127.0.0.1]:{open}",permitopen="127.1:{open}"',
  'restrict,permitopen="127.0.0.1:{open}"',
  'restrict,port-forwarding,permitopen="localhost:{open}",permitlisten="localhost:{free}"',

  'permitlisten="{free}"',
  'permitlisten="localhost:{free}"',
  'permitlisten="127.0.0.1:*",permitlisten="[::1]:{free}"',
  'permitlisten="*:{free}",permitlisten="*:{low}"',
  'permitlisten="LOCALHOST:*"',
  'permitlisten="local*:*",permitlisten="127.0.0.?:{free}"',
  'permitlisten="[::]:*",permitlisten="0.0.0.0:*"',
  'permitlisten="*:*"',
  'restrict,permitlisten="*:*"',
  'no-port-forwarding,permitopen="*:*",permitlisten="*:*"',
  'permitopen="127.0.0.1:{open}",permitlisten="127.0.0.1:{free}",no-agent-forwarding',
] as const;

/** Extensions of a certificate of the authority that is trusted. */
const EXTENSIONS: readonly (readonly string[])[] = [
  [],
  ["permit-port-forwarding"],
  ["permit-agent-forwarding"],
  ["permit-X11-forwarding"],
  ["permit-x11-forwarding"],
  FORWARDING_EXTENSIONS,
  ["permit-pty", "permit-port-forwarding", "unknown@example.com"],
];

/** Options in front of an authority in authorized_keys, beside what its certificate allows. */
const AUTHORITY_LINES: readonly (readonly [options: string, extensions: readonly string[]])[] = [
  ["", FORWARDING_EXTENSIONS],
  ["", []],
  ["restrict", FORWARDING_EXTENSIONS],
  ["restrict,port-forwarding", FORWARDING_EXTENSIONS],
  ["restrict,port-forwarding", ["permit-agent-forwarding"]],
  ["no-port-forwarding", FORWARDING_EXTENSIONS],
  ['permitopen="127.0.0.1:{open}"', FORWARDING_EXTENSIONS],
  ['permitopen="*:*",permitlisten="localhost:{free}"', ["permit-port-forwarding"]],
  ['permitopen="*:*",permitlisten="*:*"', []],
];

const PRINCIPAL_LINES: readonly (readonly [options: string, extensions: readonly string[]])[] = [
  ["", FORWARDING_EXTENSIONS],
  ["no-port-forwarding", FORWARDING_EXTENSIONS],
  ["restrict,agent-forwarding", FORWARDING_EXTENSIONS],
  ['permitopen="127.0.0.1:{open}",permitlisten="{free}"', FORWARDING_EXTENSIONS],
  ['permitlisten="127.0.0.1:*"', ["permit-port-forwarding"]],
  ['permitopen="*:*"', []],
];

const newKey = () => PKey.generate({ keyType: "ed25519" });

function certificate(authority: PKey, extensions: readonly string[], principal = USER): PKey {
  const user = newKey();
  return user.withCertificate(
    authority.signCertificate({
      publicKey: user,
      type: "user",
      keyId: "test",
      principals: [principal],
      extensions: Object.fromEntries(extensions.map((name) => [name, ""])),
    }),
  );
}

/** Any server takes them. */
export const CREDENTIALS: readonly Credential[] = [
  ...LINES.map((options) => {
    const key = newKey();
    return { title: `a key, ${options || "no options"}`, key, line: `${options} ${key.toPublicString()}`.trimStart() };
  }),
  ...EXTENSIONS.map((extensions) => ({
    title: `a certificate, ${extensions.join(" ") || "no extensions"}`,
    key: certificate(TRUSTED, extensions),
  })),
  ...AUTHORITY_LINES.map(([options, extensions]) => {
    const authority = newKey();
    const before = ["cert-authority", ...(options === "" ? [] : [options])].join(",");
    return {
      title: `a certificate, ${extensions.join(" ") || "no extensions"}, of ${before}`,
      key: certificate(authority, extensions),
      line: `${before} ${authority.toPublicString()}`,
    };
  }),
];

export const CREDENTIALS_OF_PRINCIPALS: readonly Credential[] = PRINCIPAL_LINES.map(([options, extensions], index) => ({
  title: `a certificate, ${extensions.join(" ") || "no extensions"}, of a principal with ${options || "no options"}`,
  key: certificate(TRUSTED, extensions, `principal${index}`),
  principalLine: `${options} principal${index}`.trimStart(),
}));
