import { describe, expect, it } from "vitest";
import { PKey } from "../../src/crypto/index.js";
import { SSHServer } from "../../src/index.js";
import {
  AUTH_FAILED,
  AUTH_SUCCESSFUL,
  OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
  OPEN_FAILED_UNKNOWN_CHANNEL_TYPE,
  OPEN_SUCCEEDED,
} from "../../src/protocol/constants.js";
import { fakeConnection } from "../connection/fake-connection.js";
import { openTestChannel } from "../connection/test-channel.js";

const connection = fakeConnection();

describe("a server without hooks of its own", () => {
  const server = new SSHServer();
  const { channel, link } = openTestChannel();

  it("lets nobody in", () => {
    const key = PKey.generate({ keyType: "ed25519" });
    const prompt = () => expect.unreachable();
    expect([
      server.checkAuthNone("root", connection),
      server.checkAuthPassword("root", "", connection),
      server.checkAuthPasswordChange("root", "", "new", connection),
      server.checkAuthPublickey("root", key, connection, "ssh-ed25519"),
      server.checkAuthKeyboardInteractive("root", "", prompt, connection),
    ]).toEqual([AUTH_FAILED, AUTH_FAILED, AUTH_FAILED, AUTH_FAILED, AUTH_FAILED]);
    expect(server.getAllowedAuths("root", connection)).toEqual([]);
    expect(server.getBanner(connection, "root")).toBe(undefined);
  });

  it("opens sessions only, and says why not others", () => {
    expect([
      server.checkChannelRequest("session", 0, connection, Buffer.alloc(0)),
      server.checkChannelRequest("direct-tcpip", 1, connection, Buffer.alloc(0)),
      server.checkChannelRequest("x11", 2, connection, Buffer.alloc(0)),
      server.checkChannelRequest("constructor", 3, connection, Buffer.alloc(0)),
    ]).toEqual([
      OPEN_SUCCEEDED,
      OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
      OPEN_FAILED_UNKNOWN_CHANNEL_TYPE,
      OPEN_FAILED_UNKNOWN_CHANNEL_TYPE,
    ]);
  });

  it("runs, sets and forwards nothing", () => {
    expect([
      server.checkChannelExecRequest(channel, Buffer.from("ls")),
      server.checkChannelShellRequest(channel),
      server.checkChannelSubsystemRequest(channel, "sftp"),
      server.checkChannelPtyRequest(channel, Buffer.from("xterm"), 80, 24, 0, 0, new Map()),
      server.checkChannelEnvRequest(channel, "LANG", Buffer.from("C")),
      server.checkChannelX11Request(channel, false, "MIT-MAGIC-COOKIE-1", Buffer.alloc(16), 0),
      server.checkPortForwardRequest("", 0, connection),
      server.checkPortForwardCancelRequest("", 0, connection),
      server.checkGlobalRequest("x", Buffer.alloc(0), connection),
    ]).toEqual(new Array(9).fill(false));
    expect(link.received).toEqual([]);
  });

  it("allows another size where a terminal was allowed", () => {
    expect(server.checkChannelWindowChangeRequest(channel, 80, 24, 0, 0)).toBe(true);
  });
});

describe("the methods that a server allows unless it says otherwise", () => {
  class WithPassword extends SSHServer {
    override checkAuthPassword(): typeof AUTH_SUCCESSFUL {
      return AUTH_SUCCESSFUL;
    }
  }
  class WithAll extends WithPassword {
    override checkAuthPublickey(): typeof AUTH_SUCCESSFUL {
      return AUTH_SUCCESSFUL;
    }
    override checkAuthKeyboardInteractive(): typeof AUTH_SUCCESSFUL {
      return AUTH_SUCCESSFUL;
    }
  }

  it("are those whose hooks it overrides", () => {
    expect(new WithPassword().getAllowedAuths("user", connection)).toEqual(["password"]);
    expect(new WithAll().getAllowedAuths("user", connection)).toEqual([
      "publickey",
      "password",
      "keyboard-interactive",
    ]);
  });

  it("are those whose hooks are set on the object", () => {
    const server = new SSHServer();
    server.checkAuthPublickey = () => AUTH_SUCCESSFUL;
    expect(server.getAllowedAuths("user", connection)).toEqual(["publickey"]);
  });
});
