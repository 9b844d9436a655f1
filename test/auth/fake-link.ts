import { Authentication, type AuthenticationLink, type AuthenticationOptions } from "../../src/auth/authentication.js";
import type { Identity } from "../../src/auth/authenticator.js";
import { certificateAlgorithms } from "../../src/crypto/certificates/certificate-algorithms.js";
import { caSignatureAlgorithms, signatureAlgorithms } from "../../src/crypto/keys/signature-algorithms.js";
import type { PKey } from "../../src/crypto/pkey/pkey.js";
import { type Hooks, TestAuthenticator } from "./test-authenticator.js";

export const BINDING = { sessionId: Buffer.alloc(32, 7), hostKeyBlob: Buffer.from("the host key") };

/** An Authentication and what it needs of its connection: messages wait while it holds them, as in the transport. */
export class FakeLink {
  readonly authentication: Authentication;
  readonly authenticator: TestAuthenticator;
  /** What went to the client. */
  readonly sent: Buffer[] = [];
  readonly identities: Identity[] = [];
  readonly refusals: { username: string; method: string; reason: string; offeredKey?: PKey | undefined }[] = [];
  readonly hookFailures: { hook: string; error: unknown }[] = [];
  readonly failures: unknown[] = [];
  readonly #waiting: Buffer[] = [];
  #holds = 0;

  constructor(hooks: Hooks = {}, options: Partial<AuthenticationOptions> = {}) {
    this.authenticator = new TestAuthenticator(hooks);
    const link: AuthenticationLink = {
      binding: BINDING,
      remoteAddress: "192.0.2.1",
      send: (payload) => this.sent.push(Buffer.from(payload)),
      hold: () => this.#hold(),
      authenticated: (identity) => this.identities.push(identity),
      refused: (refusal) => this.refusals.push(refusal),
      hookFailed: (hook, error) => this.hookFailures.push({ hook, error }),
      failed: (error) => this.failures.push(error),
    };
    this.authentication = new Authentication(
      {
        maxAuthTries: 6,
        failureDelay: 0,
        publicKeyAlgorithms: [...certificateAlgorithms, ...signatureAlgorithms],
        caSignatureAlgorithms,
        ...options,
      },
      this.authenticator,
      link,
    );
  }

  /** Messages that came and were not handled yet. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Sends messages and returns what came back, once nothing but hooks is pending. */
  async send(...payloads: Buffer[]): Promise<Buffer[]> {
    this.#waiting.push(...payloads);
    this.#deliver();
    return this.next();
  }

  /** What came back since the last time, once nothing but hooks is pending. */
  async next(): Promise<Buffer[]> {
    await new Promise((resolve) => setImmediate(resolve));
    return this.sent.splice(0);
  }

  /** The client is gone. */
  abort(): void {
    this.authentication.end();
  }

  #hold(): () => void {
    let held = true;
    this.#holds++;
    return () => {
      if (!held) return;
      held = false;
      this.#holds--;
      this.#deliver();
    };
  }

  #deliver(): void {
    while (this.#holds === 0) {
      const payload = this.#waiting.shift();
      if (payload === undefined) return;
      try {
        this.authentication.receive(payload);
      } catch (error) {
        this.failures.push(error);
      }
    }
  }
}
