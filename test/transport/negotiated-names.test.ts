import { describe, expect, it } from "vitest";
import { namesOf, negotiate } from "../../src/transport/negotiation.js";

const lists = {
  kex: ["curve25519-sha256"],
  hostKey: ["ssh-ed25519"],
  cipherClientToServer: ["aes256-ctr"],
  cipherServerToClient: ["aes128-gcm@openssh.com"],
  macClientToServer: ["hmac-sha2-512"],
  macServerToClient: ["hmac-sha2-256"],
  compressionClientToServer: ["none"],
  compressionServerToClient: ["zlib@openssh.com"],
  firstKexPacketFollows: false,
};

describe("what was negotiated, by name", () => {
  it("is told for each direction, with a MAC only where the cipher has none of its own", () => {
    expect(namesOf(negotiate(lists, lists))).toEqual({
      kex: "curve25519-sha256",
      hostKey: "ssh-ed25519",
      clientToServer: { cipher: "aes256-ctr", mac: "hmac-sha2-512", compression: "none" },
      serverToClient: { cipher: "aes128-gcm@openssh.com", compression: "zlib@openssh.com" },
    });
  });
});
