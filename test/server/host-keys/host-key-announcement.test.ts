import { describe, expect, it } from "vitest";
import { PKey } from "../../../src/crypto/index.js";
import { MessageNumber } from "../../../src/protocol/constants.js";
import { Reader } from "../../../src/protocol/reader.js";
import {
  announcedHostKeys,
  encodeHostKeys,
  takesHostKeys,
} from "../../../src/server/host-keys/host-key-announcement.js";
import { PacketClient } from "../../support/packet-client.js";
import type { PacketClientOptions } from "../../support/packet-transport.js";
import { RSA_KEY } from "../../support/rsa-key.js";
import { PASSWORD, startManager, USERNAME } from "../test-server.js";

const first = PKey.generate({ keyType: "ed25519" });
const second = PKey.generate({ keyType: "ed25519" });
const rsa = RSA_KEY;

const certificate = first.withCertificate(
  PKey.generate({ keyType: "ed25519" }).signCertificate({
    publicKey: first,
    type: "host",
    keyId: "first",
    principals: ["example.com"],
  }),
);

function readStrings(fields: Buffer): Buffer[] {
  const reader = new Reader(fields);
  const strings: Buffer[] = [];
  while (reader.remaining > 0) strings.push(reader.readString());
  return strings;
}

/** The first message after USERAUTH_SUCCESS: that of a ping, unless there is an announcement. */
async function firstMessage(port: number, options: PacketClientOptions = {}): Promise<Buffer> {
  const client = await PacketClient.login(port, USERNAME, PASSWORD, { hostKeys: "given", ...options });
  client.sendPacket(Buffer.of(MessageNumber.PING, 0, 0, 0, 0));
  const payload = await client.nextPacket();
  await client.close();
  return payload;
}

describe("the announced host keys", () => {
  it("are all plain keys that can sign by an algorithm on offer, in their order", () => {
    const keys = [second, certificate, rsa, first];
    const algorithms = [...certificate.signatureAlgorithms, "ssh-ed25519", "rsa-sha2-256"];
    expect(announcedHostKeys(keys, algorithms)).toEqual([second, rsa, first]);
    expect(announcedHostKeys(keys, ["ssh-ed25519"])).toEqual([second, first]);
    expect(announcedHostKeys(keys, ["ecdsa-sha2-nistp256"])).toEqual([]);
  });

  it("are encoded as their public blobs", () => {
    expect(readStrings(encodeHostKeys([rsa, first]))).toEqual([rsa.publicBlob, first.publicBlob]);
    expect(encodeHostKeys([])).toEqual(Buffer.alloc(0));
  });
});

describe("a client that has logged in", () => {
  it.each(["none", "zlib@openssh.com"])("is told all host keys first of all (compression %s)", async (compression) => {
    const manager = await startManager({ serverKeys: [first, certificate, rsa, second] });
    const payload = await firstMessage(manager.port, { compression: [compression] });
    const reader = new Reader(payload);
    expect([reader.readByte(), reader.readText(), reader.readBoolean()]).toEqual([
      MessageNumber.GLOBAL_REQUEST,
      "hostkeys-00@openssh.com",
      false,
    ]);
    expect(readStrings(reader.readRest())).toEqual([first.publicBlob, rsa.publicBlob, second.publicBlob]);
  });

  it("is told nothing where that is switched off", async () => {
    const manager = await startManager({ announceHostKeys: false });
    expect((await firstMessage(manager.port))[0]).toBe(MessageNumber.PONG);
  });

  it("is told nothing if it could not bear it", async () => {
    const manager = await startManager();
    const payload = await firstMessage(manager.port, { identification: "SSH-2.0-TTSSH/2.72 Win32\r\n" });
    expect(payload[0]).toBe(MessageNumber.PONG);
  });

  it.each([
    ["SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u7", true],
    ["SSH-2.0-PuTTY_Release_0.78", true],
    ["SSH-2.0-TTSSH/2.73 Win32", true],
    ["SSH-2.0-TTSSH/2.92 Win32", true],
    ["SSH-2.0-TTSSH/3.4 Win32", true],
    ["SSH-2.0-Cisco-2.0", true],
    ["SSH-2.0-", true],
    ["SSH-2.0-TTSSH/1.5.4 Win32", false],
    ["SSH-2.0-TTSSH/2.1 Win32", false],
    ["SSH-2.0-TTSSH/2.69 Win32", false],
    ["SSH-2.0-TTSSH/2.72 Win32", false],
    ["SSH-2.0-TeraTerm SSH 1.0", false],
    ["SSH-2.0-Cisco-1.25", false],
  ])("that calls itself %s can bear it: %s", (identification, taken) => {
    expect(takesHostKeys(identification)).toBe(taken);
  });
});
