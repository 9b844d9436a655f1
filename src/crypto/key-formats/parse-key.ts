import { KeyError } from "../keys/key-error.js";
import { OPENSSH_LABEL, readOpenSSHPrivateKey } from "./openssh-private-key.js";
import { findPemBlock } from "./pem-block.js";
import { readPemKey } from "./pem-key.js";
import { readPublicLine } from "./public-line.js";
import type { KeyOrCertificate } from "./public-material.js";
import { RFC4716_BEGIN, readRfc4716 } from "./rfc4716.js";

/** Characters, or bytes of a file. The largest key, RSA with 16384 bits, takes about 13,000. */
export const KEY_MAXIMUM_LENGTH = 262_144;

/** At the start of a line: a comment may hold anything. */
const PEM_BEGIN = /(?:^|[\r\n])-----BEGIN /;
const RFC4716_LINE = new RegExp(`(?:^|[\\r\\n])${RFC4716_BEGIN}`);

const PUTTY_BEGIN = "PuTTY-User-Key-File-";

/**
 * Reads a key in any format that is supported, which the text itself tells.
 *
 * @throws {KeyError}
 */
export function parseKey(text: string, passphrase: Buffer | undefined): KeyOrCertificate {
  if (text.length > KEY_MAXIMUM_LENGTH) throw new KeyError("malformed", "this is too long for a key");
  if (text.startsWith(PUTTY_BEGIN)) {
    throw new KeyError(
      "unsupported",
      "PuTTY's own key format is not supported: convert the key with `puttygen KEY -O private-openssh-new -o NEW_KEY`",
    );
  }
  if (PEM_BEGIN.test(text)) {
    const block = findPemBlock(text);
    return block.label === OPENSSH_LABEL ? readOpenSSHPrivateKey(block, passphrase) : readPemKey(block, passphrase);
  }
  return RFC4716_LINE.test(text) ? readRfc4716(text) : readPublicLine(text);
}
