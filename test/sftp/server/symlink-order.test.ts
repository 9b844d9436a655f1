import { expect, it } from "vitest";
import { symlinkOrderOf } from "../../../src/sftp/server/symlink-order.js";

it.each([
  ["SSH-2.0-OpenSSH_9.2p1 Debian-2", "target first"],
  ["SSH-2.0-paramiko_2.12.0", "target first"],
  ["SSH-2.0-PuTTY_Release_0.78", "target first"],
  ["SSH-2.0-libssh2_1.10.0", "target first"],
  ["SSH-2.0-JSCH_0.2.18", "target first"],
  ["SSH-2.0-Go", "target first"],
  [undefined, "target first"],
  ["SSH-2.0-AsyncSSH_2.20.0", "link first"],
  ["SSH-2.0-ssh2js1.17.0", "link first"],
  ["SSH-2.0-libssh_0.10.6", "link first"],
  ["SSH-2.0-libssh-0.7.0", "link first"],
  ["SSH-2.0-phpseclib_3.0 (libsodium, openssl, gmp)", "link first"],
  ["SSH-2.0-phpseclib_1.0", "link first"],
  ["SSH-2.0-WinSCP_release_6.3.3", "link first"],
  ["SSH-2.0-other libssh_0.10.6", "target first"],
])("of %s: the %s", (clientVersion, order) => {
  expect(symlinkOrderOf(clientVersion)).toBe(order);
});
