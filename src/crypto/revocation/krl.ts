import type { Steps } from "../../base/time-slices.js";
import { ProtocolError } from "../../protocol/errors.js";
import { Reader } from "../../protocol/reader.js";
import { readCertificatesSection } from "./krl-certificates.js";
import { malformedKRL, passExtension, readCString, readSection, unknownSection } from "./krl-fields.js";
import type { PartedSet } from "./parted-set.js";
import { noEntries, type RevocationEntries, setKey } from "./revocation-entries.js";

export const KRL_MAGIC = Buffer.from("SSHKRL\n\0", "latin1");
const FORMAT_VERSION = 1;

const Section = {
  CERTIFICATES: 1,
  EXPLICIT_KEY: 2,
  FINGERPRINT_SHA1: 3,
  SIGNATURE: 4,
  FINGERPRINT_SHA256: 5,
  EXTENSION: 255,
} as const;

const SHA1_LENGTH = 20;
const SHA256_LENGTH = 32;

/**
 * Reads a key revocation list (OpenSSH's PROTOCOL.krl) to its last byte, an entry a step. Its signatures are not checked, as
 * OpenSSH does not either: the user who may write the file decides about its contents.
 *
 * @param krl starts with the magic; not to be changed after
 * @throws {KeyError} `malformed`, or `unsupported`
 */
export function* readKRL(krl: Buffer): Steps<RevocationEntries> {
  const entries = noEntries();
  try {
    const fields = new Reader(krl, KRL_MAGIC.length);
    readHeader(fields);
    let signed = false;
    while (fields.remaining > 0) {
      yield;
      const { type, data } = readSection(fields);
      // A section after a signature was not signed.
      if (signed && type !== Section.SIGNATURE) throw malformedKRL("a section follows a signature");
      if (type === Section.SIGNATURE) {
        passSignature(data, fields);
        signed = true;
      } else {
        yield* readSectionInto(entries, type, data);
      }
      data.end();
    }
  } catch (error) {
    if (error instanceof ProtocolError) throw malformedKRL(error.message);
    throw error;
  }
  for (const certificates of entries.certificates.values()) {
    yield;
    certificates.settle();
  }
  return entries;
}

function readHeader(fields: Reader): void {
  const formatVersion = fields.readUint32();
  if (formatVersion !== FORMAT_VERSION) throw malformedKRL(`its format has the unknown version ${formatVersion}`);
  fields.readUint64(); // version of the list
  fields.readUint64(); // date of its generation
  fields.readUint64(); // flags; no flag is defined
  fields.readString(); // reserved
  readCString(fields); // comment
}

function* readSectionInto(entries: RevocationEntries, type: number, data: Reader): Steps<void> {
  switch (type) {
    case Section.CERTIFICATES:
      yield* readCertificatesSection(data, entries);
      return;
    case Section.EXPLICIT_KEY:
      yield* readTexts(data, entries.keys, () => data.readString());
      return;
    case Section.FINGERPRINT_SHA1:
      yield* readTexts(data, entries.sha1, () => readHash(data, SHA1_LENGTH));
      return;
    case Section.FINGERPRINT_SHA256:
      yield* readTexts(data, entries.sha256, () => readHash(data, SHA256_LENGTH));
      return;
    case Section.EXTENSION:
      passExtension(data);
      return;
    default:
      throw unknownSection(type);
  }
}

function* readTexts(data: Reader, texts: PartedSet, read: () => Buffer): Steps<void> {
  while (data.remaining > 0) {
    texts.add(setKey(read()));
    yield;
  }
}

function readHash(data: Reader, length: number): Buffer {
  const hash = data.readString();
  if (hash.length !== length) throw malformedKRL(`a fingerprint has ${hash.length} bytes instead of ${length}`);
  return hash;
}

/** The section holds the key that signed; the signature stands behind it. */
function passSignature(data: Reader, fields: Reader): void {
  data.readRest();
  fields.readString();
}
