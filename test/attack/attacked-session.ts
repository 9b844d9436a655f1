import { expect } from "vitest";
import type { FileSystem } from "../../src/files/file-system.js";
import { MemoryFileSystem } from "../../src/files/memory/memory-file-system.js";
import { PacketType } from "../../src/sftp/codec/constants.js";
import { attachSession, startSession, type TestSession, type TestSessionOptions } from "../sftp/server/session.js";
import type { SFTPPacketClient } from "../support/sftp-client.js";
import { init, readData } from "../support/sftp-packets.js";

/** A session of SFTP that a test attacks, beside one on the same server that has done nothing wrong. */
export class AttackedSession {
  readonly client: SFTPPacketClient;
  readonly session: TestSession;
  readonly #bystander: TestSession;

  private constructor(session: TestSession, bystander: TestSession) {
    this.session = session;
    this.client = session.client;
    this.#bystander = bystander;
  }

  /** Before INIT. */
  static async attach(files: FileSystem, options: TestSessionOptions = {}): Promise<AttackedSession> {
    return new AttackedSession(
      attachSession(files, options),
      await startSession(MemoryFileSystem.from({ "/f": "ok" })),
    );
  }

  static async start(files: FileSystem, options: TestSessionOptions = {}): Promise<AttackedSession> {
    const attacked = await AttackedSession.attach(files, options);
    attacked.client.send(init());
    await attacked.client.version();
    return attacked;
  }

  /** The session goes on: it answers a request. */
  async expectAlive(): Promise<void> {
    expect((await this.client.ask(PacketType.REALPATH, "/")).type).toBe(PacketType.NAME);
    await this.expectOthersUnharmed();
  }

  /** The session ends, with all that it had open closed. */
  async expectEnd(): Promise<void> {
    await this.client.end();
    await this.session.server.closed;
    await this.expectOthersUnharmed();
  }

  async expectOthersUnharmed(): Promise<void> {
    const { client } = this.#bystander;
    const handle = await client.open("/f");
    expect(readData(await client.ask(PacketType.READ, handle, 0n, 10)).toString()).toBe("ok");
    await client.close(handle);
  }
}
