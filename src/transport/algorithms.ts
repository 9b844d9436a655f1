import { ConfigurationError } from "../base/configuration-error.js";
import { checkOptions } from "../base/option-checks.js";
import { certificateAlgorithms, hostKeyAlgorithms } from "../crypto/certificates/certificate-algorithms.js";
import { cipherAlgorithms, macAlgorithms } from "../crypto/cipher/registry.js";
import { compressionAlgorithms } from "../crypto/compression/registry.js";
import { keyExchangeAlgorithms } from "../crypto/kex/registry.js";
import { caSignatureAlgorithms, signatureAlgorithms } from "../crypto/keys/signature-algorithms.js";

/** Names of the algorithms that are offered, each list with the preferred first. */
export interface AlgorithmPreferences {
  readonly kex: readonly string[];
  /** Signature algorithms of host keys; offered only where a loaded key can make them. */
  readonly hostKey: readonly string[];
  readonly cipher: readonly string[];
  /** For ciphers that are no AEADs. */
  readonly mac: readonly string[];
  readonly compression: readonly string[];
  /** By what names users may prove a key or a certificate (PubkeyAcceptedAlgorithms in sshd_config(5)). */
  readonly publicKey: readonly string[];
  /** What authorities may have signed the certificates of users with (CASignatureAlgorithms). */
  readonly caSignature: readonly string[];
}

/**
 * `"default"` reaches every client in use without anything known as weak. `"hardened"` is post-quantum key exchange and
 * authenticated encryption only. An object names what differs from `"default"`.
 */
export type AlgorithmsOption = "default" | "hardened" | Partial<AlgorithmPreferences>;

const postQuantum = ["mlkem768x25519-sha256", "sntrup761x25519-sha512", "sntrup761x25519-sha512@openssh.com"];

const defaults: AlgorithmPreferences = {
  kex: [
    ...postQuantum,
    "curve25519-sha256",
    "curve25519-sha256@libssh.org",
    "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384",
    "ecdh-sha2-nistp521",
  ],
  hostKey: hostKeyAlgorithms,
  cipher: [...cipherAlgorithms.keys()],
  mac: [...macAlgorithms.keys()],
  compression: [...compressionAlgorithms.keys()],
  publicKey: [...certificateAlgorithms, ...signatureAlgorithms],
  caSignature: caSignatureAlgorithms,
};

const hardened: AlgorithmPreferences = {
  kex: postQuantum,
  hostKey: hostKeyAlgorithms.filter((name) => !name.startsWith("ecdsa-")),
  cipher: defaults.cipher,
  mac: defaults.mac.filter((name) => macAlgorithms.get(name)?.encryptThenMac),
  compression: ["none"],
  publicKey: defaults.publicKey,
  caSignature: defaults.caSignature,
};

const implemented = {
  kex: keyExchangeAlgorithms,
  hostKey: new Set(hostKeyAlgorithms),
  cipher: cipherAlgorithms,
  mac: macAlgorithms,
  compression: compressionAlgorithms,
  publicKey: new Set(defaults.publicKey),
  caSignature: new Set(caSignatureAlgorithms),
};

/** @throws {ConfigurationError} naming the list that is empty or holds a name that is not implemented */
export function resolveAlgorithms(option: AlgorithmsOption): AlgorithmPreferences {
  if (option === "default") return defaults;
  if (option === "hardened") return hardened;
  if (typeof option !== "object" || option === null) {
    throw new ConfigurationError("algorithms", `must be "default", "hardened" or an object, not ${String(option)}`);
  }
  checkOptions(option, Object.keys(defaults) as (keyof AlgorithmPreferences)[], "algorithms");
  return {
    kex: checkedNames("kex", option.kex),
    hostKey: checkedNames("hostKey", option.hostKey),
    cipher: checkedNames("cipher", option.cipher),
    mac: checkedNames("mac", option.mac),
    compression: checkedNames("compression", option.compression),
    publicKey: checkedNames("publicKey", option.publicKey),
    caSignature: checkedNames("caSignature", option.caSignature),
  };
}

function checkedNames(kind: keyof AlgorithmPreferences, names: readonly string[] | undefined): readonly string[] {
  if (names === undefined) return defaults[kind];
  if (!Array.isArray(names) || names.length === 0) {
    throw new ConfigurationError(`algorithms.${kind}`, "must be a list with at least one name");
  }
  for (const name of names) {
    if (implemented[kind].has(name)) continue;
    const known = [...implemented[kind].keys()].join(", ");
    throw new ConfigurationError(`algorithms.${kind}`, `"${name}" is not implemented; there are ${known}`);
  }
  return [...new Set(names)];
}
