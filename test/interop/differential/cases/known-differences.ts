import type { SshdVersion } from "../../../support/sshd-oracle.js";
import type { LoginCase } from "./login-case.js";

/** Where sshd lets in and we do not, and mean it. There is nothing the other way round. */
export interface KnownDifference {
  readonly reason: string;
  /** By default all of them let in. */
  readonly versions?: readonly SshdVersion[];
  /** Whether it can be why a login is refused. */
  applies(login: LoginCase): boolean;
}

export const KNOWN_DIFFERENCES: readonly KnownDifference[] = [
  {
    reason: "RSA keys of less than 2048 bits prove nothing, and certify nothing",
    applies: ({ key, certificate }) => key === "rsa1024" || certificate?.authority === "ca-rsa1024",
  },
  {
    reason: "a certificate that names nobody is for nobody, and not for all who list its authority",
    applies: ({ certificate, trust }) =>
      certificate?.options.includes("-n") === false && !/principals=/.test(trust.authorizedKeys ?? ""),
  },
  {
    reason: "an ECDSA key is not taken under the name of another curve's algorithm",
    versions: ["sshd10"],
    applies: ({ key, algorithm = "" }) =>
      key.startsWith("ecdsa") && algorithm.startsWith("ecdsa-") && !algorithm.endsWith(key.slice("ecdsa".length)),
  },
  {
    reason: "who is denied by an IPv4 address that is written as one of IPv6 is denied",
    applies: ({ trust }) => /from="[^"]*!::ffff:/.test(trust.authorizedKeys ?? ""),
  },
];
