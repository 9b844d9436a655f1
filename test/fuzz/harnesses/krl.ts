import { KeyError } from "../../../src/crypto/keys/key-error.js";
import { PKey } from "../../../src/crypto/pkey/pkey.js";
import { RevocationList } from "../../../src/crypto/revocation/revocation-list.js";
import { Writer } from "../../../src/protocol/writer.js";
import { assertTrue, type Harness, refusable } from "../engine/harness.js";
import { privateKeys, publicLines } from "../support/keys.js";

const [authority = PKey.generate({ keyType: "ed25519" }), certified = authority] = privateKeys;
const certificate = authority.signCertificate({
  publicKey: certified,
  type: "user",
  keyId: "id",
  serial: 7n,
  principals: ["admin"],
});

/** The head of PROTOCOL.krl with empty fields, and one section. */
function krl(type: number, data: Buffer): Buffer {
  return new Writer()
    .writeBytes(Buffer.from("SSHKRL\n\0"))
    .writeUint32(1)
    .writeBytes(Buffer.alloc(24))
    .writeString("")
    .writeString("comment")
    .writeByte(type)
    .writeString(data)
    .toBuffer();
}

/** The section of certificates of one authority, with one subsection. */
function certificates(type: number, data: Buffer): Buffer {
  const section = new Writer().writeString(authority.publicBlob).writeString("").writeByte(type).writeString(data);
  return krl(1, section.toBuffer());
}

const serials = new Writer().writeUint64(7n).writeUint64(9n).toBuffer();

/** Lists of revoked keys: binary ones, and texts. */
export const harness: Harness = {
  name: "krl",
  seeds: [
    certificates(0x20, serials),
    certificates(0x21, serials),
    certificates(0x22, new Writer().writeUint64(1n).writeMpint(Buffer.of(0x7f)).toBuffer()),
    certificates(0x23, new Writer().writeString("id").toBuffer()),
    krl(2, new Writer().writeString(certified.publicBlob).toBuffer()),
    krl(3, new Writer().writeString(Buffer.alloc(20)).toBuffer()),
    krl(5, new Writer().writeString(Buffer.alloc(32)).toBuffer()),
    Buffer.from(publicLines.join("\n")),
    Buffer.from("sha256:AAAA\nserial: 1-2\nid: x\n"),
  ],
  maximumLength: 48 * 1024,
  maximumTime: 400,
  memory: { base: 4 * 1024 * 1024, perByte: 2048 },
  shortRun: 1000,
  run(bytes) {
    const list = refusable(() => RevocationList.parse(bytes), KeyError);
    if (list === undefined) return;
    const isAuthorityRevoked = list.isRevoked(authority);
    const isCertifiedRevoked = list.isRevoked(certified);
    const isRevoked = list.isRevoked(certificate);
    assertTrue(isRevoked || !(isAuthorityRevoked || isCertifiedRevoked), "a certificate outlives its keys");
  },
};
