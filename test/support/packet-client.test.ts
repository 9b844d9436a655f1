import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PKey } from "../../src/crypto/pkey/pkey.js";
import { DisconnectReason, MessageNumber } from "../../src/protocol/constants.js";
import { needs, TOOLS } from "./clients.js";
import { PacketClient } from "./packet-client.js";
import * as messages from "./packet-messages.js";
import { runOk, temporaryFolder } from "./tools.js";

/**
 * The client is itself only worth something if a server of another make understands it: here sshd, one process per
 * connection as inetd would start it.
 */
describe("PacketClient against sshd", needs("sshd"), () => {
  const username = userInfo().username;
  const folder = temporaryFolder();
  const children: ChildProcess[] = [];
  let server: Server;
  let port: number;
  let userKey: PKey;

  beforeAll(async () => {
    const path = (name: string): string => join(folder, name);
    for (const name of ["host_key", "user_key"]) {
      await runOk("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path(name)]);
    }
    userKey = await PKey.fromFile(path("user_key"));
    await runOk("cp", [path("user_key.pub"), path("authorized_keys")]);
    mkdirSync("/run/sshd", { recursive: true });
    const configuration = [
      `HostKey ${path("host_key")}`,
      `AuthorizedKeysFile ${path("authorized_keys")}`,
      "StrictModes no",
      "UsePAM no",
      "PermitRootLogin yes",
      "PidFile none",
      "Compression delayed",
      // Keeps bash from reading this machine's ~/.bashrc, as it does where sshd started it at the first level.
      "SetEnv SHLVL=2",
    ];
    writeFileSync(path("sshd_config"), `${configuration.join("\n")}\n`);
    server = createServer({ pauseOnConnect: true }, (socket) => {
      children.push(spawn(TOOLS.sshd, ["-i", "-f", path("sshd_config")], { stdio: [socket, socket, "ignore"] }));
      socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    port = (server.address() as AddressInfo).port;
  });

  afterAll(() => {
    server.close();
    for (const child of children) child.kill("SIGKILL");
  });

  const login = async (options = {}): Promise<PacketClient> => {
    const client = await PacketClient.authenticating(port, options);
    expect((await client.authPublickey(username, userKey))[0]).toBe(MessageNumber.USERAUTH_SUCCESS);
    return client;
  };

  const ciphers = [
    "chacha20-poly1305@openssh.com",
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "aes128-ctr",
    "aes256-ctr",
  ];
  it.each(ciphers)("logs in by key and runs a command over %s", async (cipher) => {
    const client = await login({ cipher: [cipher] });
    const { stdout, stderr, exitStatus } = await client.exec("echo out; echo err >&2; exit 7");
    expect([stdout.toString(), stderr.toString(), exitStatus]).toEqual(["out\n", "err\n", 7]);
    await client.close();
  });

  it.each(["hmac-sha2-256", "hmac-sha2-512", "hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com"])(
    "authenticates packets by %s",
    async (mac) => {
      const client = await login({ cipher: ["aes128-ctr"], mac: [mac] });
      expect((await client.exec("echo hello")).stdout.toString()).toBe("hello\n");
      await client.close();
    },
  );

  it.each([
    ["with strict key exchange", undefined],
    ["without strict key exchange", ["ext-info-c"]],
  ])("exchanges keys again, %s", async (_, markers) => {
    const client = await login(markers ? { markers } : {});
    await client.exchangeKeys();
    await client.exchangeKeys();
    expect((await client.exec("echo hello")).stdout.toString()).toBe("hello\n");
    await client.close();
  });

  it("compresses after authentication and anew after new keys", async () => {
    const client = await login({ compression: ["zlib@openssh.com"] });
    expect((await client.exec("head -c 100000 /dev/zero")).stdout.equals(Buffer.alloc(100_000))).toBe(true);
    await client.exchangeKeys();
    expect((await client.exec("head -c 100000 /dev/zero")).stdout.equals(Buffer.alloc(100_000))).toBe(true);
    await client.close();
  });

  it("counts its packets as the server does", async () => {
    const client = await login();
    client.sendPacket(messages.message(150));
    expect(messages.readUnimplemented(await client.expect(MessageNumber.UNIMPLEMENTED))).toBe(
      client.lastSequenceNumber,
    );
    await client.close();
  });

  it("gives the reason when the server disconnects", async () => {
    const client = await PacketClient.handshake(port);
    client.sendPacket(messages.serviceRequest("no-such-service"));
    expect((await client.waitDisconnect()).reason).toBe(DisconnectReason.PROTOCOL_ERROR);
  });

  it("fails a wait at its deadline", async () => {
    const client = await PacketClient.handshake(port);
    await client.expect(MessageNumber.EXT_INFO);
    await expect(client.nextPacket(50)).rejects.toThrow("waited 50 ms");
    client.reset();
  });
});
