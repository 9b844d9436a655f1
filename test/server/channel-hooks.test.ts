import { describe, expect, it, vi } from "vitest";
import { completePermissions } from "../../src/auth/permissions.js";
import { CountedMessages } from "../../src/base/counted-messages.js";
import { HookError } from "../../src/base/hook-error.js";
import { silentLogger } from "../../src/base/logger.js";
import { ServerForwarding } from "../../src/forwarding/server-forwarding.js";
import { type Channel, type Connection, type OpenFields, SSHServer } from "../../src/index.js";
import { ProtocolError } from "../../src/protocol/errors.js";
import { decodeGlobalRequest, encodeGlobalRequest } from "../../src/protocol/messages/requests.js";
import { Writer } from "../../src/protocol/writer.js";
import { bindChannelAuthority } from "../../src/server/channel-hooks.js";
import { RefusedRequests } from "../../src/server/refused-requests.js";
import { bindSessionHooks } from "../../src/server/session-hooks.js";
import { SessionRunner } from "../../src/server/session-runner.js";
import { sessionsOf } from "../../src/server/ssh-server.js";
import { fakeConnection } from "../connection/fake-connection.js";
import { openTestChannel, settled } from "../connection/test-channel.js";

const request = (kind: string, fields: Uint8Array = Buffer.alloc(0)) =>
  decodeGlobalRequest(encodeGlobalRequest(kind, "wanted", fields));

const addressAndPort = (address: string, port: number) =>
  new Writer().writeString(address).writeUint32(port).toBuffer();

/** Everything that a hook might answer by mistake. */
const mistakes: readonly (readonly [what: string, answer: unknown])[] = [
  ["undefined", undefined],
  ["1", 1],
  ["0", 0],
  ["a text", "true"],
  ["an object", {}],
  ["a list", [true]],
  ["a Boolean object", Object(true)],
];

/** A server all of whose hooks give the same answer. */
function serverThatAnswers(answer: unknown): SSHServer {
  const server = new SSHServer();
  for (const name of Object.getOwnPropertyNames(SSHServer.prototype)) {
    if (name.startsWith("check")) Object.defineProperty(server, name, { value: () => answer, configurable: true });
  }
  return server;
}

function bind(server: SSHServer) {
  const connection: Connection = fakeConnection();
  const failed = vi.fn();
  const refused = vi.fn();
  const log = { refused, ended: () => {}, failed };
  const forwarding = new ServerForwarding(server.forwarding, 64).forClient(
    connection,
    (target) => server.checkLocalForwardRequest(target),
    log,
  );
  const refusedRequests = new RefusedRequests(new CountedMessages(() => {}));
  const sessionHooks = bindSessionHooks(server, new SessionRunner(sessionsOf(server), silentLogger));
  const context = { server, connection, sessionHooks, forwarding, log, refusedRequests };
  return { connection, failed, refused, authority: bindChannelAuthority(context) };
}

const sessionRequests: readonly (readonly [kind: string, fields: Buffer])[] = [
  ["exec", new Writer().writeString("ls").toBuffer()],
  ["shell", Buffer.alloc(0)],
  ["subsystem", new Writer().writeString("sftp").toBuffer()],
  ["env", new Writer().writeString("LANG").writeString("C").toBuffer()],
  ["pty-req", new Writer().writeString("xterm").writeBytes(Buffer.alloc(16)).writeString("").toBuffer()],
  ["x11-req", new Writer().writeBoolean(true).writeString("p").writeString("00").writeUint32(0).toBuffer()],
];

describe("hooks of session requests", () => {
  it.each(sessionRequests)(
    "allow by exactly true, and fail by anything but true and false: %s",
    async (kind, fields) => {
      for (const answer of [true, Promise.resolve(true)]) {
        const { authority } = bind(serverThatAnswers(answer));
        expect(await authority.channelRequest(openTestChannel().channel, request(kind, fields))).toBe(true);
      }
      for (const [what, mistake] of mistakes) {
        for (const answer of [mistake, Promise.resolve(mistake)]) {
          const { channel } = openTestChannel();
          const { authority } = bind(serverThatAnswers(answer));
          const asked = async () => authority.channelRequest(channel, request(kind, fields));
          await expect(asked(), what).rejects.toThrow(HookError);
          expect([channel.pty, channel.environment.size]).toEqual([undefined, 0]);
        }
      }
    },
  );

  it("allow another terminal size by exactly true", async () => {
    for (const [, mistake] of mistakes) {
      const server = serverThatAnswers(true);
      Object.defineProperty(server, "checkChannelWindowChangeRequest", { value: () => mistake });
      const { authority } = bind(server);
      const { channel } = openTestChannel();
      await authority.channelRequest(channel, request(...(sessionRequests[4] ?? ["", Buffer.alloc(0)])));
      const asked = async () => authority.channelRequest(channel, request("window-change", Buffer.alloc(16, 1)));
      await expect(asked()).rejects.toThrow(HookError);
      expect(channel.pty?.width).toBe(0);
    }
  });

  it("are called on the server, with what was asked", async () => {
    class Recording extends SSHServer {
      readonly calls: unknown[] = [];
      override checkChannelPtyRequest(channel: Channel, ...parameters: unknown[]): boolean {
        this.calls.push([channel.id, ...parameters]);
        return true;
      }
      override checkChannelWindowChangeRequest(channel: Channel, ...parameters: unknown[]): boolean {
        this.calls.push([channel.id, ...parameters]);
        return true;
      }
    }
    const server = new Recording();
    const { authority } = bind(server);
    const { channel } = openTestChannel();
    const size = new Writer().writeUint32(1).writeUint32(2).writeUint32(3).writeUint32(4).toBuffer();
    const terminal = new Writer()
      .writeString("vt100")
      .writeBytes(size)
      .writeString(Buffer.of(53, 0, 0, 0, 1, 0));
    await authority.channelRequest(channel, request("pty-req", terminal.toBuffer()));
    await authority.channelRequest(channel, request("window-change", Buffer.from(size).reverse()));
    expect(server.calls).toEqual([
      [0, Buffer.from("vt100"), 1, 2, 3, 4, new Map([["ECHO", 1]])],
      [0, 0x04000000, 0x03000000, 0x02000000, 0x01000000],
    ]);
  });

  it("are not asked for channels of other types, whose requests are all unknown ones", async () => {
    const server = serverThatAnswers(false);
    const asked = vi.fn(async () => true);
    Object.defineProperty(server, "checkUnknownChannelRequest", { value: asked });
    const { authority } = bind(server);
    const { channel: forwarded } = openTestChannel({ kind: "direct-tcpip" });
    for (const [kind, fields] of sessionRequests) {
      expect(await authority.channelRequest(forwarded, request(kind, fields))).toBe(true);
      expect(asked).toHaveBeenLastCalledWith(forwarded, kind, fields);
    }
    for (const [what, mistake] of mistakes) {
      const { authority: mistaken } = bind(serverThatAnswers(mistake));
      await expect((async () => mistaken.channelRequest(forwarded, request("x")))(), what).rejects.toThrow(HookError);
    }
  });
});

describe("hooks of channels", () => {
  function bindOpening() {
    const server = new SSHServer();
    const answer = { reason: 4, description: "later" };
    const asked = vi.fn(() => answer);
    server.checkChannelRequest = asked;
    return { answer, asked, ...bind(server) };
  }

  it.each<[kind: string, fields: Buffer, open: OpenFields]>([
    ["session", Buffer.alloc(0), Buffer.alloc(0)],
    ["x@example.com", Buffer.from("fields"), Buffer.from("fields")],
    [
      "direct-tcpip",
      new Writer()
        .writeString("host")
        .writeUint32(65_535)
        .writeString("::1")
        .writeUint32(2 ** 32 - 1)
        .toBuffer(),
      { host: "host", port: 65_535, originatorAddress: "::1", originatorPort: 2 ** 32 - 1 },
    ],
    [
      "direct-streamlocal@openssh.com",
      new Writer().writeString(Buffer.of(0x2f, 0xff)).writeString("reserved").writeUint32(1).toBuffer(),
      { socketPath: Buffer.of(0x2f, 0xff) },
    ],
  ])(
    "are asked with what the client wants to open, and their answer is passed on as it is: %s",
    (kind, fields, open) => {
      const { answer, asked, connection, authority } = bindOpening();
      expect(authority.decideOpen(kind, 7, fields)).toBe(answer);
      expect(asked).toHaveBeenCalledExactlyOnceWith(kind, 7, connection, open);
    },
  );

  it.each(["direct-tcpip", "direct-streamlocal@openssh.com"])(
    "are not asked about fields that are malformed: %s",
    (kind) => {
      const { asked, authority } = bindOpening();
      const tcpip = new Writer().writeString("h").writeUint32(1).writeString("o").writeUint32(1).toBuffer();
      const streamlocal = new Writer().writeString("p").writeString("").writeUint32(1).toBuffer();
      const fields = kind === "direct-tcpip" ? tcpip : streamlocal;
      for (const wrong of [fields.subarray(0, -1), Buffer.concat([fields, Buffer.alloc(1)])]) {
        expect(() => authority.decideOpen(kind, 0, wrong)).toThrow(ProtocolError);
      }
      expect(asked).not.toHaveBeenCalled();
    },
  );

  it("are not asked for a port that cannot be one", () => {
    const { asked, authority } = bindOpening();
    const fields = new Writer().writeString("h").writeUint32(65_536).writeString("o").writeUint32(1).toBuffer();
    expect(authority.decideOpen("direct-tcpip", 0, fields)).toBe(1);
    expect(asked).not.toHaveBeenCalled();
  });

  it.each(["onChannelOpened", "onChannelClosed"] as const)("%s may fail without harm", async (name) => {
    for (const fail of [
      () => {
        throw new Error("broken");
      },
      () => Promise.reject(new Error("broken")),
    ]) {
      const server = new SSHServer();
      server[name] = fail;
      const { authority, failed } = bind(server);
      const { channel } = openTestChannel();
      if (name === "onChannelOpened") authority.channelOpened(channel);
      else authority.channelClosed(channel);
      await settled();
      expect(failed).toHaveBeenCalledExactlyOnceWith(name, new Error("broken"));
    }
  });
});

describe("hooks of global requests", () => {
  const forwardPort = (server: SSHServer) =>
    bind(server).authority.globalRequest(request("tcpip-forward", addressAndPort("127.0.0.1", 8022)));

  it("a forwarded port is allowed by the port that is listened on", async () => {
    const asked = vi.fn(() => 8022);
    const server = new SSHServer();
    server.checkPortForwardRequest = asked;
    expect(await forwardPort(server)).toBe(true);
    expect(asked).toHaveBeenCalledExactlyOnceWith("127.0.0.1", 8022, expect.anything());
    server.checkPortForwardRequest = () => false;
    expect(await forwardPort(server)).toBe(false);
  });

  it.each([[0], [-1], [65_536], [80.5], ["8022"], [undefined]])("and not by a mistake: %j", async (answer) => {
    const server = new SSHServer();
    server.checkPortForwardRequest = () => answer as number;
    await expect(forwardPort(server)).rejects.toThrow(HookError);
  });

  it("tell the port where the client left it open", async () => {
    const server = new SSHServer();
    server.checkPortForwardRequest = async () => 40_000;
    const reply = await bind(server).authority.globalRequest(request("tcpip-forward", addressAndPort("", 0)));
    expect(reply).toEqual(Buffer.from([0, 0, 0x9c, 0x40]));
  });

  it.each(["tcpip-forward", "cancel-tcpip-forward"])("are not asked about a port over 65535: %s", async (kind) => {
    const server = new SSHServer();
    const asked = vi.fn(() => 1);
    server.checkPortForwardRequest = asked;
    server.checkPortForwardCancelRequest = vi.fn(() => {
      asked();
      return true;
    });
    for (const port of [65_536, 2 ** 31, 2 ** 32 - 1]) {
      expect(await bind(server).authority.globalRequest(request(kind, addressAndPort("", port)))).toBe(false);
    }
    expect(asked).not.toHaveBeenCalled();
  });

  it("are not asked for a port that the client would not learn", async () => {
    const server = new SSHServer();
    const asked = vi.fn(() => 40_000);
    server.checkPortForwardRequest = asked;
    const anyPort = { ...request("tcpip-forward", addressAndPort("", 0)), wantReply: false };
    expect(await bind(server).authority.globalRequest(anyPort)).toBe(false);
    expect(asked).not.toHaveBeenCalled();
  });

  it("are not asked to end a forwarding that is not permitted", async () => {
    const server = new SSHServer();
    const asked = vi.fn(() => true);
    server.checkPortForwardCancelRequest = asked;
    const { connection, authority } = bind(server);
    const fields = addressAndPort("localhost", 8022);
    const cancel = () => authority.globalRequest(request("cancel-tcpip-forward", fields));
    Object.assign(connection, { permissions: completePermissions({ portForwarding: false }) });
    expect(await cancel()).toBe(false);
    Object.assign(connection, {
      permissions: completePermissions({ permitListen: [[{ host: "localhost", port: 8023 }]] }),
    });
    expect(await cancel()).toBe(false);
    expect(asked).not.toHaveBeenCalled();
  });

  it.each(["streamlocal-forward@openssh.com", "cancel-streamlocal-forward@openssh.com", "cancel-tcpip-forward"])(
    "are not silent where they refuse: %s",
    async (kind) => {
      for (const server of [new SSHServer(), new SSHServer({ forwarding: { remote: () => false } })]) {
        const { authority, refused } = bind(server);
        const fields = kind.includes("local") ? new Writer().writeString("/s").toBuffer() : addressAndPort("h", 8022);
        expect(await authority.globalRequest(request(kind, fields))).toBe(false);
        expect(refused).toHaveBeenCalledExactlyOnceWith(kind, expect.any(String), expect.anything());
      }
    },
  );

  it("end forwarding by exactly true", async () => {
    const fields = addressAndPort("", 8022);
    const cancel = async (answer: unknown) =>
      bind(serverThatAnswers(answer)).authority.globalRequest(request("cancel-tcpip-forward", fields));
    expect([await cancel(true), await cancel(false)]).toEqual([true, false]);
    for (const [what, mistake] of mistakes) await expect(cancel(mistake), what).rejects.toThrow(HookError);
  });

  it("get the payload of what the library does not know", async () => {
    const server = new SSHServer();
    const asked = vi.fn(() => Buffer.from("reply"));
    server.checkGlobalRequest = asked;
    const { connection, authority } = bind(server);
    expect(await authority.globalRequest(request("x@example.com", Buffer.from("payload")))).toEqual(
      Buffer.from("reply"),
    );
    expect(asked).toHaveBeenCalledExactlyOnceWith("x@example.com", Buffer.from("payload"), connection);
  });

  it("answer what the library does not know by true, false or bytes", async () => {
    for (const [what, mistake] of mistakes) {
      const server = new SSHServer();
      server.checkGlobalRequest = () => mistake as boolean;
      await expect(bind(server).authority.globalRequest(request("x@example.com")), what).rejects.toThrow(HookError);
    }
  });

  it.each(["keepalive@openssh.com", "no-more-sessions@openssh.com"])("are not asked for %s", async (kind) => {
    const { authority } = bind(new SSHServer());
    expect(await authority.globalRequest(request(kind))).toBe(true);
  });

  it.each(["tcpip-forward", "cancel-tcpip-forward"])("are not asked for what is malformed: %s", async (kind) => {
    const { authority } = bind(serverThatAnswers(true));
    const fields = addressAndPort("127.0.0.1", 8022);
    const ask = async (malformed: Buffer) => authority.globalRequest(request(kind, malformed));
    for (const malformed of [fields.subarray(0, -1), Buffer.concat([fields, Buffer.alloc(1)])]) {
      await expect(ask(malformed)).rejects.toThrow(ProtocolError);
    }
  });
});
