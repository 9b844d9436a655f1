import { hmacSha256Etm, hmacSha512 } from "../hmac.js";
import type { CipherAlgorithm, CipherKeys } from "../packet-cipher.js";
import { portableCiphers } from "../portable-ciphers.js";
import type { Addon } from "./addon.js";
import { nativeAlgorithm } from "./native-packets.js";

/** Bytes of clear text. */
const LENGTH = 64;
const PACKETS = 2;

/**
 * The ciphers, if any, whose packets are others by the addon than by node:crypto: an OpenSSL that is built in another way
 * may have every function, and one of them may do another thing. Takes about a millisecond.
 */
export function differences(addon: Addon): string[] {
  return portableCiphers
    .flatMap((algorithm) => suites(algorithm).map((keys) => ({ algorithm, keys })))
    .filter(({ algorithm, keys }) => !sealed(nativeAlgorithm(algorithm, addon), keys).equals(sealed(algorithm, keys)))
    .map(({ algorithm: { name }, keys: { mac } }) => (mac === undefined ? name : `${name} with ${mac.algorithm.name}`));
}

function suites({ keyLength, ivLength, aead }: CipherAlgorithm): CipherKeys[] {
  const keys = { key: Buffer.alloc(keyLength, "key"), iv: Buffer.alloc(ivLength, "iv") };
  if (aead) return [keys];
  return [hmacSha256Etm, hmacSha512].map((algorithm) => ({
    ...keys,
    mac: { algorithm, key: Buffer.alloc(algorithm.keyLength, "mac") },
  }));
}

/** Packets one after the other, since what is kept from one to the next counts; empty where an exception was thrown. */
function sealed(algorithm: CipherAlgorithm, keys: CipherKeys): Buffer {
  try {
    const sealer = algorithm.createSealer(keys);
    const packets = Array.from({ length: PACKETS }, () => Buffer.alloc(LENGTH + sealer.tagLength, "packet"));
    for (const [sequenceNumber, packet] of packets.entries()) sealer.seal(packet, sequenceNumber);
    return Buffer.concat(packets);
  } catch {
    return Buffer.alloc(0);
  }
}
