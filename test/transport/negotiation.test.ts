import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DisconnectReason } from "../../src/protocol/constants.js";
import type { KexInit } from "../../src/protocol/messages/kex-init.js";
import { resolveAlgorithms } from "../../src/transport/algorithms.js";
import { guessedWrong, negotiate } from "../../src/transport/negotiation.js";

const { kex, hostKey, cipher, mac, compression } = resolveAlgorithms("default");
const server: KexInit = {
  kex,
  hostKey,
  cipherClientToServer: cipher,
  cipherServerToClient: cipher,
  macClientToServer: mac,
  macServerToClient: mac,
  compressionClientToServer: compression,
  compressionServerToClient: compression,
  firstKexPacketFollows: false,
};

describe("negotiate", () => {
  it("takes the client's first of what the server has too, for each list by itself", () => {
    const negotiated = negotiate(
      {
        kex: ["unknown", "ecdh-sha2-nistp256", "curve25519-sha256"],
        hostKey: ["ssh-dss", "rsa-sha2-256", "ssh-ed25519"],
        cipherClientToServer: ["3des-cbc", "aes192-ctr", "aes128-ctr"],
        cipherServerToClient: ["aes256-ctr"],
        macClientToServer: ["hmac-md5", "hmac-sha2-512"],
        macServerToClient: ["hmac-sha2-256-etm@openssh.com"],
        compressionClientToServer: ["zlib", "zlib@openssh.com", "none"],
        compressionServerToClient: ["none"],
        firstKexPacketFollows: false,
      },
      server,
    );
    expect(negotiated).toMatchObject({
      kex: { name: "ecdh-sha2-nistp256" },
      hostKey: "rsa-sha2-256",
      commonHostKeys: server.hostKey.filter((name) => name === "rsa-sha2-256" || name === "ssh-ed25519"),
      clientToServer: {
        cipher: { name: "aes192-ctr" },
        mac: { name: "hmac-sha2-512" },
        compression: { name: "zlib@openssh.com" },
      },
      serverToClient: {
        cipher: { name: "aes256-ctr" },
        mac: { name: "hmac-sha2-256-etm@openssh.com" },
        compression: { name: "none" },
      },
    });
  });

  it("follows the client's order, whatever the lists", () => {
    const list = fc.shuffledSubarray([...cipher], { minLength: 1 });
    fc.assert(
      fc.property(list, list, (own, offered) => {
        const wanted = own.find((name) => offered.includes(name));
        const lists = [
          { ...server, cipherClientToServer: own },
          { ...server, cipherClientToServer: offered },
        ] as const;
        if (wanted === undefined) expect(() => negotiate(...lists)).toThrow("no common cipher");
        else expect(negotiate(...lists).clientToServer.cipher.name).toBe(wanted);
      }),
    );
  });

  it("takes no MAC beside an AEAD, and needs none in common", () => {
    const client = {
      ...server,
      cipherClientToServer: ["aes128-gcm@openssh.com"],
      macClientToServer: ["hmac-md5"],
      cipherServerToClient: ["chacha20-poly1305@openssh.com"],
      macServerToClient: [],
    };
    const negotiated = negotiate(client, server);
    expect(negotiated.clientToServer.mac).toBeUndefined();
    expect(negotiated.serverToClient.mac).toBeUndefined();
  });

  it.each([
    ["key exchange", { kex: ["diffie-hellman-group1-sha1"] }],
    ["host key", { hostKey: ["ssh-rsa"] }],
    ["cipher (client to server)", { cipherClientToServer: ["aes128-cbc"] }],
    ["cipher (server to client)", { cipherServerToClient: ["none"] }],
    ["MAC (client to server)", { cipherClientToServer: ["aes128-ctr"], macClientToServer: ["hmac-sha1"] }],
    ["MAC (server to client)", { cipherServerToClient: ["aes128-ctr"], macServerToClient: ["none"] }],
    ["compression (client to server)", { compressionClientToServer: ["zlib"] }],
    ["compression (server to client)", { compressionServerToClient: [] }],
  ])("says that there is no common %s algorithm", (kind, lists: Partial<KexInit>) => {
    expect(() => negotiate({ ...server, ...lists }, server)).toThrow(
      expect.objectContaining({
        message: `no common ${kind} algorithm`,
        reason: DisconnectReason.KEY_EXCHANGE_FAILED,
      }),
    );
  });

  it("never agrees on a pseudo method, even if both sides name it", () => {
    const both = ["kex-strict-s-v00@openssh.com", "ext-info-s"];
    expect(() => negotiate({ ...server, kex: both }, { ...server, kex: [...kex, ...both] })).toThrow("key exchange");
  });

  it.each([
    ["neither differs", {}, false],
    ["the key exchange differs", { kex: kex.toReversed() }, true],
    ["the host key differs", { hostKey: hostKey.toReversed() }, true],
    ["both differ", { kex: kex.toReversed(), hostKey: hostKey.toReversed() }, true],
    ["the other side does not know the first method", { kex: ["unknown", ...kex] }, true],
    ["only later names differ", { kex: [...kex.slice(0, 1), "curve25519-sha256"] }, false],
    ["only ciphers differ", { cipherClientToServer: cipher.toReversed() }, false],
  ])("after a guess, when %s", (_, lists: Partial<KexInit>, ignored) => {
    const guessed = { ...server, ...lists, firstKexPacketFollows: true };
    expect(guessedWrong(guessed, server)).toBe(ignored);
    expect(guessedWrong({ ...guessed, firstKexPacketFollows: false }, server)).toBe(false);
  });
});
