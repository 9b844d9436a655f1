import { isOfAnotherCopy, OF_ANOTHER_COPY } from "../../base/another-copy.js";
import { ConfigurationError } from "../../base/configuration-error.js";
import { checkChoice, checkInteger, checkOptions, checkText } from "../../base/option-checks.js";
import { Writer } from "../../protocol/writer.js";
import { CertificateContents } from "../certificates/certificate-contents.js";
import { certificateNameOf } from "../certificates/certificate-names.js";
import { CERTIFICATE_TERMS, type CertificateTerms, encodeCertificate } from "../certificates/encode-certificate.js";
import type { CertificateFields } from "../certificates/read-certificate.js";
import { quoted, readKeyFile, writeKeyFile } from "../key-formats/key-file.js";
import { writeOpenSSHPrivateKey } from "../key-formats/openssh-private-key.js";
import { parseKey } from "../key-formats/parse-key.js";
import { BCRYPT_MAXIMUM_ROUNDS, passphraseBytes } from "../key-formats/passphrase.js";
import { writePublicLine } from "../key-formats/public-line.js";
import { type KeyOrCertificate, publicMaterial } from "../key-formats/public-material.js";
import { fingerprintOf } from "../keys/fingerprint.js";
import { KeyError } from "../keys/key-error.js";
import { type KeyMaterial, printable, privateMaterial } from "../keys/key-material.js";
import { type VerifiedSignature, verifySignature } from "../keys/key-signature.js";
import { type GenerateOptions, generatePrivateKey } from "./generate-key.js";
import type { HostKey } from "./host-key.js";
import { checkReadOptions, type ReadOptions } from "./read-options.js";

/** Options of `PKey.toOpenSSH`. */
export interface OpenSSHOptions {
  /** Encrypts the key (aes256-ctr under bcrypt). Must not be empty: leave it out for a key in clear. */
  readonly passphrase?: string | Uint8Array;
  /** In place of the key's own comment. Readable only with the passphrase. */
  readonly comment?: string;
  /** Rounds of bcrypt, 16 to 1024, about 13 ms each: 24 by default. */
  readonly rounds?: number;
}

/** Options of `PKey.writeFile`. */
export interface WriteOptions extends OpenSSHOptions {
  /** Whether a file that is already there is replaced. Default "refuse". */
  readonly existing?: "refuse" | "replace";
}

const OPENSSH_OPTIONS = ["passphrase", "comment", "rounds"] as const;

const BCRYPT_MINIMUM_ROUNDS = 16;
const BCRYPT_DEFAULT_ROUNDS = 24;

/** The contents of a new certificate, and the key that it certifies. */
export interface SignCertificateOptions extends CertificateTerms {
  /** The key to certify. */
  readonly publicKey: PKey;
  /** The algorithm with which the authority signs, by default the first of its `signatureAlgorithms`. */
  readonly signatureAlgorithm?: string;
}

const SIGN_CERTIFICATE_OPTIONS = ["publicKey", ...CERTIFICATE_TERMS, "signatureAlgorithm"] as const;

/**
 * The contents of an OpenSSH certificate (PROTOCOL.certkeys). It is well-formed and signed by `signatureKey`; anybody
 * can make such a certificate. The caller decides whether `signatureKey` is an authority to trust, and for which of the
 * principals; `certificateProblem` checks everything that needs no configuration.
 */
export class Certificate extends CertificateContents {
  /** The key that is certified, which is not a certificate itself. */
  readonly publicKey: PKey;
  /** The authority's key, which is not a certificate itself. */
  readonly signatureKey: PKey;

  /** @internal Certificates are read by `PKey`. */
  constructor(fields: CertificateFields, publicKey: PKey, signatureKey: PKey) {
    super(fields);
    this.publicKey = publicKey;
    this.signatureKey = signatureKey;
  }
}

/**
 * A public key, optionally with its private half: Ed25519, ECDSA over the NIST curves, RSA, or a key in a FIDO
 * authenticator, which is public only. Any of them can be a certificate, as in OpenSSH's `-cert.pub` files. Immutable.
 * With its private half it can be a server's host key.
 */
export class PKey implements HostKey {
  readonly #material: KeyOrCertificate;
  readonly #publicKey: PKey;
  /** The contents of a key that is a certificate. Its signature is verified; the caller asks by which authority. */
  readonly certificate: Certificate | undefined;
  /** Free text that came with the key, control characters replaced; empty when there was none. */
  readonly comment: string;

  private constructor(material: KeyOrCertificate) {
    const { privateKey, ...publicHalf } = material;
    this.#material = material;
    this.#publicKey = privateKey === undefined ? this : new PKey(publicHalf);
    this.comment = material.comment.replace(/\p{Cc}/gu, " ").trim();
    this.certificate =
      material.certificate === undefined
        ? undefined
        : new Certificate(
            material.certificate,
            new PKey(material.certificate.certified),
            new PKey(material.certificate.authority),
          );
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
   * Reads a private key (OpenSSH, PKCS #8, PKCS #1, SEC 1), a public one (one line as in a `.pub` file, RFC 4716,
   * SubjectPublicKeyInfo, PKCS #1) or a certificate (one line as in a `-cert.pub` file). Synchronous: an
   * encrypted OpenSSH key takes 13 ms for each of its rounds of bcrypt, and may ask for 1024 of them.
   *
   * @throws {KeyError} with a `code` that tells why
   * @throws {ConfigurationError} when an option cannot be used
   */
  static fromString(text: string | Uint8Array, options: ReadOptions = {}): PKey {
    const { passphrase } = checkReadOptions(options);
    const decoded = typeof text === "string" ? text : Buffer.from(text).toString("utf8");
    return new PKey(parseKey(decoded.replace(/^\uFEFF/, ""), passphraseBytes(passphrase)));
  }

  /**
   * Reads a file as `fromString` does.
   *
   * @throws {KeyError} whose message names the file
   * @throws {ConfigurationError} when an option cannot be used
   */
  static async fromFile(path: string, options: ReadOptions = {}): Promise<PKey> {
    checkReadOptions(options);
    const content = await readKeyFile(path);
    try {
      return PKey.fromString(content, options);
    } catch (error) {
      if (!(error instanceof KeyError)) throw error;
      throw new KeyError(error.code, `cannot use the key file ${quoted(path)}: ${error.message}`, { cause: error });
    }
  }

  /**
   * Reads a public key or a certificate as peers send it (RFC 4253 §6.6). Any bytes may be given.
   *
   * @throws {KeyError} `malformed`, `unsupported` or `weak`
   */
  static fromBlob(blob: Uint8Array): PKey {
    return new PKey(publicMaterial(Buffer.from(blob.buffer, blob.byteOffset, blob.byteLength), ""));
  }

  /**
   * `ssh-ed25519`, `ecdsa-sha2-nistp256`, `ecdsa-sha2-nistp384`, `ecdsa-sha2-nistp521`, `ssh-rsa`,
   * `sk-ssh-ed25519@openssh.com` or `sk-ecdsa-sha2-nistp256@openssh.com`; for a certificate of such a key
   * `ssh-ed25519-cert-v01@openssh.com` and so on.
   */
  get keyType(): string {
    const { type, certificate } = this.#material;
    return certificate === undefined ? type.name : certificateNameOf(type.name);
  }

  /** RFC 4253 §6.6; the whole certificate where the key is one. Not to be changed. */
  get publicBlob(): Buffer {
    return this.#material.publicBlob;
  }

  /**
   * The algorithms that this key signs with, by preference. For RSA `rsa-sha2-512` and `rsa-sha2-256`, never SHA-1. For
   * a certificate the names by which a peer asks for it, such as `rsa-sha2-512-cert-v01@openssh.com`.
   */
  get signatureAlgorithms(): readonly string[] {
    const { type, certificate } = this.#material;
    return certificate === undefined ? type.signatureAlgorithms : type.signatureAlgorithms.map(certificateNameOf);
  }

  /** The size that `ssh-keygen -l` prints. */
  get bits(): number {
    const { type, opened } = this.#material;
    return (type.kind === "plain" ? type : type.base).bits(opened.key);
  }

  /** The application of a security key, `ssh:` by default (OpenSSH PROTOCOL.u2f); undefined for every other key. */
  get application(): string | undefined {
    return this.#material.application;
  }

  /** Whether it can sign: a key that was read from its public half cannot. */
  get hasPrivateKey(): boolean {
    return this.#material.privateKey !== undefined;
  }

  /** The same key without its private half. */
  get publicKey(): PKey {
    return this.#publicKey;
  }

  /** `SHA256:` and unpadded base64, as `ssh-keygen -l` prints it: for a certificate that of the key it certifies. */
  fingerprint(): string {
    const { publicBlob, certificate } = this.#material;
    return fingerprintOf(certificate?.certified.publicBlob ?? publicBlob);
  }

  /**
   * Whether both have the same public half; comments and private halves do not matter. A certificate equals no key but
   * itself: compare `certificate.publicKey` where the key in it is meant.
   */
  equals(other: PKey): boolean {
    return this.publicBlob.equals(other.publicBlob);
  }

  /**
   * The signature of `data` (RFC 4253 §6.6): a string with the algorithm, a string with the signature itself. A
   * certificate's signature names the algorithm of its key: `rsa-sha2-512` for `rsa-sha2-512-cert-v01@openssh.com`.
   *
   * @param signatureAlgorithm one of `signatureAlgorithms`, the first by default
   * @throws {KeyError} `public-only` without a private half, `unsupported` for another algorithm
   */
  sign(data: Buffer, signatureAlgorithm: string | undefined = this.signatureAlgorithms[0]): Buffer {
    const { type, privateKey } = this.#material;
    if (privateKey === undefined || type.kind !== "plain") {
      throw new KeyError("public-only", "a key without its private half cannot sign");
    }
    const algorithm = this.#ownAlgorithm(signatureAlgorithm);
    if (algorithm === undefined) {
      throw new KeyError(
        "unsupported",
        `a key of type ${this.keyType} does not sign with ${printable(`${signatureAlgorithm}`)}`,
      );
    }
    const signature = type.sign(data, privateKey, algorithm);
    return new Writer(signature.length + 64).writeString(algorithm).writeString(signature).toBuffer();
  }

  /**
   * Whether `signature`, a blob as `sign` makes it, is this key's signature of `data`. Any bytes may be given: a
   * malformed blob, or one that names an algorithm of another key type, is not a signature. For a security key it takes
   * the touch of a user; `verifySignature` tells more.
   *
   * @param signatureAlgorithm the one algorithm to accept; any of `signatureAlgorithms` by default
   */
  verify(data: Buffer, signature: Buffer, signatureAlgorithm?: string): boolean {
    const verified = this.verifySignature(data, signature, signatureAlgorithm);
    return verified !== undefined && verified.securityKey?.userPresent !== false;
  }

  /**
   * As `verify`, and tells the statements of a security key in its signature. The caller has to demand that the user
   * was present: `securityKey.userPresent`.
   *
   * @returns undefined when it is not this key's signature of `data`
   */
  verifySignature(data: Buffer, signature: Buffer, signatureAlgorithm?: string): VerifiedSignature | undefined {
    if (signatureAlgorithm === undefined) return verifySignature(this.#material, data, signature);
    const algorithm = this.#ownAlgorithm(signatureAlgorithm);
    return algorithm === undefined ? undefined : verifySignature(this.#material, data, signature, algorithm);
  }

  /** The key without its certificate. */
  get #plainMaterial(): KeyMaterial {
    const { certificate, privateKey } = this.#material;
    if (certificate === undefined) return this.#material;
    return privateKey === undefined ? certificate.certified : { ...certificate.certified, privateKey };
  }

  /** The key's own algorithm for `signatureAlgorithm`, which is one of its `signatureAlgorithms`. */
  #ownAlgorithm(signatureAlgorithm: string | undefined): string | undefined {
    if (signatureAlgorithm === undefined) return undefined;
    return this.#material.type.signatureAlgorithms[this.signatureAlgorithms.indexOf(signatureAlgorithm)];
  }

  /**
   * This key with a certificate for it, as a host key to give to a server: clients that trust the certificate's
   * authority take the key without having seen it before.
   *
   * @param certificate a key read from a `-cert.pub` file, or made by `signCertificate`
   * @throws {KeyError} `public-only` without a private half, `unsupported` when it is not a certificate, `malformed`
   *   when it is one for another key
   */
  withCertificate(certificate: PKey): PKey {
    const { privateKey } = this.#material;
    const { certificate: fields } = certificate.#material;
    if (privateKey === undefined) throw new KeyError("public-only", "the certified key has no private half");
    if (fields === undefined) throw new KeyError("unsupported", "this is a key and not a certificate");
    if (!fields.certified.publicBlob.equals(this.#plainMaterial.publicBlob)) {
      throw new KeyError("malformed", "the certificate is for another key");
    }
    return new PKey({ ...certificate.#material, privateKey, comment: this.comment });
  }

  /**
   * Certifies another key, with this one as the authority (OpenSSH PROTOCOL.certkeys).
   *
   * @returns the certificate; `toPublicString` gives the text of its file
   * @throws {ConfigurationError} when an option does not exist, or is out of range
   * @throws {KeyError} `public-only` without a private half, `unsupported` when one of both keys is a certificate or
   *   the authority has no such algorithm, `malformed` when an option's text is not of its form
   */
  signCertificate(options: SignCertificateOptions): PKey {
    const { publicKey, signatureAlgorithm, ...terms } = checkOptions(options, SIGN_CERTIFICATE_OPTIONS);
    if (!(publicKey instanceof PKey)) {
      throw new ConfigurationError("publicKey", isOfAnotherCopy(publicKey, PKey) ? OF_ANOTHER_COPY : "must be a PKey");
    }
    if (signatureAlgorithm !== undefined) checkText("signatureAlgorithm", signatureAlgorithm);
    const certified = publicKey.#material;
    if (this.certificate !== undefined || certified.certificate !== undefined) {
      throw new KeyError("unsupported", "a certificate neither certifies a key nor is certified itself");
    }
    const sign = (data: Buffer) => this.sign(data, signatureAlgorithm);
    return new PKey(publicMaterial(encodeCertificate(certified, this.publicBlob, terms, sign), certified.comment));
  }

  /**
   * The private key as the text of an OpenSSH key file, without its certificate. Synchronous: with a passphrase it
   * takes 13 ms for each round.
   *
   * @throws {KeyError} `public-only` without a private half
   * @throws {ConfigurationError} when an option is out of range
   */
  toOpenSSH(options: OpenSSHOptions = {}): string {
    return this.#toOpenSSH(checkOptions(options, OPENSSH_OPTIONS));
  }

  #toOpenSSH(options: OpenSSHOptions): string {
    const comment = checkComment(options.comment ?? this.comment);
    const { rounds = BCRYPT_DEFAULT_ROUNDS } = options;
    checkInteger("rounds", rounds, BCRYPT_MINIMUM_ROUNDS, BCRYPT_MAXIMUM_ROUNDS);
    if (options.passphrase === undefined) return writeOpenSSHPrivateKey(this.#plainMaterial, comment);
    const passphrase = passphraseBytes(options.passphrase);
    if (passphrase === undefined) throw new ConfigurationError("passphrase", "must not be empty");
    return writeOpenSSHPrivateKey(this.#plainMaterial, comment, { passphrase, rounds });
  }

  /**
   * The public key on one line, as in a `.pub` or authorized_keys file, without a line break at its end.
   *
   * @throws {ConfigurationError} when the comment would break the line
   */
  toPublicString(options: { readonly comment?: string } = {}): string {
    const { comment = this.comment } = checkOptions(options, ["comment"]);
    return writePublicLine(this.keyType, this.publicBlob, checkComment(comment));
  }

  /**
   * Writes the text of `toOpenSSH` to a file that only its owner can read (mode 0600). The file appears complete or not
   * at all; symbolic links are not followed.
   *
   * @throws {KeyError} `exists` when there is a file and it is not to be replaced, `unwritable`, or as `toOpenSSH`
   */
  async writeFile(path: string, options: WriteOptions = {}): Promise<void> {
    const { existing = "refuse", ...format } = checkOptions(options, [...OPENSSH_OPTIONS, "existing"]);
    checkChoice("existing", existing, ["refuse", "replace"]);
    await writeKeyFile(path, this.#toOpenSSH(format), existing);
  }
}

/** A line break in a comment would let it add a line, and so a key, to an authorized_keys file. */
function checkComment(comment: string): string {
  if (/\p{Cc}/u.test(checkText("comment", comment)))
    throw new ConfigurationError("comment", "must not hold control characters");
  return comment;
}
