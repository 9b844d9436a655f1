import { hmacSha256, hmacSha256Etm, hmacSha512, hmacSha512Etm } from "./hmac.js";
import { nativeAlgorithm } from "./native/native-packets.js";
import type { CipherAlgorithm, CipherKeys, MacAlgorithm } from "./packet-cipher.js";
import { packetPath } from "./packet-path.js";
import { portableCiphers } from "./portable-ciphers.js";

/** Every cipher, the preferred first. */
export const cipherAlgorithms: ReadonlyMap<string, CipherAlgorithm> = new Map(
  portableCiphers.map((algorithm) => [algorithm.name, onPacketPath(algorithm)]),
);

/** Every MAC, the preferred first. */
export const macAlgorithms: ReadonlyMap<string, MacAlgorithm> = new Map(
  [hmacSha256Etm, hmacSha512Etm, hmacSha256, hmacSha512].map((algorithm) => [algorithm.name, algorithm]),
);

/** The cipher by what this process seals packets with, which is found out when keys are there. */
function onPacketPath(algorithm: CipherAlgorithm): CipherAlgorithm {
  let chosen: CipherAlgorithm | undefined;
  const choose = (): CipherAlgorithm => {
    const { addon } = packetPath();
    chosen ??= addon === undefined ? algorithm : nativeAlgorithm(algorithm, addon);
    return chosen;
  };
  return {
    ...algorithm,
    createSealer: (keys: CipherKeys) => choose().createSealer(keys),
    createOpener: (keys: CipherKeys) => choose().createOpener(keys),
  };
}
