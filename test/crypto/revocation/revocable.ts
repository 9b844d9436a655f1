import type { RevocableKey } from "../../../src/crypto/revocation/revocable-key.js";
import { Reader } from "../../../src/protocol/reader.js";
import { Writer } from "../../../src/protocol/writer.js";

/** How many strings make up the key in a certificate, after its nonce. */
const KEY_FIELDS: Readonly<Record<string, number>> = {
  "ssh-ed25519": 1,
  "ssh-rsa": 2,
  "ecdsa-sha2-nistp256": 2,
  "ecdsa-sha2-nistp384": 2,
  "ecdsa-sha2-nistp521": 2,
};

/** The key or certificate of a `.pub` file, as far as revocation looks at it (PROTOCOL.certkeys). */
export function revocable(publicLine: string): RevocableKey {
  const publicBlob = Buffer.from(publicLine.split(" ")[1] ?? "", "base64");
  const fields = new Reader(publicBlob);
  const type = fields.readString().toString();
  if (!type.endsWith("-cert-v01@openssh.com")) return { publicBlob };
  const plainType = type.replace("-cert-v01@openssh.com", "");
  fields.readString(); // nonce
  const plain = new Writer().writeString(plainType);
  for (let count = KEY_FIELDS[plainType] ?? 0; count > 0; count--) plain.writeString(fields.readString());
  const serial = fields.readUint64();
  fields.readUint32(); // type
  const keyId = fields.readText();
  fields.readString(); // principals
  fields.readUint64();
  fields.readUint64();
  for (let count = 3; count > 0; count--) fields.readString();
  const signatureKey = { publicBlob: fields.readString() };
  return { publicBlob, certificate: { serial, keyId, signatureKey, publicKey: { publicBlob: plain.toBuffer() } } };
}
