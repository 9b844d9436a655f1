import { noneOpener, noneSealer } from "../../../src/crypto/cipher/none.js";
import type { CipherAlgorithm } from "../../../src/crypto/cipher/packet-cipher.js";
import { cipherAlgorithms } from "../../../src/crypto/cipher/registry.js";
import type { AgreedSecret, KeyExchangeAlgorithm } from "../../../src/crypto/kex/key-exchange.js";
import { keyExchangeAlgorithms } from "../../../src/crypto/kex/registry.js";
import type { HostKey } from "../../../src/crypto/pkey/host-key.js";
import { MessageNumber } from "../../../src/protocol/constants.js";
import { Reader } from "../../../src/protocol/reader.js";
import { Writer } from "../../../src/protocol/writer.js";
import { type AlgorithmPreferences, resolveAlgorithms } from "../../../src/transport/algorithms.js";
import { freshCookie, type KexInit, message, writeKexInit } from "../../support/packet-messages.js";

// Algorithms that protect nothing, in this process only: a connection that has them goes through the same states and
// code as any other, and each byte that is changed arrives as it is.

const NAME = "plain";

const plainKeyExchange: KeyExchangeAlgorithm = {
  name: NAME,
  hash: "sha256",
  startServer: () => ({
    receive: () => ({
      kind: "done",
      ...agreed(),
      reply: (hostKey, signature) =>
        new Writer().writeByte(MessageNumber.KEX_ECDH_REPLY).writeString(hostKey).writeString(signature).toBuffer(),
    }),
  }),
  startClient: () => ({
    opening: message(MessageNumber.KEX_ECDH_INIT, "value"),
    receive(payload) {
      const reader = new Reader(payload, 1);
      return { kind: "done", ...agreed(), hostKey: reader.readString(), signature: reader.readString() };
    },
  }),
};

function agreed(): AgreedSecret {
  return { transcript: Buffer.alloc(8), sharedSecret: Buffer.from("0000000101", "hex") };
}

const plainCipher: CipherAlgorithm = {
  name: NAME,
  keyLength: 16,
  ivLength: 16,
  aead: true,
  createSealer: () => noneSealer,
  createOpener: () => noneOpener,
};

(keyExchangeAlgorithms as Map<string, KeyExchangeAlgorithm>).set(NAME, plainKeyExchange);
(cipherAlgorithms as Map<string, CipherAlgorithm>).set(NAME, plainCipher);

export const plainHostKey: HostKey = {
  keyType: "ssh-ed25519",
  publicBlob: Buffer.from("host key"),
  signatureAlgorithms: ["ssh-ed25519"],
  sign: () => Buffer.from("signature"),
};

export const plainAlgorithms: AlgorithmPreferences = {
  ...resolveAlgorithms("default"),
  kex: [NAME],
  hostKey: ["ssh-ed25519"],
  cipher: [NAME],
  mac: [],
  compression: ["none", "zlib@openssh.com"],
};

/** What a client sends to agree on these: KEXINIT, the message of the method, NEWKEYS. */
export function plainKeyExchangeMessages(compression: "none" | "zlib@openssh.com"): Buffer[] {
  const kexInit: KexInit = {
    cookie: freshCookie(),
    kex: [NAME, "ext-info-c"],
    hostKey: ["ssh-ed25519"],
    cipherClientToServer: [NAME],
    cipherServerToClient: [NAME],
    macClientToServer: [],
    macServerToClient: [],
    compressionClientToServer: [compression],
    compressionServerToClient: [compression],
    firstKexPacketFollows: false,
  };
  return [writeKexInit(kexInit), message(MessageNumber.KEX_ECDH_INIT, "value"), message(MessageNumber.NEWKEYS)];
}
