import { describe, expect, it, onTestFinished } from "vitest";
import { Grant } from "../../src/auth/grant.js";
import { requireMethods } from "../../src/authenticators/require-methods.js";
import { ConfigurationError } from "../../src/base/configuration-error.js";
import { PKey } from "../../src/crypto/pkey/pkey.js";
import { SSHServerManager } from "../../src/index.js";
import { AUTH_FAILED, AUTH_SUCCESSFUL } from "../../src/protocol/constants.js";
import { SSHServer, type SSHServerOptions } from "../../src/server/ssh-server.js";
import { fakeConnection } from "../connection/fake-connection.js";
import { PacketClient } from "../support/packet-client.js";

async function start(server: SSHServer) {
  const manager = new SSHServerManager({
    serverInterface: server,
    serverKey: PKey.generate({ keyType: "ed25519" }),
    bindAddress: "127.0.0.1",
    port: 0,
    logger: false,
    authFailureDelay: 0,
  });
  onTestFinished(() => manager.stopServer({ gracePeriod: 0 }));
  await manager.startServer();
  return manager;
}

describe("a declaration of the login", () => {
  it("lets in the users whom it names, with its permissions", async () => {
    const server = new SSHServer({
      authentication: {
        password: (username, password) =>
          username === "ann" && password === "1" ? new Grant({ permissions: { userRc: false } }) : AUTH_FAILED,
        permissions: { pty: false },
      },
    });
    const manager = await start(server);
    await expect(PacketClient.login(manager.port, "ann", "2")).rejects.toThrow();
    await PacketClient.login(manager.port, "ann", "1");
    const identity = manager.getActiveConnections().find(({ username }) => username === "ann")?.identity;
    expect(identity?.permissions).toMatchObject({ pty: false, userRc: false, portForwarding: true });
  });

  it("offers the methods it has", async () => {
    const methods = (options: SSHServerOptions) => new SSHServer(options).getAllowedAuths("ann", fakeConnection());
    const succeed = () => AUTH_SUCCESSFUL;
    expect(methods({})).toEqual([]);
    expect(methods({ authentication: { keyboardInteractive: succeed, publicKey: succeed } })).toEqual([
      "publickey",
      "keyboard-interactive",
    ]);
  });

  it("requires methods together", async () => {
    const server = new SSHServer({
      authentication: {
        password: () => AUTH_SUCCESSFUL,
        publicKey: () => AUTH_SUCCESSFUL,
        methods: requireMethods([["publickey", "password"]]),
      },
    });
    const manager = await start(server);
    await expect(PacketClient.login(manager.port, "ann", "1")).rejects.toThrow();
  });

  it.each([undefined, null, 0, "", true])(
    "takes a key for revoked unless it is told exactly false: %j",
    async (answer) => {
      const revokedKeys = () => answer as never;
      const server = new SSHServer({ authentication: { revokedKeys } });
      expect(await server.checkKeyRevoked(PKey.generate({ keyType: "ed25519" }), fakeConnection(), "ann")).not.toBe(
        false,
      );
    },
  );

  it("stands behind the hooks of a class", async () => {
    class Closed extends SSHServer {
      override checkAuthPassword() {
        return AUTH_FAILED;
      }
    }
    const manager = await start(new Closed({ authentication: { password: () => AUTH_SUCCESSFUL } }));
    await expect(PacketClient.login(manager.port, "ann", "1")).rejects.toThrow();
  });

  it("may be an object of a class", async () => {
    class Revoking {
      revokedKeys() {
        return true;
      }
    }
    const server = new SSHServer({ authentication: new Revoking() });
    expect(await server.checkKeyRevoked(PKey.generate({ keyType: "ed25519" }), fakeConnection(), "ann")).toBe(true);
  });

  it("has no other name", () => {
    expect(() => Reflect.construct(SSHServer, [{ authentification: {} }])).toThrow(ConfigurationError);
  });

  it.each([
    { password: "secret" },
    { passwords: () => AUTH_SUCCESSFUL },
    { methods: [["publickey"]] },
    { permissions: { tty: true } },
  ])("is refused: %j", (authentication) => {
    expect(() => Reflect.construct(SSHServer, [{ authentication }])).toThrow(ConfigurationError);
  });
});
