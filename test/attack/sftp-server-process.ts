import { PKey } from "../../src/crypto/index.js";
import type { FileHandle, FileSystem } from "../../src/files/file-system.js";
import { type Channel, SSHServer, SSHServerManager } from "../../src/index.js";
import { AUTH_FAILED, AUTH_SUCCESSFUL, OPEN_SUCCEEDED } from "../../src/protocol/constants.js";
import { SFTPServer } from "../../src/sftp/server/sftp-server.js";
import { withoutAdmission } from "../support/without-admission.js";
import { memoryInUse } from "./memory.js";

// A server in a process of its own, whose memory is its own. `/stuck` is a file whose writes never end. It tells its port,
// and answers each message with what it holds.

export interface Measurement {
  /** Bytes. */
  readonly inUse: number;
  readonly connections: number;
}

const attributes = { type: "file", size: 1e9, permissions: 0o644, accessTime: 0, modifyTime: 0 } as const;

const files: FileSystem = {
  lstat: () => attributes,
  open(path): FileHandle {
    return {
      read: (buffer) => buffer.length,
      write: () => (path === "/stuck" ? new Promise<void>(() => {}) : undefined),
    };
  },
};

class Server extends SSHServer {
  override checkAuthPassword(_username: string, password: string) {
    return password === "secret" ? AUTH_SUCCESSFUL : AUTH_FAILED;
  }

  override getAllowedAuths(): string[] {
    return ["password"];
  }

  override checkChannelRequest() {
    return OPEN_SUCCEEDED;
  }

  override checkChannelSubsystemRequest(channel: Channel): boolean {
    new SFTPServer(channel, { fileSystem: files });
    return true;
  }
}

const manager = new SSHServerManager({
  serverInterface: new Server(),
  serverKey: PKey.generate({ keyType: "ed25519" }),
  bindAddress: "127.0.0.1",
  port: 0,
  logger: false,
  ...withoutAdmission,
});
await manager.startServer();
process.send?.(manager.port);

process.on("message", () => {
  const measurement: Measurement = { inUse: memoryInUse(), connections: manager.getConnectionCount() };
  process.send?.(measurement);
});
process.on("disconnect", () => process.exit());
