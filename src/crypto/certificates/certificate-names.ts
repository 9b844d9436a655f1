const VENDOR = "@openssh.com";
const CERTIFICATE_SUFFIX = `-cert-v01${VENDOR}`;

/**
 * The name of a key type or signature algorithm where it is that of a certificate (PROTOCOL.certkeys): `ssh-ed25519`
 * gives `ssh-ed25519-cert-v01@openssh.com`, and `sk-ssh-ed25519@openssh.com` gives
 * `sk-ssh-ed25519-cert-v01@openssh.com`.
 */
export function certificateNameOf(name: string): string {
  return `${name.endsWith(VENDOR) ? name.slice(0, -VENDOR.length) : name}${CERTIFICATE_SUFFIX}`;
}
