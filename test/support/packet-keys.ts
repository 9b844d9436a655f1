import type { CipherAlgorithm, CipherKeys } from "../../src/crypto/cipher/packet-cipher.js";
import { cipherAlgorithms, macAlgorithms } from "../../src/crypto/cipher/registry.js";
import { deriveKey, exchangeHash, type KeyLetter } from "../../src/crypto/kex/key-derivation.js";
import type { ExchangeHash } from "../../src/crypto/kex/key-exchange.js";
import type { KexClientResult } from "./kex-client.js";
import type { KexInit } from "./packet-messages.js";

/** The algorithms that two KEXINITs lead to (RFC 4253 §7.1). */
export interface Agreement {
  readonly kex: string;
  readonly hostKey: string;
  readonly cipherClientToServer: string;
  readonly cipherServerToClient: string;
  /** Empty where the cipher needs none. */
  readonly macClientToServer: string;
  readonly macServerToClient: string;
  readonly compressionClientToServer: string;
  readonly compressionServerToClient: string;
}

/** The first of the client's names that the server has too, for each kind. */
export function agree(client: KexInit, server: KexInit): Agreement {
  const pick = (kind: keyof Agreement): string => {
    const name = client[kind].find((candidate) => server[kind].includes(candidate));
    if (name === undefined) throw new Error(`nothing in common for ${kind}: ${client[kind]} and ${server[kind]}`);
    return name;
  };
  const [cipherClientToServer, cipherServerToClient] = [pick("cipherClientToServer"), pick("cipherServerToClient")];
  const pickMac = (kind: keyof Agreement, cipher: string): string =>
    cipherAlgorithms.get(cipher)?.aead === true ? "" : pick(kind);
  return {
    kex: pick("kex"),
    hostKey: pick("hostKey"),
    cipherClientToServer,
    cipherServerToClient,
    macClientToServer: pickMac("macClientToServer", cipherClientToServer),
    macServerToClient: pickMac("macServerToClient", cipherServerToClient),
    compressionClientToServer: pick("compressionClientToServer"),
    compressionServerToClient: pick("compressionServerToClient"),
  };
}

/** A finished key exchange. */
export interface Exchange {
  readonly agreement: Agreement;
  readonly hashName: ExchangeHash;
  /** H. */
  readonly hash: Buffer;
  readonly hostKey: Buffer;
  readonly signature: Buffer;
  readonly sharedSecret: Buffer;
}

/** What the exchange hash covers. */
export interface ExchangeInput {
  readonly agreement: Agreement;
  readonly clientIdentification: Buffer;
  readonly serverIdentification: Buffer;
  readonly clientKexInit: Buffer;
  readonly serverKexInit: Buffer;
  readonly result: KexClientResult;
}

export function hashExchange(input: ExchangeInput): Exchange {
  const { agreement, result } = input;
  const hashName = hashOf(agreement.kex);
  const hash = exchangeHash(
    hashName,
    input.clientIdentification,
    input.serverIdentification,
    input.clientKexInit,
    input.serverKexInit,
    result.hostKey,
    result.transcript,
    result.sharedSecret,
  );
  const { hostKey, signature, sharedSecret } = result;
  return { agreement, hashName, hash, hostKey, signature, sharedSecret };
}

export type Direction = "client-to-server" | "server-to-client";

/** The cipher of one direction and its keys (RFC 4253 §7.2). */
export function deriveDirection(
  { agreement, hashName, hash, sharedSecret }: Exchange,
  sessionId: Buffer,
  direction: Direction,
): { readonly cipher: CipherAlgorithm; readonly keys: CipherKeys } {
  const toServer = direction === "client-to-server";
  const derive = (letter: KeyLetter, length: number): Buffer =>
    deriveKey(hashName, sharedSecret, hash, letter, sessionId, length);
  const cipher = entry(cipherAlgorithms, toServer ? agreement.cipherClientToServer : agreement.cipherServerToClient);
  const key = derive(toServer ? "C" : "D", cipher.keyLength);
  const iv = derive(toServer ? "A" : "B", cipher.ivLength);
  if (cipher.aead) return { cipher, keys: { key, iv } };
  const algorithm = entry(macAlgorithms, toServer ? agreement.macClientToServer : agreement.macServerToClient);
  return { cipher, keys: { key, iv, mac: { algorithm, key: derive(toServer ? "E" : "F", algorithm.keyLength) } } };
}

function entry<T>(registry: ReadonlyMap<string, T>, name: string): T {
  const algorithm = registry.get(name);
  if (algorithm === undefined) throw new Error(`no algorithm ${name}`);
  return algorithm;
}

function hashOf(kex: string): ExchangeHash {
  if (kex.includes("nistp384")) return "sha384";
  return kex.includes("nistp521") || kex.includes("sha512") ? "sha512" : "sha256";
}
