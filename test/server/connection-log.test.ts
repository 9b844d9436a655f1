import { describe, expect, it } from "vitest";
import { PKey } from "../../src/crypto/index.js";
import { authorizedKeys, type Channel, passwordFile, revokedKeys, SFTPServer, SSHServer } from "../../src/index.js";
import { MessageNumber } from "../../src/protocol/constants.js";
import { Writer } from "../../src/protocol/writer.js";
import { MemoryFileSystem } from "../../src/sftp/index.js";
import { LogRecord } from "../authenticators/test-login.js";
import { PacketClient } from "../support/packet-client.js";
import { channelData, channelOpen, channelRequest, globalRequest, publickeyQuery } from "../support/packet-messages.js";
import { login, PASSWORD, startManager, TestServer, USERNAME } from "./test-server.js";

const text = (value: string) => new Writer().writeString(value).toBuffer();
const warnings = ({ lines }: LogRecord) => lines.filter(({ level }) => level === "warn" || level === "error");

/** Asks for something and waits for the refusal. */
async function refused(client: PacketClient, request: Buffer): Promise<void> {
  const { CHANNEL_FAILURE, CHANNEL_OPEN_FAILURE, REQUEST_FAILURE } = MessageNumber;
  client.sendPacket(request);
  const [answer] = await client.nextPacket();
  expect([CHANNEL_FAILURE, CHANNEL_OPEN_FAILURE, REQUEST_FAILURE]).toContain(answer);
}

describe("the log of a connection", () => {
  it("warns of what nothing allows, once for each kind", async () => {
    const logger = new LogRecord();
    const manager = await startManager({ logger });
    const client = await login(manager);
    const { id } = await client.openSession();
    for (let times = 0; times < 3; times++) {
      await refused(client, channelRequest(id, "subsystem", "want-reply", text("sftp")));
      await refused(client, globalRequest("odd\n", "want-reply"));
      await refused(client, channelOpen({ kind: "odd" }));
    }
    expect(warnings(logger)).toMatchObject([
      {
        message: "a request was refused",
        username: USERNAME,
        request: "subsystem",
        reason: "channel request subsystem: nothing allows it",
        remedy: "declare sftp or session, or override checkChannelSubsystemRequest",
      },
      { reason: "global request of another kind: nothing allows it", request: "odd\\u{a}" },
      { reason: "another type of channel: nothing allows it", remedy: "override checkChannelRequest" },
    ]);
  });

  it("warns of it once a minute for all connections, and has the others at info", async () => {
    const logger = new LogRecord();
    const manager = await startManager({ logger });
    for (let connections = 0; connections < 3; connections++) {
      const client = await login(manager);
      const { id } = await client.openSession();
      await refused(client, channelRequest(id, "shell", "want-reply"));
    }
    const lines = logger.lines.filter(({ message }) => message === "a request was refused");
    expect(lines.map(({ level }) => level)).toEqual(["warn", "info", "info"]);
  });

  it("does not warn of a refusal by a hook", async () => {
    class Refusing extends TestServer {
      override checkChannelShellRequest(): boolean {
        return false;
      }
    }
    const logger = new LogRecord();
    const manager = await startManager({ logger, serverInterface: new Refusing() });
    const client = await login(manager);
    const { id } = await client.openSession();
    await refused(client, channelRequest(id, "shell", "want-reply"));
    expect(warnings(logger)).toEqual([]);
    expect(logger.lines).toContainEqual(
      expect.objectContaining({ level: "info", reason: "channel request shell: refused" }),
    );
  });

  it.each([
    ["throws", () => Promise.reject(new Error("no database")), "no database"],
    ["gives no answer", () => undefined, "the answer of checkAuthPassword has to be"],
  ])("has an error with its stack where a hook %s", async (_, checkAuthPassword, message) => {
    const logger = new LogRecord();
    const serverInterface = new TestServer();
    serverInterface.checkAuthPassword = checkAuthPassword as never;
    const manager = await startManager({ logger, serverInterface });
    await expect(login(manager)).rejects.toThrow();
    const [failed] = warnings(logger);
    expect(failed).toMatchObject({ level: "error", message: "a hook has failed", hook: "checkAuthPassword" });
    expect(failed?.err).toMatchObject({
      message: expect.stringContaining(message),
      stack: expect.stringMatching(/\n +at /),
    });
  });

  it("is that of file servers and of authenticators that were given no logger", async () => {
    class Files extends SSHServer {
      override checkChannelSubsystemRequest(channel: Channel): boolean {
        new SFTPServer(channel, { fileSystem: MemoryFileSystem.from({}) });
        return true;
      }
    }
    const logger = new LogRecord();
    const authentication = {
      publicKey: authorizedKeys(() => "not a key"),
      password: passwordFile(() => "not a hash"),
      revokedKeys: revokedKeys(() => {
        throw new Error("no list");
      }),
    };
    const manager = await startManager({ logger, serverInterface: new Files({ authentication }) });
    const client = await PacketClient.authenticating(manager.port);
    const { publicBlob } = PKey.generate({ keyType: "ed25519" });
    await client.authenticate(publickeyQuery({ username: USERNAME, algorithm: "ssh-ed25519", publicBlob }));
    await client.authPassword(USERNAME, PASSWORD);
    expect(warnings(logger)).toMatchObject([
      { message: "a key is refused because its revocation could not be checked", connection: expect.any(Number) },
      { message: "user refused", connection: expect.any(Number) },
    ]);
  });

  it("is that of a file server whose client breaks the protocol", async () => {
    class Files extends TestServer {
      override checkChannelSubsystemRequest(channel: Channel): boolean {
        new SFTPServer(channel, { fileSystem: MemoryFileSystem.from({}) });
        return true;
      }
    }
    const logger = new LogRecord();
    const manager = await startManager({ logger, serverInterface: new Files() });
    const client = await login(manager);
    const { id } = await client.openSession();
    client.sendPacket(channelRequest(id, "subsystem", "want-reply", text("sftp")));
    await client.expect(MessageNumber.CHANNEL_SUCCESS);
    client.sendPacket(channelData(id, Buffer.alloc(100, 0xff)));
    await client.expect(MessageNumber.CHANNEL_CLOSE, {
      skip: [MessageNumber.CHANNEL_WINDOW_ADJUST, MessageNumber.CHANNEL_REQUEST, MessageNumber.CHANNEL_EOF],
    });
    expect(warnings(logger)).toMatchObject([{ message: "the client has broken the protocol", username: USERNAME }]);
  });
});

describe("a server to which nobody can log in", () => {
  it("warns when it starts, and not again", async () => {
    const logger = new LogRecord();
    const manager = await startManager({ logger, serverInterface: new SSHServer() });
    await manager.stopServer();
    await manager.startServer();
    expect(warnings(logger)).toEqual([
      {
        level: "warn",
        message: "nobody can log in: the server has no hook that lets anybody in",
        remedy: "declare authentication, or override checkAuthPublickey or checkAuthPassword",
      },
    ]);
  });

  it("is not one that has a hook for it", async () => {
    const logger = new LogRecord();
    await startManager({ logger });
    expect(warnings(logger)).toEqual([]);
  });
});
