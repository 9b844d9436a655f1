import { createHash } from "node:crypto";
import { ConfigurationError, ProtocolError } from "../../protocol/errors.js";
import { Reader } from "../../protocol/reader.js";
import { Writer } from "../../protocol/writer.js";
import { ECDSA_BITS, generateEcdsa } from "./ecdsa.js";
import { generateEd25519 } from "./ed25519.js";
import type { HostKey } from "./host-key.js";
import { KeyError } from "./key-error.js";
import { quoted, readKeyFile, writeKeyFile } from "./key-file.js";
import { type KeyMaterial, printable, privateMaterial, publicMaterial } from "./key-material.js";
import { writeOpenSSHPrivateKey } from "./openssh-private-key.js";
import { parseKey } from "./parse-key.js";
import { BCRYPT_MAXIMUM_ROUNDS, passphraseBytes } from "./passphrase.js";
import { writePublicLine } from "./public-line.js";
import { generateRsa, RSA_MAXIMUM_BITS, RSA_MINIMUM_BITS } from "./rsa.js";

export interface GenerateOptions {
  readonly keyType: "ed25519" | "ecdsa" | "rsa";
  /** For ecdsa 256 (default), 384 or 521; for rsa 2048 to 16384, 3072 by default. Ed25519 keys have one size. */
  readonly bits?: number;
}

export interface ReadOptions {
  /** Bytes, or a text taken as UTF-8. Not used, and no error, for a key that is not encrypted. */
  readonly passphrase?: string | Uint8Array;
}

export interface OpenSSHOptions {
  /** Encrypts the key (aes256-ctr under bcrypt). Must not be empty: leave it out for a key in clear. */
  readonly passphrase?: string | Uint8Array;
  /** In place of the key's own comment. Readable only with the passphrase. */
  readonly comment?: string;
  /** Rounds of bcrypt, 16 to 1024, about 13 ms each: 24 by default. */
  readonly rounds?: number;
}

export interface WriteOptions extends OpenSSHOptions {
  /** What to do about a file that is already there. Default "refuse". */
  readonly existing?: "refuse" | "replace";
}

const RSA_DEFAULT_BITS = 3072;
const ECDSA_DEFAULT_BITS = 256;
const BCRYPT_MINIMUM_ROUNDS = 16;
const BCRYPT_DEFAULT_ROUNDS = 24;

/**
 * A public key, optionally with its private half: Ed25519, ECDSA over the NIST curves, or RSA. Immutable. With its
 * private half it can be a server's host key.
 */
export class PKey implements HostKey {
  readonly #material: KeyMaterial;
  readonly #publicKey: PKey;
  /** Free text that came with the key, control characters replaced; empty when there was none. */
  readonly comment: string;

  private constructor(material: KeyMaterial) {
    const { privateKey, ...publicHalf } = material;
    this.#material = material;
    this.#publicKey = privateKey === undefined ? this : new PKey(publicHalf);
    this.comment = material.comment.replace(/\p{Cc}/gu, " ").trim();
  }

  /**
   * A new key, with its private half. Synchronous: RSA takes up to seconds.
   *
   * @throws {ConfigurationError} when an option is out of range
   */
  static generate(options: GenerateOptions): PKey {
    return new PKey(privateMaterial(generatePrivateKey(options), ""));
  }

  /**
   * Reads a private key (OpenSSH, PKCS #8, PKCS #1, SEC 1) or a public one (one line as in a `.pub` file, RFC 4716,
   * SubjectPublicKeyInfo, PKCS #1). Synchronous: an encrypted OpenSSH key takes 13 ms for each of its rounds of bcrypt, of
   * which it may ask for 1024.
   *
   * @throws {KeyError} with a `code` that tells why
   */
  static fromString(text: string | Uint8Array, options: ReadOptions = {}): PKey {
    const decoded = typeof text === "string" ? text : Buffer.from(text).toString("utf8");
    return new PKey(parseKey(decoded.replace(/^\uFEFF/, ""), passphraseBytes(options.passphrase)));
  }

  /**
   * Reads a file as `fromString` does.
   *
   * @throws {KeyError} whose message names the file
   */
  static async fromFile(path: string, options: ReadOptions = {}): Promise<PKey> {
    const content = await readKeyFile(path);
    try {
      return PKey.fromString(content, options);
    } catch (error) {
      if (!(error instanceof KeyError)) throw error;
      throw new KeyError(error.code, `cannot use the key file ${quoted(path)}: ${error.message}`, { cause: error });
    }
  }

  /**
   * Reads a public key as peers send it (RFC 4253 §6.6). Any bytes may be given.
   *
   * @throws {KeyError} `malformed`, `unsupported` or `weak`
   */
  static fromBlob(blob: Uint8Array): PKey {
    return new PKey(publicMaterial(Buffer.from(blob.buffer, blob.byteOffset, blob.byteLength), ""));
  }

  /** `ssh-ed25519`, `ecdsa-sha2-nistp256`, `ecdsa-sha2-nistp384`, `ecdsa-sha2-nistp521` or `ssh-rsa`. */
  get keyType(): string {
    return this.#material.type.name;
  }

  /** RFC 4253 §6.6. Not to be changed. */
  get publicBlob(): Buffer {
    return this.#material.publicBlob;
  }

  /** What this key signs with, by preference. For RSA `rsa-sha2-512` and `rsa-sha2-256`, never SHA-1. */
  get signatureAlgorithms(): readonly string[] {
    return this.#material.type.signatureAlgorithms;
  }

  /** The size that `ssh-keygen -l` prints. */
  get bits(): number {
    return this.#material.type.bits(this.#material.publicKey);
  }

  get hasPrivateKey(): boolean {
    return this.#material.privateKey !== undefined;
  }

  /** The same key without its private half. */
  get publicKey(): PKey {
    return this.#publicKey;
  }

  /** `SHA256:` and unpadded base64, as `ssh-keygen -l` prints it. */
  fingerprint(): string {
    const hash = createHash("sha256").update(this.publicBlob).digest("base64");
    return `SHA256:${hash.replace(/=+$/, "")}`;
  }

  /** Whether both have the same public half; comments and private halves do not matter. */
  equals(other: PKey): boolean {
    return this.publicBlob.equals(other.publicBlob);
  }

  /**
   * The signature of `data` (RFC 4253 §6.6): a string with the algorithm, a string with the signature itself.
   *
   * @param signatureAlgorithm one of `signatureAlgorithms`, the first by default
   * @throws {KeyError} `public-only` without a private half, `unsupported` for another algorithm
   */
  sign(data: Buffer, signatureAlgorithm: string | undefined = this.signatureAlgorithms[0]): Buffer {
    const { type, privateKey } = this.#material;
    if (privateKey === undefined) throw new KeyError("public-only", "a key without its private half cannot sign");
    if (signatureAlgorithm === undefined || !type.signatureAlgorithms.includes(signatureAlgorithm)) {
      throw new KeyError(
        "unsupported",
        `a key of type ${type.name} does not sign with ${printable(`${signatureAlgorithm}`)}`,
      );
    }
    const signature = type.sign(data, privateKey, signatureAlgorithm);
    return new Writer(signature.length + 64).writeString(signatureAlgorithm).writeString(signature).toBuffer();
  }

  /**
   * Whether `signature`, a blob as `sign` makes it, is this key's signature of `data`. Any bytes may be given: what is
   * malformed, or names an algorithm that is not this key's, is not a signature.
   *
   * @param signatureAlgorithm the one algorithm to accept; any of `signatureAlgorithms` by default
   */
  verify(data: Buffer, signature: Buffer, signatureAlgorithm?: string): boolean {
    const { type, publicKey } = this.#material;
    try {
      const fields = new Reader(signature);
      const named = fields.readString().toString("latin1");
      const bytes = fields.readString();
      fields.end();
      if (!type.signatureAlgorithms.includes(named)) return false;
      if (signatureAlgorithm !== undefined && signatureAlgorithm !== named) return false;
      return type.verify(data, publicKey, bytes, named);
    } catch (error) {
      if (error instanceof ProtocolError) return false;
      throw error;
    }
  }

  /**
   * The private key as the text of an OpenSSH key file. Synchronous: with a passphrase it takes 13 ms for each round.
   *
   * @throws {KeyError} `public-only` without a private half
   * @throws {ConfigurationError} when an option is out of range
   */
  toOpenSSH(options: OpenSSHOptions = {}): string {
    const comment = checkComment(options.comment ?? this.comment);
    if (options.passphrase === undefined) return writeOpenSSHPrivateKey(this.#material, comment);
    const passphrase = passphraseBytes(options.passphrase);
    if (passphrase === undefined) throw new ConfigurationError("passphrase", "must not be empty");
    const rounds = options.rounds ?? BCRYPT_DEFAULT_ROUNDS;
    checkRange("rounds", rounds, BCRYPT_MINIMUM_ROUNDS, BCRYPT_MAXIMUM_ROUNDS);
    return writeOpenSSHPrivateKey(this.#material, comment, { passphrase, rounds });
  }

  /**
   * The public key on one line, as in a `.pub` or authorized_keys file, without a line break at its end.
   *
   * @throws {ConfigurationError} when the comment would break the line
   */
  toPublicString(options: { readonly comment?: string } = {}): string {
    return writePublicLine(this.#material, checkComment(options.comment ?? this.comment));
  }

  /**
   * Writes what `toOpenSSH` gives to a file that only its owner can read (mode 0600). The file appears complete or not
   * at all; symbolic links are not followed.
   *
   * @throws {KeyError} `exists` when there is a file and it is not to be replaced, `unwritable`, or as `toOpenSSH`
   */
  async writeFile(path: string, options: WriteOptions = {}): Promise<void> {
    await writeKeyFile(path, this.toOpenSSH(options), options.existing ?? "refuse");
  }
}

function generatePrivateKey({ keyType, bits }: GenerateOptions) {
  switch (keyType) {
    case "ed25519":
      if (bits !== undefined && bits !== 256) throw new ConfigurationError("bits", "an Ed25519 key has 256 bits");
      return generateEd25519();
    case "ecdsa":
      if (bits !== undefined && !ECDSA_BITS.includes(bits)) {
        throw new ConfigurationError("bits", `an ECDSA key has ${ECDSA_BITS.join(", ")} bits`);
      }
      return generateEcdsa(bits ?? ECDSA_DEFAULT_BITS);
    case "rsa":
      if (bits !== undefined) checkRange("bits", bits, RSA_MINIMUM_BITS, RSA_MAXIMUM_BITS);
      return generateRsa(bits ?? RSA_DEFAULT_BITS);
    default:
      throw new ConfigurationError("keyType", 'must be "ed25519", "ecdsa" or "rsa"');
  }
}

function checkRange(option: string, value: number, minimum: number, maximum: number): void {
  if (!Number.isInteger(value) || value < minimum || value > maximum) {
    throw new ConfigurationError(option, `must be an integer from ${minimum} to ${maximum}`);
  }
}

/** A line break in a comment would let it add a line, and so a key, to an authorized_keys file. */
function checkComment(comment: string): string {
  if (/\p{Cc}/u.test(comment)) throw new ConfigurationError("comment", "must not hold control characters");
  return comment;
}
