import { type CertificateOptions, isKnownCriticalOption, readTextOption } from "./certificate-options.js";
import { textOf } from "./certificate-text.js";
import type { CertificateFields, CertificateType } from "./read-certificate.js";

/** Seconds: a certificate without a last one. */
export const FOREVER = 2n ** 64n - 1n;
/** Milliseconds: the last moment that a Date can hold. */
const DATE_MAXIMUM = 8_640_000_000_000_000n;

/** The contents of an OpenSSH certificate (PROTOCOL.certkeys) beside the keys in it. */
export class CertificateContents {
  readonly #fields: CertificateFields;
  /**
   * The authority's own text for its logs, control characters and all. Bytes that are not UTF-8 stand as U+DC80 to
   * U+DCFF.
   */
  readonly keyId: string;

  /** @internal Certificates are read by `PKey`. */
  constructor(fields: CertificateFields) {
    this.#fields = fields;
    this.keyId = textOf(fields.keyId);
  }

  /** The authority's random bytes. */
  get nonce(): Buffer {
    return this.#fields.nonce;
  }

  /** The authority's number for it; 0 when it does not count. */
  get serial(): bigint {
    return this.#fields.serial;
  }

  /** What it certifies: a `user` or a `host`. */
  get type(): CertificateType {
    return this.#fields.type;
  }

  /** `keyId` as it stands in the certificate. */
  get keyIdBytes(): Buffer {
    return this.#fields.keyId;
  }

  /**
   * The users or hosts that it is for. An empty list is for nobody. A name that is not UTF-8 is a text that no name in
   * UTF-8 is equal to.
   */
  get validPrincipals(): readonly string[] {
    return this.#fields.validPrincipals;
  }

  /** The first second in which it is valid, since 1970. */
  get validAfter(): bigint {
    return this.#fields.validAfter;
  }

  /** The first second in which it is not valid any more, since 1970; 2⁶⁴ - 1 for ever. */
  get validBefore(): bigint {
    return this.#fields.validBefore;
  }

  /** `validAfter` as a Date, or the last possible Date; undefined when it has been valid from the start. */
  get validAfterDate(): Date | undefined {
    return this.validAfter === 0n ? undefined : dateOf(this.validAfter);
  }

  /** `validBefore` as a Date, or the last possible Date; undefined when it does not end. */
  get validBeforeDate(): Date | undefined {
    return this.validBefore === FOREVER ? undefined : dateOf(this.validBefore);
  }

  /** A certificate with an option that is not known must be refused: `unknownCriticalOptions`. */
  get criticalOptions(): CertificateOptions {
    return this.#fields.criticalOptions;
  }

  /** An extension that is not known means nothing. */
  get extensions(): CertificateOptions {
    return this.#fields.extensions;
  }

  /** Means nothing yet. */
  get reserved(): Buffer {
    return this.#fields.reserved;
  }

  /** The algorithm with which the authority has signed: `ssh-ed25519`, `rsa-sha2-512`, … */
  get signatureAlgorithm(): string {
    return this.#fields.signatureAlgorithm;
  }

  /** The one command that may run. */
  get forceCommand(): string | undefined {
    return this.#textOption("force-command");
  }

  /** Networks that its user may come from, as a comma-separated list of CIDR blocks. Not checked. */
  get sourceAddress(): string | undefined {
    return this.#textOption("source-address");
  }

  /** A security key must have verified its user. */
  get verifyRequired(): boolean {
    return this.criticalOptions.has("verify-required");
  }

  /** A security key need not have been touched, if the server agrees. */
  get noTouchRequired(): boolean {
    return this.extensions.has("no-touch-required");
  }

  /** Its user may use the client's display. */
  get permitX11Forwarding(): boolean {
    return this.extensions.has("permit-X11-forwarding");
  }

  /** Its user may use the client's agent. */
  get permitAgentForwarding(): boolean {
    return this.extensions.has("permit-agent-forwarding");
  }

  /** Its user may have connections forwarded. */
  get permitPortForwarding(): boolean {
    return this.extensions.has("permit-port-forwarding");
  }

  /** Its user may have terminals. */
  get permitPty(): boolean {
    return this.extensions.has("permit-pty");
  }

  /** Files of its user may be run at login: `~/.ssh/rc`. */
  get permitUserRc(): boolean {
    return this.extensions.has("permit-user-rc");
  }

  /** Names of the critical options that forbid its use. For hosts none is defined. */
  get unknownCriticalOptions(): readonly string[] {
    const names = [...this.criticalOptions.keys()];
    return this.type === "host" ? names : names.filter((name) => !isKnownCriticalOption(name));
  }

  #textOption(name: string): string | undefined {
    const data = this.criticalOptions.get(name);
    return data === undefined ? undefined : readTextOption(data, name);
  }
}

function dateOf(seconds: bigint): Date {
  const milliseconds = seconds * 1000n;
  return new Date(Number(milliseconds < DATE_MAXIMUM ? milliseconds : DATE_MAXIMUM));
}
