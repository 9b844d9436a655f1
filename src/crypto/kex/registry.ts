import {
  diffieHellmanGroup14Sha256,
  diffieHellmanGroup16Sha512,
  diffieHellmanGroup18Sha512,
} from "./diffie-hellman.js";
import {
  curve25519Sha256,
  curve25519Sha256Libssh,
  ecdhSha2Nistp256,
  ecdhSha2Nistp384,
  ecdhSha2Nistp521,
} from "./ecdh.js";
import { diffieHellmanGroupExchangeSha256 } from "./group-exchange.js";
import type { KeyExchangeAlgorithm } from "./key-exchange.js";
import { mlkem768x25519Sha256 } from "./mlkem.js";
import { sntrup761x25519Sha512, sntrup761x25519Sha512Openssh } from "./sntrup761.js";

/** All key exchange methods by name, in the server's order of preference. */
export const keyExchangeAlgorithms: ReadonlyMap<string, KeyExchangeAlgorithm> = new Map(
  [
    mlkem768x25519Sha256,
    sntrup761x25519Sha512,
    sntrup761x25519Sha512Openssh,
    curve25519Sha256,
    curve25519Sha256Libssh,
    ecdhSha2Nistp256,
    ecdhSha2Nistp384,
    ecdhSha2Nistp521,
    diffieHellmanGroup14Sha256,
    diffieHellmanGroup16Sha512,
    diffieHellmanGroup18Sha512,
    diffieHellmanGroupExchangeSha256,
  ].map((algorithm) => [algorithm.name, algorithm]),
);
