import {
  createECDH,
  createHash,
  createPublicKey,
  type DiffieHellmanGroup,
  diffieHellman,
  getDiffieHellman,
  type KeyObject,
} from "node:crypto";
import { ml_kem768 } from "@noble/post-quantum/ml-kem.js";
import { MessageNumber } from "../../src/protocol/constants.js";
import { Reader } from "../../src/protocol/reader.js";
import { Writer } from "../../src/protocol/writer.js";
import { generateKeys } from "./generated-keys.js";
import { decapsulateSntrup761, generateSntrup761KeyPair } from "./sntrup761-client.js";

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
  ["mlkem768x25519-sha256", startMlkem],
  ["sntrup761x25519-sha512", startSntrup],
  ["sntrup761x25519-sha512@openssh.com", startSntrup],
  ["curve25519-sha256", startCurve25519],
  ["curve25519-sha256@libssh.org", startCurve25519],
  ["ecdh-sha2-nistp256", () => startNist("prime256v1")],
  ["ecdh-sha2-nistp384", () => startNist("secp384r1")],
  ["ecdh-sha2-nistp521", () => startNist("secp521r1")],
  ["diffie-hellman-group14-sha256", () => startModp("modp14")],
  ["diffie-hellman-group16-sha512", () => startModp("modp16")],
  ["diffie-hellman-group18-sha512", () => startModp("modp18")],
  ["diffie-hellman-group-exchange-sha256", () => startGroupExchange(2048, 3072, 8192)],
]);

interface X25519Pair {
  readonly publicValue: Buffer;
  agree(serverValue: Buffer): Buffer;
}

let x25519: X25519Pair | undefined;

/** The client's X25519 key pair: one for a process, since to make it takes half of the time of a handshake. */
export function x25519Pair(): X25519Pair {
  x25519 ??= makeX25519Pair();
  return x25519;
}

function makeX25519Pair(): X25519Pair {
  const { publicKey, privateKey } = generateKeys("x25519");
  return {
    publicValue: publicKey.export({ format: "der", type: "spki" }).subarray(12),
    agree: (serverValue) => diffieHellman({ privateKey, publicKey: x25519PublicKey(serverValue) }),
  };
}

function x25519PublicKey(raw: Buffer): KeyObject {
  const key = { kty: "OKP", crv: "X25519", x: raw.toString("base64url") };
  return createPublicKey({ key, format: "jwk" });
}

function startCurve25519(): KexClient {
  const pair = x25519Pair();
  return stringExchange(pair.publicValue, (serverValue) => mpint(pair.agree(serverValue)));
}

function startNist(curve: string): KexClient {
  const ephemeral = createECDH(curve);
  return stringExchange(ephemeral.generateKeys(), (serverValue) => mpint(ephemeral.computeSecret(serverValue)));
}

function startMlkem(): KexClient {
  const { publicKey, secretKey } = ml_kem768.keygen();
  return startHybrid("sha256", publicKey, 1088, (ciphertext) => ml_kem768.decapsulate(ciphertext, secretKey));
}

function startSntrup(): KexClient {
  const pair = generateSntrup761KeyPair();
  return startHybrid("sha512", pair.publicKey, 1039, (ciphertext) => decapsulateSntrup761(pair, ciphertext).secret);
}

/** A hybrid's K is the hash of both secrets, as a string. */
function startHybrid(
  hash: "sha256" | "sha512",
  publicKey: Uint8Array,
  ciphertextLength: number,
  decapsulate: (ciphertext: Buffer) => Uint8Array,
): KexClient {
  const pair = x25519Pair();
  return stringExchange(Buffer.concat([publicKey, pair.publicValue]), (serverValue) => {
    if (serverValue.length !== ciphertextLength + 32) throw new Error("the server's value has another length");
    const postQuantum = decapsulate(serverValue.subarray(0, ciphertextLength));
    const classic = pair.agree(serverValue.subarray(ciphertextLength));
    return new Writer().writeString(createHash(hash).update(postQuantum).update(classic).digest()).toBuffer();
  });
}

function startModp(group: string): KexClient {
  const ephemeral = getDiffieHellman(group);
  const clientValue = ephemeral.generateKeys();
  return {
    init: new Writer().writeByte(MessageNumber.KEX_ECDH_INIT).writeMpint(clientValue).toBuffer(),
    finish: (reply) => finishModp(reply, MessageNumber.KEX_ECDH_REPLY, ephemeral, Buffer.alloc(0)),
  };
}

/** Group exchange that asks for these sizes (bits). */
export function startGroupExchange(minimum: number, preferred: number, maximum: number): KexClient {
  const sizes = new Writer().writeUint32(minimum).writeUint32(preferred).writeUint32(maximum).toBuffer();
  let agreed: { ephemeral: DiffieHellmanGroup; transcript: Buffer } | undefined;
  return {
    init: Buffer.concat([Buffer.of(MessageNumber.KEX_DH_GEX_REQUEST), sizes]),
    answerGroup(group) {
      const reader = new Reader(group);
      if (reader.readByte() !== MessageNumber.KEX_DH_GEX_GROUP) throw new Error("not a KEX_DH_GEX_GROUP");
      const prime = reader.readMpint();
      const generator = reader.readMpint();
      reader.end();
      const ephemeral = groupOf(prime, generator);
      const clientValue = ephemeral.generateKeys();
      agreed = { ephemeral, transcript: Buffer.concat([sizes, mpint(prime), mpint(generator)]) };
      return new Writer().writeByte(MessageNumber.KEX_DH_GEX_INIT).writeMpint(clientValue).toBuffer();
    },
    finish(reply) {
      if (agreed === undefined) throw new Error("the server's group was not taken");
      return finishModp(reply, MessageNumber.KEX_DH_GEX_REPLY, agreed.ephemeral, agreed.transcript);
    },
  };
}

/** `createDiffieHellman` of Node.js 24 and later tests for a prime, for minutes where it is large. */
function groupOf(prime: Buffer, generator: Buffer): DiffieHellmanGroup {
  const group = ["modp14", "modp15", "modp16", "modp17", "modp18"]
    .map((name) => getDiffieHellman(name))
    .find((candidate) => candidate.getPrime().equals(prime) && candidate.getGenerator().equals(generator));
  if (group === undefined) throw new Error("not a group of RFC 3526");
  return group;
}

function finishModp(
  reply: Buffer,
  number: number,
  ephemeral: Pick<DiffieHellmanGroup, "getPublicKey" | "computeSecret">,
  agreed: Buffer,
): KexClientResult {
  const reader = new Reader(reply);
  if (reader.readByte() !== number) throw new Error("not the reply of this method");
  const hostKey = reader.readString();
  const serverValue = reader.readMpint();
  const signature = reader.readString();
  reader.end();
  return {
    hostKey,
    signature,
    transcript: Buffer.concat([agreed, mpint(ephemeral.getPublicKey()), mpint(serverValue)]),
    sharedSecret: mpint(ephemeral.computeSecret(serverValue)),
  };
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
