import type { KeyObject } from "node:crypto";
import type { Reader } from "../../protocol/reader.js";
import type { Writer } from "../../protocol/writer.js";

/** A type of key, as certificates, blobs and signatures know it. */
export type KeyType = PlainKeyType | SecurityKeyType;

/**
 * One type of key: how its fields look in public blobs (RFC 4253 §6.6) and in OpenSSH private keys, and how it signs.
 * The readers throw KeyError, and ProtocolError from the Reader they are given.
 */
export interface PlainKeyType {
  readonly kind: "plain";
  /** Name on the wire. */
  readonly name: string;
  /** By preference. */
  readonly signatureAlgorithms: readonly string[];
  /** Whether `key`, of any origin, is of this type. */
  accepts(key: KeyObject): boolean;
  /** Size as `ssh-keygen -l` prints it. */
  bits(publicKey: KeyObject): number;

  /** The fields after the type's name, all of them hostile. */
  readPublicKey(fields: Reader): KeyObject;
  writePublicKey(fields: Writer, publicKey: KeyObject): void;

  /** The fields of an OpenSSH private key between the type's name and the comment. */
  readPrivateKey(fields: Reader): KeyObject;
  writePrivateKey(fields: Writer, privateKey: KeyObject): void;
  /**
   * Checks that the private half belongs to the public half that the same KeyObject reports.
   *
   * @throws {KeyError} `malformed` when it does not
   */
  checkPrivateKey(privateKey: KeyObject): void;

  /** The second string of a signature blob; `signatureAlgorithm` is one of `signatureAlgorithms`. */
  sign(data: Buffer, privateKey: KeyObject, signatureAlgorithm: string): Buffer;
  /** May throw ProtocolError when `signature` is malformed. */
  verify(data: Buffer, publicKey: KeyObject, signature: Buffer, signatureAlgorithm: string): boolean;
}

/**
 * A type of key that lives in a FIDO authenticator (OpenSSH PROTOCOL.u2f). Its public blob is that of `base` with the
 * application behind; it signs elsewhere, so only its public half and its signatures are read.
 */
export interface SecurityKeyType {
  readonly kind: "security-key";
  /** Name on the wire. */
  readonly name: string;
  /** By preference. */
  readonly signatureAlgorithms: readonly string[];
  /** The algorithm by which the authenticator itself signs. */
  readonly base: PlainKeyType;
}
