import {
  createECDH,
  createHash,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
} from "node:crypto";
import { MessageNumber } from "../../src/protocol/constants.js";
import { Reader } from "../../src/protocol/reader.js";
import { Writer } from "../../src/protocol/writer.js";

/** The client's side of one key exchange, written apart from the server's. */
export interface KexClient {
  /** Payload that opens the exchange. */
  readonly init: Buffer;
  /** Group exchange only: takes the server's group (message 31) and gives the payload that follows (message 32). */
  readonly answerGroup?: (group: Buffer) => Buffer;
  /** Takes the server's last message. Throws when it is malformed. */
  finish(reply: Buffer): KexClientResult;
}

export interface KexClientResult {
  readonly hostKey: Buffer;
  readonly signature: Buffer;
  /** What the exchange hash covers between K_S and K. */
  readonly transcript: Buffer;
  /** K as the exchange hash covers it, length included. */
  readonly sharedSecret: Buffer;
}

/** Starts the client's side of the method with this name on the wire. */
export function startClient(name: string): KexClient {
  const start = clients.get(name);
  if (start === undefined) throw new Error(`no client for ${name}`);
  return start();
}

const clients: ReadonlyMap<string, () => KexClient> = new Map([
  ["curve25519-sha256", startCurve25519],
  ["curve25519-sha256@libssh.org", startCurve25519],
  ["ecdh-sha2-nistp256", () => startNist("prime256v1")],
  ["ecdh-sha2-nistp384", () => startNist("secp384r1")],
  ["ecdh-sha2-nistp521", () => startNist("secp521r1")],
]);

/** A fresh X25519 key pair of the client. */
export function x25519Pair(): { publicValue: Buffer; agree(serverValue: Buffer): Buffer } {
  const { publicKey, privateKey } = generateKeyPairSync("x25519");
  return {
    publicValue: publicKey.export({ format: "der", type: "spki" }).subarray(12),
    agree: (serverValue) => diffieHellman({ privateKey, publicKey: x25519PublicKey(serverValue) }),
  };
}

function x25519PublicKey(raw: Buffer): KeyObject {
  const key = Buffer.concat([Buffer.from("302a300506032b656e032100", "hex"), raw]);
  return createPublicKey({ key, format: "der", type: "spki" });
}

function startCurve25519(): KexClient {
  const pair = x25519Pair();
  return stringExchange(pair.publicValue, (serverValue) => mpint(pair.agree(serverValue)));
}

function startNist(curve: string): KexClient {
  const ephemeral = createECDH(curve);
  return stringExchange(ephemeral.generateKeys(), (serverValue) => mpint(ephemeral.computeSecret(serverValue)));
}

/** An exchange of two strings, as all methods have it but those over integers. */
export function stringExchange(clientValue: Buffer, secret: (serverValue: Buffer) => Buffer): KexClient {
  return {
    init: initPayload(clientValue),
    finish(reply) {
      const reader = new Reader(reply);
      if (reader.readByte() !== MessageNumber.KEX_ECDH_REPLY) throw new Error("not a KEX_ECDH_REPLY");
      const hostKey = reader.readString();
      const serverValue = reader.readString();
      const signature = reader.readString();
      reader.end();
      const transcript = new Writer().writeString(clientValue).writeString(serverValue).toBuffer();
      return { hostKey, signature, transcript, sharedSecret: secret(serverValue) };
    },
  };
}

/** SSH_MSG_KEX_ECDH_INIT with this public value. */
export function initPayload(clientValue: Buffer): Buffer {
  return new Writer().writeByte(MessageNumber.KEX_ECDH_INIT).writeString(clientValue).toBuffer();
}

function mpint(magnitude: Buffer): Buffer {
  return new Writer().writeMpint(magnitude).toBuffer();
}

/** K of a hybrid: the hash of both secrets, as a string. */
export function hybridSecret(hash: "sha256" | "sha512", postQuantum: Uint8Array, classic: Buffer): Buffer {
  return new Writer().writeString(createHash(hash).update(postQuantum).update(classic).digest()).toBuffer();
}
