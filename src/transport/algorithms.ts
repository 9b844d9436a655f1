import { matchesWildcard } from "../addresses/wildcard.js";
import { ConfigurationError } from "../base/configuration-error.js";
import { checkOptions, shown } from "../base/option-checks.js";
import { certificateAlgorithms, hostKeyAlgorithms } from "../crypto/certificates/certificate-algorithms.js";
import { cipherAlgorithms, macAlgorithms } from "../crypto/cipher/registry.js";
import { compressionAlgorithms } from "../crypto/compression/registry.js";
import { keyExchangeAlgorithms } from "../crypto/kex/registry.js";
import { caSignatureAlgorithms, signatureAlgorithms } from "../crypto/keys/signature-algorithms.js";

/** Names of the algorithms that are offered, each list with the preferred first. */
export interface AlgorithmPreferences {
  /** Key exchanges. */
  readonly kex: readonly string[];
  /** Signature algorithms of host keys; offered only where a loaded key can make them. */
  readonly hostKey: readonly string[];
  /** Ciphers, of both directions. */
  readonly cipher: readonly string[];
  /** For ciphers that are not AEADs. */
  readonly mac: readonly string[];
  /** Methods of compression, of both directions. */
  readonly compression: readonly string[];
  /** The names by which users may prove a key or a certificate (PubkeyAcceptedAlgorithms in sshd_config(5)). */
  readonly publicKey: readonly string[];
  /** The algorithms with which authorities may have signed the certificates of users (CASignatureAlgorithms). */
  readonly caSignature: readonly string[];
}

/**
 * The algorithms of a kind: a list of names, or a text as sshd_config(5) has it, with commas between the names. Such a
 * text takes the place of the default, or begins with `+` to append to it, with `-` to remove from it, or with `^` to
 * put first. Its names may have wildcards: `-ecdsa-*`.
 */
export type AlgorithmSelection = string | readonly string[];

/**
 * `"default"` reaches every client in use without anything known as weak. `"hardened"` is post-quantum key exchange and
 * authenticated encryption only. An object names what differs from `"default"`.
 */
export type AlgorithmsOption =
  | "default"
  | "hardened"
  | { readonly [Kind in keyof AlgorithmPreferences]?: AlgorithmSelection };

const postQuantum = ["mlkem768x25519-sha256", "sntrup761x25519-sha512", "sntrup761x25519-sha512@openssh.com"];

/** The names that are offered where the option `algorithms` says nothing else. */
export const defaultAlgorithms: AlgorithmPreferences = frozen({
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
});

const hardened: AlgorithmPreferences = frozen({
  kex: postQuantum,
  hostKey: hostKeyAlgorithms.filter((name) => !name.startsWith("ecdsa-")),
  cipher: defaultAlgorithms.cipher,
  mac: defaultAlgorithms.mac.filter((name) => macAlgorithms.get(name)?.encryptThenMac),
  compression: ["none"],
  publicKey: defaultAlgorithms.publicKey,
  caSignature: defaultAlgorithms.caSignature,
});

/** The names that the option `algorithms` can choose, whether they are offered by default or not. */
export const supportedAlgorithms: AlgorithmPreferences = frozen({
  kex: [...keyExchangeAlgorithms.keys()],
  hostKey: hostKeyAlgorithms,
  cipher: [...cipherAlgorithms.keys()],
  mac: [...macAlgorithms.keys()],
  compression: [...compressionAlgorithms.keys()],
  publicKey: defaultAlgorithms.publicKey,
  caSignature: caSignatureAlgorithms,
});

type Kind = keyof AlgorithmPreferences;

const KINDS = Object.keys(defaultAlgorithms) as Kind[];

/** @throws {ConfigurationError} naming the list that is empty or holds a name that is not implemented */
export function resolveAlgorithms(option: AlgorithmsOption): AlgorithmPreferences {
  if (option === "default") return defaultAlgorithms;
  if (option === "hardened") return hardened;
  if (typeof option !== "object" || option === null) {
    throw new ConfigurationError("algorithms", `must be "default", "hardened" or an object, not ${shown(option)}`);
  }
  const chosen = checkOptions(option, KINDS, "algorithms");
  return frozen({
    kex: selected("kex", chosen.kex),
    hostKey: selected("hostKey", chosen.hostKey),
    cipher: selected("cipher", chosen.cipher),
    mac: selected("mac", chosen.mac),
    compression: selected("compression", chosen.compression),
    publicKey: selected("publicKey", chosen.publicKey),
    caSignature: selected("caSignature", chosen.caSignature),
  });
}

function selected(kind: Kind, selection: AlgorithmSelection | undefined): readonly string[] {
  if (selection === undefined) return defaultAlgorithms[kind];
  const names = typeof selection === "string" ? selectedByText(kind, selection) : selection;
  if (!Array.isArray(names) || names.length === 0) {
    const wanted =
      typeof selection === "string"
        ? "leave at least one name"
        : "be a list with at least one name, or a text such as +NAME";
    throw new ConfigurationError(`algorithms.${kind}`, `must ${wanted}`);
  }
  for (const name of names) if (!supportedAlgorithms[kind].includes(name)) throw notImplemented(kind, name);
  return [...new Set(names)];
}

/** Unlike in sshd, a pattern to remove has to match something: a misspelled name would stay in the list. */
function selectedByText(kind: Kind, text: string): readonly string[] {
  const [, change, list = ""] = /^([+^-]?)(.*)$/s.exec(text) ?? [];
  const names = list.split(",").flatMap((pattern) => matchingNames(kind, pattern));
  switch (change) {
    case "+":
      return [...defaultAlgorithms[kind], ...names];
    case "-":
      return defaultAlgorithms[kind].filter((name) => !names.includes(name));
    case "^":
      return [...names, ...defaultAlgorithms[kind]];
    default:
      return names;
  }
}

function matchingNames(kind: Kind, pattern: string): readonly string[] {
  const names = supportedAlgorithms[kind].filter((name) => matchesWildcard(name, pattern));
  if (names.length === 0) throw notImplemented(kind, pattern);
  return names;
}

function notImplemented(kind: Kind, name: string): ConfigurationError {
  const known = supportedAlgorithms[kind].join(", ");
  return new ConfigurationError(`algorithms.${kind}`, `"${name}" is not implemented; there are ${known}`);
}

function frozen(lists: AlgorithmPreferences): AlgorithmPreferences {
  return Object.freeze({
    kex: Object.freeze([...lists.kex]),
    hostKey: Object.freeze([...lists.hostKey]),
    cipher: Object.freeze([...lists.cipher]),
    mac: Object.freeze([...lists.mac]),
    compression: Object.freeze([...lists.compression]),
    publicKey: Object.freeze([...lists.publicKey]),
    caSignature: Object.freeze([...lists.caSignature]),
  });
}
