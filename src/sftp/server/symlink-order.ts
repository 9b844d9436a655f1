export type SymlinkOrder = "target first" | "link first";

/**
 * Clients that send the link first to every server that does not call itself OpenSSH. Clients that do the same with every
 * server are not here: they get what OpenSSH gives them.
 */
const LINK_FIRST = /^SSH-2\.0-(?:AsyncSSH|libssh[-_]|phpseclib_|ssh2js|WinSCP)/;

/**
 * The order in which a client sends the two paths of SYMLINK.
 *
 * @param clientVersion its identification line; `undefined` where the stream has none
 */
export function symlinkOrderOf(clientVersion: string | undefined): SymlinkOrder {
  return clientVersion !== undefined && LINK_FIRST.test(clientVersion) ? "link first" : "target first";
}
