/**
 * Lets in whom an authority has certified for a role, without knowing a single user's key.
 *
 *   ssh-keygen -t ed25519 -f user_ca
 *   ssh-keygen -s user_ca -I ann@laptop -n release-manager -V +1h ~/.ssh/id_ed25519.pub
 *   npx tsx examples/certificate-server.ts
 *   ssh -p 2222 deploy@localhost whoami
 */
import { createServer, trustedUserCAs } from "spindlex";

/** Which principals of a certificate may log in as which user; lines as of sshd's AuthorizedPrincipalsFile. */
const principals = new Map([
  ["deploy", "release-manager\n"],
  ["backup", 'restrict,command="backup" operator\nrestrict,command="backup" release-manager\n'],
]);

const server = createServer({
  hostKey: "host_key",
  authentication: {
    publicKey: trustedUserCAs({ file: "user_ca.pub" }, { principals: (user) => principals.get(user) }),
  },
  session: ({ command, user, identity, stdout }) => {
    const [key] = identity.publicKeys;
    // Text that an authority has written is harmless here only once it is quoted.
    stdout.write(`${command}: ${JSON.stringify(key?.certificate?.keyId)} as ${user}\n`);
  },
});
await server.listen(Number(process.env.PORT ?? 2222));
console.log(`Listening on ${server.address}:${server.port}`);
