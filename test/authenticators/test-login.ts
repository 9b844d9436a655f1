import { vi } from "vitest";
import { PKey } from "../../src/crypto/index.js";
import type { Logger } from "../../src/index.js";
import type { Connection } from "../../src/session/connection.js";
import { fakeConnection } from "../connection/fake-connection.js";

export function connectionFrom(remoteAddress: string | undefined): Connection {
  return fakeConnection({ remoteAddress });
}

export function newKey(): PKey {
  return PKey.generate({ keyType: "ed25519" });
}

/** What a client that signs with one of these keys names in its request. */
export const ALGORITHM = "ssh-ed25519";

/** A certificate of `authority` for a new key, as a client offers it. */
export function certificateOf(
  authority: PKey,
  principals: readonly string[],
  criticalOptions: Readonly<Record<string, string>> = {},
): PKey {
  const { publicKey } = newKey();
  return authority.signCertificate({ publicKey, type: "user", keyId: "test", principals, criticalOptions });
}

export interface LogLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
  readonly [field: string]: unknown;
}

/** A logger that keeps what it is told. */
export class LogRecord implements Logger {
  readonly lines: LogLine[] = [];
  readonly debug = this.#method("debug");
  readonly info = this.#method("info");
  readonly warn = this.#method("warn");
  readonly error = this.#method("error");

  #method(level: LogLine["level"]) {
    return (fields: object, message: string) => void this.lines.push({ ...fields, level, message });
  }
}

/** Runs `look` as if it were ten seconds later, when a file that was written now is at rest. */
export async function later(look: () => Promise<void>): Promise<void> {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 10_000 });
  try {
    await look();
  } finally {
    vi.useRealTimers();
  }
}
