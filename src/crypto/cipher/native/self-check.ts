import type { Addon } from "../../../base/addon.js";
import { hmacSha256Etm, hmacSha512 } from "../hmac.js";
import type { CipherAlgorithm, CipherKeys } from "../packet-cipher.js";
import { portableCiphers } from "../portable-ciphers.js";
import { nativeAlgorithm } from "./native-packets.js";

const LENGTH_FIELD = 4;
/** Bytes of clear text. */
const LENGTH = 64;
const PACKETS = 3;

const clearText = Buffer.alloc(LENGTH, "packet");

/**
 * The ciphers, most often none, with which the addon makes other packets than node:crypto does, does not open packets, or opens
 * them with a wrong tag: an OpenSSL that is built in another way may have every function, and one of them may do another thing.
 * Takes a few milliseconds.
 */
export function differences(addon: Addon): string[] {
  return portableCiphers
    .flatMap((algorithm) => suites(algorithm).map((keys) => ({ algorithm, keys })))
    .filter(({ algorithm, keys }) => {
      const native = nativeAlgorithm(algorithm, addon);
      const right = sealed(algorithm, keys);
      return !sealed(native, keys).equals(right) || !opens(native, keys, right);
    })
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
    const room = Buffer.alloc(sealer.tagLength);
    const packets = Array.from({ length: PACKETS }, () => Buffer.concat([clearText, room]));
    for (const [sequenceNumber, packet] of packets.entries()) sealer.seal(packet, sequenceNumber);
    return Buffer.concat(packets);
  } catch {
    return Buffer.alloc(0);
  }
}

/** Whether packets are opened, and the last is refused once its tag is another. */
function opens(algorithm: CipherAlgorithm, keys: CipherKeys, packets: Buffer): boolean {
  const length = packets.length / PACKETS;
  const packet = (index: number) => Buffer.from(packets.subarray(index * length, (index + 1) * length));
  const changed = packet(2);
  const content = clearText.subarray(LENGTH_FIELD);
  try {
    const opener = algorithm.createOpener(keys);
    const hasLength = (header: Buffer, index: number) => opener.readLength(header, index) === clearText.readUInt32BE();
    for (const [sequenceNumber, whole] of [packet(0), packet(1)].entries()) {
      if (!hasLength(whole, sequenceNumber) || !opener.open(whole, sequenceNumber).equals(content)) return false;
    }
    if (!hasLength(changed, 2)) return false;
    changed.writeUInt8(changed.readUInt8(length - 1) ^ 1, length - 1);
    return !accepts(() => opener.open(changed, 2));
  } catch {
    return false;
  }
}

function accepts(open: () => Buffer): boolean {
  try {
    open();
    return true;
  } catch {
    return false;
  }
}
