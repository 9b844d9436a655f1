import { onTestFinished } from "vitest";
import type { FileSystem } from "../../../src/files/file-system.js";
import { SFTPServer, type SFTPServerOptions } from "../../../src/sftp/server/sftp-server.js";
import { duplexPair } from "../../server/duplex-pair.js";
import { SFTPPacketClient } from "../../support/sftp-client.js";
import { init } from "../../support/sftp-packets.js";

export interface Warning {
  readonly fields: object;
  readonly message: string;
}

export interface TestSession {
  readonly client: SFTPPacketClient;
  readonly server: SFTPServer;
  /** What the server logged at warn: defects and broken protocol. */
  readonly warnings: readonly Warning[];
}

export interface TestSessionOptions extends Partial<Omit<SFTPServerOptions, "rootPath" | "logger">> {
  /** With hooks of its own. */
  readonly server?: typeof SFTPServer;
}

/** A session in memory, before INIT, for the length of the test. */
export function attachSession(fileSystem: FileSystem, options: TestSessionOptions = {}): TestSession {
  const { server: Server = SFTPServer, ...rest } = options;
  const [near, far] = duplexPair();
  const warnings: Warning[] = [];
  const logger = {
    debug: () => {},
    warn: (fields: object, message: string) => {
      warnings.push({ fields, message });
    },
  };
  const server = new Server(far, { fileSystem, logger, ...rest });
  onTestFinished(() => {
    near.destroy();
  });
  return { client: new SFTPPacketClient(near), server, warnings };
}

/** The same, with VERSION received. */
export async function startSession(fileSystem: FileSystem, options: TestSessionOptions = {}): Promise<TestSession> {
  const session = attachSession(fileSystem, options);
  session.client.send(init());
  await session.client.version();
  return session;
}
